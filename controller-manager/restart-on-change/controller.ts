import { configDigestsAnnotation, restartOnChangeAnnotation } from '../../api/gantry/rollout.ts'
import type { DaemonSet, Deployment, StatefulSet } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { daemonSets, deployments, statefulSets } from '../../client/resources.ts'
import type { Live, ResourceRef } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { watchContents } from './contents.ts'
import { parseDigests, planRestart } from './plan.ts'

type Workload = Live<Deployment | StatefulSet | DaemonSet>

/** For more to change: one `kubectl apply` often changes several of them. */
const gatherMs = 1000
/** The annotation by which `kubectl rollout restart` makes a template another. */
const restartedAnnotation = 'kubectl.kubernetes.io/restartedAt'

/** Restarts workloads annotated with `gantry.dev/restart-on-change` when a config map or secret that they use changes. */
export function newRestartOnChangeController({ api, clock, events, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'restart_on_change' })
  const kinds = {
    Deployment: informers.for<Deployment>(deployments),
    StatefulSet: informers.for<StatefulSet>(statefulSets),
    DaemonSet: informers.for<DaemonSet>(daemonSets),
  }
  type Kind = keyof typeof kinds
  const entries = Object.entries(kinds) as [Kind, (typeof kinds)[Kind]][]

  const queueKey = (kind: Kind, workload: Workload) => `${kind} ${keyOf(workload)}`
  for (const [kind, informer] of entries) {
    const enqueue = (workload: Workload) => {
      if (isMinded(workload)) queue.add(queueKey(kind, workload))
    }
    informer.on({ add: enqueue, update: (_: Workload, after: Workload) => enqueue(after) })
  }
  const contents = watchContents(api, clock, (namespace) => {
    for (const [kind, informer] of entries) {
      for (const workload of informer.lister.list(namespace)) {
        if (isMinded(workload)) queue.addAfter(queueKey(kind, workload), gatherMs)
      }
    }
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<undefined> {
    const [word = '', objectKey = ''] = key.split(' ')
    const kind = word as Kind
    const { namespace, name } = splitKey(objectKey)
    await contents.start(signal)
    const workload = kinds[kind].lister.get(namespace, name)
    if (!workload || !isMinded(workload) || workload.metadata.deletionTimestamp !== undefined) return
    const { annotations, uid, resourceVersion } = workload.metadata
    const { digests, changed } = planRestart(
      workload.spec?.template ?? {},
      parseDigests(annotations?.[configDigestsAnnotation]),
      (of, used) => contents.digest(of, namespace, used),
    )
    if (!digests) return
    const restarted = { [restartedAnnotation]: formatTime(clock.now()) }
    const body = {
      // The version as well: from an older one the same change would be seen again.
      metadata: { uid, resourceVersion, annotations: { [configDigestsAnnotation]: JSON.stringify(digests) } },
      ...(changed.length > 0 ? { spec: { template: { metadata: { annotations: restarted } } } } : {}),
    }
    try {
      await api.patch(kinds[kind].ref as ResourceRef, { namespace, name }, { type: 'merge', body }, { signal })
    } catch (error) {
      if (isNotFound(error)) return
      throw error
    }
    if (changed.length === 0) return
    const about = { apiVersion: 'apps/v1', kind, metadata: workload.metadata }
    const verb = changed.length === 1 ? 'has' : 'have'
    events.event(about, 'Normal', 'ConfigurationChanged', `Restarted because ${changed.join(', ')} ${verb} changed`)
  }

  return { name: 'restart-on-change', queue, reconcile }
}

const isMinded = ({ metadata }: Workload): boolean => metadata.annotations?.[restartOnChangeAnnotation] === 'true'
