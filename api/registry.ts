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
import { coreWorkloadResources } from './core/workloads.ts'
import { discoveryResources } from './discovery/index.ts'
import { flowcontrolResources } from './flowcontrol/index.ts'
import { gantryResources } from './gantry/transaction.ts'
import type { Resource } from './machinery/resource.ts'
import { networkingResources } from './networking/index.ts'
import { nodeResources } from './node/index.ts'
import { policyResources } from './policy/index.ts'
import { rbacResources } from './rbac/index.ts'
import { resourceResources } from './resource/index.ts'
import { schedulingResources } from './scheduling/index.ts'
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
  ...flowcontrolResources,
  ...resourceResources,
  ...gantryResources,
]

/** The same for one server; events live as long as it is configured. */
export const builtinResources = (eventTtlSeconds?: number): readonly Resource[] =>
  eventTtlSeconds === undefined
    ? builtinKinds
    : builtinKinds.map((kind) => (kind.ttlSeconds === undefined ? kind : { ...kind, ttlSeconds: eventTtlSeconds }))
