import { admissionregistrationResources } from './admissionregistration/index.ts'
import { apiextensionsResources } from './apiextensions/index.ts'
import { apiregistrationResources } from './apiregistration/index.ts'
import { appsResources } from './apps/index.ts'
import { authenticationResources } from './authentication/index.ts'
import { authorizationResources } from './authorization/index.ts'
import { autoscalingResources } from './autoscaling/index.ts'
import { batchResources } from './batch/index.ts'
import { certificatesResources } from './certificates/index.ts'
import { coordinationResources } from './coordination/index.ts'
import { coreClusterResources } from './core/cluster.ts'
import { loopbackFault } from './core/ip.ts'
import { coreWorkloadResources } from './core/workloads.ts'
import { discoveryResources } from './discovery/index.ts'
import { flowcontrolResources } from './flowcontrol/index.ts'
import { gantryResources } from './gantry/index.ts'
import type { Resource } from './machinery/resource.ts'
import { metricsResources } from './metrics/index.ts'
import { networkingResources } from './networking/index.ts'
import { nodeResources } from './node/index.ts'
import { policyResources } from './policy/index.ts'
import { rbacResources } from './rbac/index.ts'
import { resourceResources } from './resource/index.ts'
import { schedulingResources } from './scheduling/index.ts'
import { snapshotResources } from './snapshots/index.ts'
import { storageResources } from './storage/index.ts'

/** Every kind the server knows, by group in the order of upstream's discovery, within a group by plural. */
export const builtinKinds: readonly Resource[] = [
  ...[...coreClusterResources, ...coreWorkloadResources].sort((a, b) => (a.plural < b.plural ? -1 : 1)),
  ...apiregistrationResources,
  ...appsResources,
  ...authenticationResources,
  ...authorizationResources,
  ...autoscalingResources,
  ...batchResources,
  ...certificatesResources,
  ...networkingResources,
  ...policyResources,
  ...rbacResources,
  ...storageResources,
  ...admissionregistrationResources,
  ...apiextensionsResources,
  ...schedulingResources,
  ...coordinationResources,
  ...nodeResources,
  ...discoveryResources,
  ...resourceResources,
  ...flowcontrolResources,
  ...snapshotResources,
  ...metricsResources,
  ...gantryResources,
]

export interface ServedKindsOptions {
  /** How long events live. */
  eventTtlSeconds?: number
  /** A cluster whose pods are processes of one machine has no other addresses than those of its loopback. */
  allowLoopbackEndpoints?: boolean
  /** What nodes and pods use is measured and served. Default true. */
  resourceMetrics?: boolean
}

/** The same for one server, as it is configured. */
export function builtinResources(options: ServedKindsOptions = {}): readonly Resource[] {
  const { eventTtlSeconds, allowLoopbackEndpoints = false, resourceMetrics = true } = options
  const kinds = resourceMetrics ? builtinKinds : builtinKinds.filter((kind) => !metricsResources.includes(kind))
  return kinds.map((kind) => ({
    ...kind,
    ...(kind.ttlSeconds === undefined || eventTtlSeconds === undefined ? {} : { ttlSeconds: eventTtlSeconds }),
    ...(allowLoopbackEndpoints && ['endpoints', 'endpointslices'].includes(kind.plural) ? loopbackAllowed(kind) : {}),
  }))
}

function loopbackAllowed({ validate }: Resource): Pick<Resource, 'validate'> {
  if (!validate) return {}
  return { validate: (...args) => validate(...args).filter(({ message }) => !message.endsWith(loopbackFault)) }
}
