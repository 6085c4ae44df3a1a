import type { Dependency } from '../../api/gantry/depends-on.ts'
import type { DaemonSet, Deployment, EndpointSlice, Job, Pod, Service, StatefulSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isReady } from '../pods/condition.ts'

/** Where dependencies are looked up, in one namespace. */
export interface Surroundings {
  service(name: string): Live<Service> | undefined
  slices(service: string): readonly Live<EndpointSlice>[]
  job(name: string): Live<Job> | undefined
  deployment(name: string): Live<Deployment> | undefined
  statefulset(name: string): Live<StatefulSet> | undefined
  daemonset(name: string): Live<DaemonSet> | undefined
  pod(name: string): Live<Pod> | undefined
}

const missing = 'not found'

/** Why what is depended on is not ready, in a few words; undefined: it is. */
export function whyNotReady({ kind, name }: Dependency, around: Surroundings): string | undefined {
  switch (kind) {
    case 'service':
      return ofService(around.service(name), around.slices(name))
    case 'job':
      return ofJob(around.job(name))
    case 'deployment':
      return ofDeployment(around.deployment(name))
    case 'statefulset':
      return ofStatefulSet(around.statefulset(name))
    case 'daemonset':
      return ofDaemonSet(around.daemonset(name))
    case 'pod':
      return ofPod(around.pod(name))
  }
}

function ofService(service: Live<Service> | undefined, slices: readonly Live<EndpointSlice>[]): string | undefined {
  if (!service) return missing
  // A name elsewhere has no endpoints to wait for.
  if (service.spec?.type === 'ExternalName') return undefined
  const ready = slices.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready ?? true))
  return ready ? undefined : 'no ready endpoint'
}

function ofJob(job: Live<Job> | undefined): string | undefined {
  if (!job) return missing
  const is = (wanted: string) =>
    job.status?.conditions?.some(({ type, status }) => type === wanted && status === 'True') ?? false
  if (is('Complete')) return undefined
  return is('Failed') ? 'failed' : 'not complete'
}

function ofDeployment(deployment: Live<Deployment> | undefined): string | undefined {
  if (!deployment) return missing
  const available = deployment.status?.conditions?.some(({ type, status }) => type === 'Available' && status === 'True')
  return available && isObserved(deployment) ? undefined : 'not available'
}

function ofStatefulSet(set: Live<StatefulSet> | undefined): string | undefined {
  if (!set) return missing
  return all(set, set.status?.availableReplicas, set.spec?.replicas ?? 1)
}

function ofDaemonSet(set: Live<DaemonSet> | undefined): string | undefined {
  if (!set) return missing
  return all(set, set.status?.numberAvailable, set.status?.desiredNumberScheduled ?? 0)
}

function ofPod(pod: Live<Pod> | undefined): string | undefined {
  if (!pod) return missing
  return isReady(pod) || pod.status?.phase === 'Succeeded' ? undefined : 'not ready'
}

function all(object: Observed, available: number | undefined, wanted: number): string | undefined {
  if (!isObserved(object)) return 'not available'
  const is = available ?? 0
  return is >= wanted ? undefined : `${is} of ${wanted} available`
}

interface Observed {
  metadata: { generation?: number }
  status?: { observedGeneration?: number }
}

/** The status tells of the object as it is now. */
const isObserved = ({ metadata, status }: Observed): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
