import { Histogram } from 'prom-client'
import type { Job } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { jobs } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

/** When a finished job is to go, in milliseconds since 1970; undefined if it is not to, or not finished. */
export function expiryMs({ metadata, spec, status }: Live<Job>): number | undefined {
  const seconds = spec?.ttlSecondsAfterFinished
  if (seconds === undefined || metadata.deletionTimestamp) return undefined
  const end = status?.conditions?.find(
    ({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True',
  )
  const endMs = parseTime(end?.lastTransitionTime ?? '')
  return endMs === undefined ? undefined : endMs + seconds * 1000
}

/** Removes finished jobs, with all that they own, when their time to be looked at has passed. */
export function newTtlAfterFinishedController(deps: ControllerDeps): Controller {
  const { api, clock, informers, metrics, options } = deps
  const queue = new WorkQueue({ clock, name: 'ttl_jobs_to_delete' })
  const all = informers.for<Job>(jobs)
  const look = (job: Live<Job>) => {
    if (expiryMs(job) !== undefined) queue.add(keyOf(job))
  }
  all.on({ add: look, update: (_, after) => look(after) })
  const late = new Histogram({
    name: 'ttl_after_finished_controller_job_deletion_duration_seconds',
    help: 'How long after its time a job was deleted',
    buckets: Array.from({ length: 14 }, (_, i) => 0.1 * 2 ** i),
    registers: [metrics],
  })

  return {
    name: 'ttl-after-finished',
    workers: options.workers['ttl-after-finished'] ?? 5,
    queue,
    async reconcile(key, signal) {
      const cached = all.lister.get(splitKey(key).namespace, splitKey(key).name)
      const dueMs = cached && expiryMs(cached)
      if (dueMs === undefined) return
      if (dueMs > clock.now()) return { requeueAfterMs: dueMs - clock.now() }
      try {
        // Its time may have been changed: what cannot be undone rests on what stands.
        const job = await api.get(jobs, splitKey(key), { signal })
        const freshMs = expiryMs(job)
        if (freshMs === undefined) return
        if (freshMs > clock.now()) return { requeueAfterMs: freshMs - clock.now() }
        const { uid, resourceVersion = '' } = job.metadata
        const preconditions = { ...(uid ? { uid } : {}), resourceVersion }
        await api.delete(jobs, splitKey(key), { propagationPolicy: 'Foreground', preconditions, signal })
        late.observe((clock.now() - freshMs) / 1000)
      } catch (error) {
        if (isNotFound(error)) return
        if (!isConflict(error)) throw error
        return { requeueAfterMs: 100 }
      }
      return
    },
  }
}
