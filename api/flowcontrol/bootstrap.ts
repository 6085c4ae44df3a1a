import type {
  FlowcontrolV1Subject,
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'

/** Objects with this annotation follow the server's own idea of them; a user sets it to false to keep a change. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec'

const metadata = (name: string) => ({ name, annotations: { [autoUpdateAnnotation]: 'true' } })

const level = (name: string, spec: PriorityLevelConfigurationSpec): Stored<PriorityLevelConfiguration> => ({
  metadata: metadata(name),
  spec,
})

const queued = (
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): Stored<PriorityLevelConfiguration> =>
  level(name, {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares,
      lendablePercent,
      limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
    },
  })

/** The levels without which the server cannot work: they always exist, and are as they are. */
export const mandatoryPriorityLevels: readonly Stored<PriorityLevelConfiguration>[] = [
  level('catch-all', {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  }),
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
]

/** All levels a cluster starts with, mandatory first. */
export const bootstrapPriorityLevels: readonly Stored<PriorityLevelConfiguration>[] = [
  ...mandatoryPriorityLevels,
  queued('system', 30, 33, 64, 6),
  queued('node-high', 40, 25, 64, 6),
  queued('leader-election', 10, 0, 16, 4),
  queued('workload-high', 40, 50, 128, 6),
  queued('workload-low', 100, 90, 128, 6),
  queued('global-default', 20, 50, 128, 6),
]

const groups = (...names: string[]): FlowcontrolV1Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]): FlowcontrolV1Subject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const systemServiceAccounts: FlowcontrolV1Subject = {
  kind: 'ServiceAccount',
  serviceAccount: { name: '*', namespace: 'kube-system' },
}
const everyone = groups('system:unauthenticated', 'system:authenticated')
const nodes = groups('system:nodes')

const onResources = (verbs: string[], apiGroup: string, resources: string[], clusterScope: boolean) => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
  namespaces: ['*'],
  ...(clusterScope ? { clusterScope } : {}),
})

const everything = (subjects: FlowcontrolV1Subject[]): PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: [onResources(['*'], '*', ['*'], true)],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
})

const schema = (
  name: string,
  priorityLevel: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rule: PolicyRulesWithSubjects,
): Stored<FlowSchema> => ({
  metadata: metadata(name),
  spec: {
    priorityLevelConfiguration: { name: priorityLevel },
    matchingPrecedence,
    ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
    rules: [rule],
  },
})

/** The schemas without which the server cannot work. */
export const mandatoryFlowSchemas: readonly Stored<FlowSchema>[] = [
  schema('exempt', 'exempt', 1, undefined, everything(groups('system:masters'))),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', everything(everyone)),
]

/** All schemas a cluster starts with, mandatory first. */
export const bootstrapFlowSchemas: readonly Stored<FlowSchema>[] = [
  ...mandatoryFlowSchemas,
  schema('system-nodes', 'system', 500, 'ByUser', everything(nodes)),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: nodes,
    resourceRules: [
      onResources(['*'], '', ['nodes', 'nodes/status'], true),
      onResources(['*'], 'coordination.k8s.io', ['leases'], false),
    ],
  }),
  schema('probes', 'exempt', 2, undefined, {
    subjects: everyone,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), systemServiceAccounts],
    resourceRules: [onResources(['get', 'create', 'update'], 'coordination.k8s.io', ['leases'], false)],
  }),
  schema(
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    everything(users('system:kube-controller-manager')),
  ),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-scheduler'))),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything([systemServiceAccounts])),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', everything(everyone)),
]
