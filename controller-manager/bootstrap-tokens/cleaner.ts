import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { secrets } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { bootstrapTokenInformer } from './informer.ts'
import { expirationMs } from './tokens.ts'

/** Removes bootstrap tokens that have expired. */
export function newTokenCleanerController(deps: ControllerDeps): Controller {
  const { api, clock } = deps
  const queue = new WorkQueue({ clock, name: 'token_cleaner' })
  const tokens = bootstrapTokenInformer(deps)
  tokens.on({ add: (secret) => queue.add(keyOf(secret)), update: (_, after) => queue.add(keyOf(after)) })
  return {
    name: 'tokencleaner',
    workers: 1,
    queue,
    start: (signal) => tokens.start(signal),
    async reconcile(key, signal) {
      const secret = tokens.lister.byKey(key)
      const dueMs = secret && expirationMs(secret)
      if (!secret || dueMs === undefined) return
      if (dueMs > clock.now()) return { requeueAfterMs: dueMs - clock.now() }
      const { uid } = secret.metadata
      await api
        .delete(secrets, splitKey(key), { ...(uid ? { preconditions: { uid } } : {}), signal })
        .catch((error: unknown) => {
          if (!isNotFound(error) && !isConflict(error)) throw error
        })
      return
    },
  }
}
