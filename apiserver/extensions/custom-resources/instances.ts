import { setTimeout as delay } from 'node:timers/promises'
import type { CustomResourceDefinitionCondition } from '../../../api/generated/types.ts'
import type { StatusError } from '../../../api/machinery/errors.ts'
import type { StoreFeed } from '../../registry/feed.ts'
import type { Registry } from '../../registry/registry.ts'
import { self } from '../../registry/server-client.ts'

type Outcome = Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'> & { done: boolean }

const lookMs = 250
const patienceMs = 60_000

/** Deletes all objects of a kind whose definition goes, and waits a while until they are gone. */
export async function deleteInstances(
  registry: Registry,
  feed: StoreFeed,
  now: () => number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { cache } = registry
  await feed.catchUp()
  const options = { user: self, dryRun: false, fieldManager: self.name, warn: () => {} }
  const refusals: string[] = []
  for (const { object } of cache.range(cache.prefix)) {
    const { namespace = '', name = '' } = object.metadata
    try {
      await registry.delete(namespace, name, {}, { ...options, nowMs: now() })
    } catch (error) {
      if ((error as StatusError).code !== 404) refusals.push((error as Error).message)
    }
  }
  if (refusals.length > 0) {
    const message = `could not issue all deletes: ${refusals.length === 1 ? refusals[0] : `[${refusals.join(', ')}]`}`
    return { type: 'Terminating', status: 'True', reason: 'InstanceDeletionFailed', message, done: false }
  }
  for (let waitedMs = 0; ; waitedMs += lookMs) {
    await feed.catchUp()
    if (cache.size === 0) {
      const message = 'removed all instances'
      return { type: 'Terminating', status: 'False', reason: 'InstanceDeletionCompleted', message, done: true }
    }
    if (waitedMs >= patienceMs) {
      const message = 'could not confirm zero CustomResources remaining: timed out waiting for the condition'
      return { type: 'Terminating', status: 'True', reason: 'InstanceDeletionCheck', message, done: false }
    }
    await delay(lookMs, undefined, { signal })
  }
}
