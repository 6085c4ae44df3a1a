import type { Namespace } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { namespaces } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { namespaceConditions } from './conditions.ts'
import { deleteContent } from './content.ts'

/** By which a namespace waits for this controller. */
const ownFinalizer = 'kubernetes'
const firstLookMs = 100
const lastLookMs = 10_000

/** Empties namespaces that are being deleted, and lets them go when nothing is left. */
export function newNamespaceController({ api, clock, informers, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'namespace', baseDelayMs: 500, maxDelayMs: 60_000 })
  const all = informers.for<Namespace>(namespaces)
  const looks = new Map<string, number>()
  const look = ({ metadata }: Live<Namespace>) => {
    if (metadata.deletionTimestamp) queue.add(metadata.name)
  }
  all.on({ add: look, update: (_, after) => look(after), delete: ({ metadata }) => void looks.delete(metadata.name) })

  async function writeConditions(
    namespace: Live<Namespace>,
    round: Parameters<typeof namespaceConditions>[1],
    signal: AbortSignal,
  ) {
    const standing = namespace.status?.conditions ?? []
    const conditions = namespaceConditions(standing, round, clock.now())
    if (JSON.stringify(conditions) === JSON.stringify(standing)) return namespace
    return api.update(
      namespaces,
      { ...namespace, status: { ...namespace.status, phase: 'Terminating', conditions } },
      { subresource: 'status', signal },
    )
  }

  return {
    name: 'namespace',
    workers: options.workers.namespace ?? 10,
    queue,
    async reconcile(name, signal) {
      if (!all.lister.get(undefined, name)?.metadata.deletionTimestamp) return
      let namespace: Live<Namespace>
      try {
        // The cache may still show finalizers that this controller has just taken off.
        namespace = await api.get(namespaces, { name }, { signal })
      } catch (error) {
        if (isNotFound(error)) return
        throw error
      }
      const finalizers = namespace.spec?.finalizers ?? []
      if (!namespace.metadata.deletionTimestamp || !finalizers.includes(ownFinalizer)) return
      const round = await deleteContent(api, name, signal)
      try {
        namespace = await writeConditions(namespace, round, signal)
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error
        return { requeueAfterMs: firstLookMs }
      }
      if (round.remaining.size > 0) {
        // Nobody tells when the last object of any kind has gone: looked at again, ever less often.
        const waitedMs = looks.get(name) ?? firstLookMs
        looks.set(name, Math.min(waitedMs * 2, lastLookMs))
        return { requeueAfterMs: waitedMs }
      }
      if (round.discoveryErrors.length > 0 || round.deletionErrors.length > 0)
        throw new Error([...round.discoveryErrors, ...round.deletionErrors].join('; '))
      await api.update(
        namespaces,
        { ...namespace, spec: { ...namespace.spec, finalizers: finalizers.filter((each) => each !== ownFinalizer) } },
        { subresource: 'finalize', signal },
      )
      looks.delete(name)
      return
    },
  }
}
