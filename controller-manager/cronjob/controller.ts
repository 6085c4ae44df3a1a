import type { CronJob, CronJobSpec, Job, ObjectReference } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { cronJobs, jobs as jobResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { OwnWrites } from '../pods/own-writes.ts'
import { controllerOf, controllerReference, type Owner } from '../pods/ownership.ts'
import type { ControllerDeps } from '../types.ts'
import { formatInZone } from './next-time.ts'
import { jobName, planCronJob } from './plan.ts'

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** How long to wait, at most, for a cache that does not show what was written. */
const lateCacheMs = 61_000

/** Starts a Job whenever a CronJob's schedule says so. */
export function newCronJobController(deps: ControllerDeps): Controller {
  const { api, events, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'cronjob' })
  const writes = new OwnWrites(clock)
  const crons = informers.for<CronJob>(cronJobs)
  const jobs = informers.for<Job>(jobResource)
  const enqueue = (object: Live<CronJob>) => queue.add(keyOf(object))
  const enqueueOwner = (job: Live<Job>) => {
    const owner = controllerOf(job)
    if (owner?.kind === 'CronJob') queue.add(keyOf({ metadata: { ...job.metadata, name: owner.name } }))
  }
  crons.on({ add: enqueue, update: (_, after) => enqueue(after), delete: enqueue })
  jobs.on({
    add: enqueueOwner,
    update: (_, after) => enqueueOwner(after),
    delete: (job) => {
      const owner = controllerOf(job)
      if (owner) writes.forget(keyOf({ metadata: { ...job.metadata, name: owner.name } }), keyOf(job))
      enqueueOwner(job)
    },
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const cron = crons.lister.get(namespace, name)
    if (!cron?.spec) {
      writes.forget(key)
      return undefined
    }
    const versionOf = (object: string) =>
      object === '' ? cron.metadata.resourceVersion : jobs.lister.byKey(object)?.metadata.resourceVersion
    if (!writes.seen(key, versionOf)) return { requeueAfterMs: lateCacheMs }
    const own = jobs.lister.list(namespace).filter((job) => controllerOf(job)?.uid === cron.metadata.uid)
    const plan = planCronJob(cron, own, clock.now())
    const owner: Owner = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: cron.metadata }
    for (const { type, reason, message } of plan.events) events.event(owner, type, reason, message)
    let { active = [] } = plan.status
    let { lastScheduleTime } = plan.status
    for (const job of plan.delete) {
      await deleteJob(owner, job, signal)
      active = active.filter(({ uid }) => uid !== job.metadata.uid)
    }
    let failure: unknown
    if (plan.start !== undefined) {
      try {
        const started = await startJob(key, owner, cron, plan.start, signal)
        if (started && !active.some(({ uid }) => uid === started.uid)) active = [...active, started]
        if (started) lastScheduleTime = formatTime(plan.start)
      } catch (error) {
        failure = error
      }
    }
    const { lastSuccessfulTime } = plan.status
    const status = {
      ...(active.length > 0 ? { active } : {}),
      ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
      ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
    }
    if (!semanticEqual(cron.status, status)) {
      const updated = await api.update<CronJob>(cronJobs, { ...cron, status }, { subresource: 'status', signal })
      writes.wrote(key, '', updated.metadata.resourceVersion)
    }
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs }
  }

  /** Returns what started; undefined if another's job has the name. */
  async function startJob(
    key: string,
    owner: Owner,
    cron: Live<CronJob>,
    dueMs: number,
    signal: AbortSignal,
  ): Promise<ObjectReference | undefined> {
    const wanted = jobFor(owner, cron, dueMs)
    let job: Live<Job>
    try {
      job = await api.create<Job>(jobResource, wanted, { signal })
      events.event(owner, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
    } catch (error) {
      if (!isAlreadyExists(error)) {
        if (!isNamespaceTerminating(error)) {
          events.event(owner, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`)
        }
        throw error
      }
      job = await api.get<Job>(jobResource, wanted.metadata, { signal })
      if (controllerOf(job)?.uid !== cron.metadata.uid) return undefined
    }
    const { name, namespace, uid, resourceVersion } = job.metadata
    writes.wrote(key, keyOf(job), resourceVersion)
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    }
  }

  async function deleteJob(owner: Owner, { metadata }: Live<Job>, signal: AbortSignal): Promise<void> {
    const preconditions = metadata.uid === undefined ? {} : { preconditions: { uid: metadata.uid } }
    try {
      await api.delete(jobResource, metadata, { ...preconditions, propagationPolicy: 'Background', signal })
      events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted job ${metadata.name}`)
    } catch (error) {
      if (isNotFound(error)) return
      events.event(owner, 'Warning', 'FailedDelete', `Deleted job: ${(error as Error).message}`)
      throw error
    }
  }

  return { name: 'cronjob', workers: deps.options.workers['cron-job'] ?? 5, queue, reconcile }
}

function jobFor(owner: Owner, cron: Live<CronJob>, dueMs: number): Live<Job> {
  const { jobTemplate, timeZone } = cron.spec as CronJobSpec
  const { labels, annotations } = jobTemplate.metadata ?? {}
  const { namespace } = cron.metadata
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(cron, dueMs),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [scheduledAnnotation]: formatInZone(dueMs, timeZone ?? 'UTC') },
      ownerReferences: [controllerReference(owner)],
    },
    ...(jobTemplate.spec ? { spec: jobTemplate.spec } : {}),
  }
}
