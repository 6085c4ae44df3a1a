import { type Dependency, type DependencyKind, dependenciesGate, dependencyId } from '../../api/gantry/depends-on.ts'
import type {
  DaemonSet,
  Deployment,
  EndpointSlice,
  Job,
  Pod,
  PodCondition,
  Service,
  StatefulSet,
} from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import {
  daemonSets,
  deployments,
  endpointSlices,
  jobs,
  pods as podResource,
  services,
  statefulSets,
} from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { serviceNameLabel } from '../endpointslice/plan.ts'
import { podInformer } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'
import { dependenciesOf, isHeld, planGate } from './plan.ts'
import { type Surroundings, whyNotReady } from './readiness.ts'

const heldFor = 'held-for'

/** Takes the scheduling gate of `gantry.dev/depends-on` from pods whose dependencies are ready, and says what others wait for. */
export function newDependenciesController(deps: ControllerDeps): Controller {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'dependencies' })
  const pods = podInformer(informers)
  const slices = informers.for<EndpointSlice>(endpointSlices)
  const workloads = {
    service: informers.for<Service>(services),
    job: informers.for<Job>(jobs),
    deployment: informers.for<Deployment>(deployments),
    statefulset: informers.for<StatefulSet>(statefulSets),
    daemonset: informers.for<DaemonSet>(daemonSets),
    pod: pods,
  }
  pods.addIndexers({
    [heldFor]: (pod) => (isHeld(pod) ? dependenciesOf(pod).map((dependency) => placeOf(pod, dependency)) : []),
  })

  const wake = (object: Live<object>, kind: DependencyKind, name = object.metadata.name) => {
    for (const pod of pods.lister.byIndex(heldFor, placeOf(object, { kind, name }))) queue.add(keyOf(pod))
  }
  for (const kind of Object.keys(workloads) as DependencyKind[]) {
    workloads[kind].on({
      add: (object: Live<object>) => wake(object, kind),
      update: (_: Live<object>, after: Live<object>) => wake(after, kind),
      delete: (object: Live<object>) => wake(object, kind),
    })
  }
  const wakeForSlice = (slice: Live<EndpointSlice>) =>
    wake(slice, 'service', slice.metadata.labels?.[serviceNameLabel] ?? '')
  slices.on({ add: wakeForSlice, update: (_, after) => wakeForSlice(after), delete: wakeForSlice })
  const enqueueHeld = (pod: Live<Pod>) => {
    if (isHeld(pod)) queue.add(keyOf(pod))
  }
  pods.on({ add: enqueueHeld, update: (_, after) => enqueueHeld(after) })

  const around = (namespace: string): Surroundings => ({
    service: (name) => workloads.service.lister.get(namespace, name),
    slices: (name) =>
      slices.lister.list(namespace).filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === name),
    job: (name) => workloads.job.lister.get(namespace, name),
    deployment: (name) => workloads.deployment.lister.get(namespace, name),
    statefulset: (name) => workloads.statefulset.lister.get(namespace, name),
    daemonset: (name) => workloads.daemonset.lister.get(namespace, name),
    pod: (name) => pods.lister.get(namespace, name),
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<undefined> {
    const { namespace, name } = splitKey(key)
    const pod = pods.lister.get(namespace, name)
    if (!pod || !isHeld(pod)) return
    const plan = planGate(pod, (dependency) => whyNotReady(dependency, around(namespace)), clock.now())
    try {
      // The condition first: a pod without the gate is not looked at again.
      if (plan.condition) await tell(pod, plan.condition, signal)
      if (plan.open) {
        const schedulingGates = [{ name: dependenciesGate, $patch: 'delete' }]
        const body = { metadata: { uid: pod.metadata.uid }, spec: { schedulingGates } }
        await api.patch(podResource, { namespace, name }, { type: 'strategic', body }, { signal })
      }
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async function tell({ metadata }: Live<Pod>, condition: PodCondition, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata
    const body = { metadata: { uid }, status: { conditions: [condition] } }
    await api.patch(podResource, { namespace, name }, { type: 'strategic', body }, { subresource: 'status', signal })
    const message = condition.message || 'all it depends on is ready'
    events.event({ apiVersion: 'v1', kind: 'Pod', metadata }, 'Normal', condition.reason ?? '', message)
  }

  return { name: 'dependencies', queue, reconcile }
}

const placeOf = ({ metadata }: Live<object>, dependency: Dependency): string =>
  `${metadata.namespace ?? ''}/${dependencyId(dependency)}`
