import type { Pod } from '../../api/generated/types.ts'

/** Pods of one make, and what stands in the cluster before they come. After the workloads of upstream's scheduler_perf. */
export interface Workload {
  name: string
  /** Pods that are measured; a part of the size asked for where more would not find a place. */
  share: number
  pod: Spec
  /** Pods that are bound, or refused, before, as a share of the size asked for; they are not measured. */
  before?: { share: number; pod: Spec; bound: boolean }
  /** Meanwhile a node, a service and a pod that fits nowhere come and go, once a second. */
  churns?: boolean
}

type Spec = Pick<Pod, 'metadata'> & { spec: NonNullable<Pod['spec']> }

const container = {
  name: 'c',
  image: 'registry.example/pause:1',
  resources: { requests: { cpu: '100m', memory: '64Mi' } },
}
const labels = { app: 'measured' }
/** No node is that large. */
export const tooMuch = { cpu: '9999' }
const make = (spec: Partial<Spec['spec']> = {}, own: Record<string, string> = labels): Spec => ({
  metadata: { labels: own },
  spec: { containers: [container], terminationGracePeriodSeconds: 0, ...spec },
})
export const needs = (resources: Record<string, string>, spec: Partial<Spec['spec']> = {}): Spec =>
  make({ containers: [{ ...container, resources: { requests: resources, limits: resources } }], ...spec })

const zone = 'topology.kubernetes.io/zone'
const hostname = 'kubernetes.io/hostname'
const term = (topologyKey: string) => ({ topologyKey, labelSelector: { matchLabels: labels } })
const spread = (topologyKey: string, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') =>
  make({
    topologySpreadConstraints: [{ maxSkew: 5, topologyKey, whenUnsatisfiable, labelSelector: { matchLabels: labels } }],
  })

/** Of what each node has few: full nodes are made with it. */
export const scarce = 'example.com/place'
export const scarcePerNode = 2

/** Has room for all pods of a size, and is for those that tolerate it. */
export const large = 'bench-large'

/** What asks for nothing special. */
export const plainPod = make()

export const workloads: readonly Workload[] = [
  { name: 'basic', share: 1, pod: plainPod },
  {
    name: 'node affinity',
    share: 1,
    pod: make({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'In', values: ['zone-0', 'zone-1'] }] }],
          },
        },
      },
    }),
  },
  { name: 'required spread over zones', share: 1, pod: spread(zone, 'DoNotSchedule') },
  { name: 'preferred spread over hosts', share: 1, pod: spread(hostname, 'ScheduleAnyway') },
  {
    name: 'required pod affinity',
    share: 1,
    pod: make({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(zone)] } } }),
  },
  {
    name: 'required pod anti-affinity',
    share: 1 / 4,
    pod: make({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(hostname)] } } }),
  },
  {
    name: 'anti-affinity in all namespaces',
    share: 1 / 4,
    pod: make(
      {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: hostname, labelSelector: { matchLabels: { app: 'apart' } }, namespaceSelector: {} },
            ],
          },
        },
      },
      { app: 'apart' },
    ),
  },
  {
    name: 'preferred pod affinity',
    share: 1,
    pod: make({
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(hostname) }],
        },
      },
    }),
  },
  {
    name: 'for one node, as of a daemon set',
    share: 1,
    pod: make({
      tolerations: [{ key: large, operator: 'Exists' }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [large] }] }],
          },
        },
      },
    }),
  },
  { name: 'beside what comes and goes', share: 1, pod: plainPod, churns: true },
  {
    name: 'beside pods that fit nowhere',
    share: 1,
    pod: make(),
    before: { share: 1 / 15, pod: needs(tooMuch), bound: false },
  },
  {
    name: 'beside gated pods',
    share: 1,
    pod: make(),
    before: { share: 1, pod: make({ schedulingGates: [{ name: 'example.com/wait' }] }), bound: false },
  },
  {
    name: 'preemption',
    share: 1 / 6,
    pod: needs({ [scarce]: '1' }, { priorityClassName: 'system-cluster-critical' }),
    before: { share: -scarcePerNode, pod: needs({ [scarce]: '1' }, { priority: 0 }), bound: true },
  },
]
