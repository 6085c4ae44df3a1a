import { describe, expect, test } from 'vitest'
import { defaultArgs } from '../plugins/args.ts'
import { parseConfiguration } from './read.ts'

const header = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'
const read = (text: string) => parseConfiguration(header + text)

test('an empty configuration is upstream’s default', () => {
  expect(read('')).toMatchObject({
    kubeconfig: '',
    initialBackoffMs: 1000,
    maxBackoffMs: 10_000,
    extenders: [],
    profiles: [{ schedulerName: 'default-scheduler', percentageOfNodesToScore: 0, args: defaultArgs }],
  })
})

test('what is said once holds for every profile that does not say otherwise', () => {
  const { profiles, ...whole } = read(`
clientConnection: { kubeconfig: /etc/scheduler.conf }
leaderElection: { leaderElect: false, leaseDuration: 1m }
parallelism: 4
percentageOfNodesToScore: 30
podInitialBackoffSeconds: 2
podMaxBackoffSeconds: 20
profiles:
- schedulerName: one
- schedulerName: two
  percentageOfNodesToScore: 70
`)
  expect(whole).toMatchObject({
    kubeconfig: '/etc/scheduler.conf',
    leaderElection: { leaderElect: false, leaseDuration: '1m' },
    initialBackoffMs: 2000,
    maxBackoffMs: 20_000,
  })
  expect(
    profiles.map(({ schedulerName, percentageOfNodesToScore }) => [schedulerName, percentageOfNodesToScore]),
  ).toEqual([
    ['one', 30],
    ['two', 70],
  ])
})

describe('arguments of plugins', () => {
  const args = (name: string, text: string) =>
    read(`profiles:\n- pluginConfig:\n  - name: ${name}\n    args: ${text}\n`).profiles[0]?.args

  test('are completed with the defaults', () => {
    expect(args('NodeResourcesFit', '{ scoringStrategy: { type: MostAllocated } }')?.NodeResourcesFit).toEqual({
      ...defaultArgs.NodeResourcesFit,
      scoringStrategy: { type: 'MostAllocated', resources: defaultArgs.NodeResourcesFit.scoringStrategy.resources },
    })
    expect(args('InterPodAffinity', '{ hardPodAffinityWeight: 50 }')?.InterPodAffinity).toEqual({
      hardPodAffinityWeight: 50,
      ignorePreferredTermsOfExistingPods: false,
    })
    expect(args('DynamicResources', '{ filterTimeout: 50ms }')?.DynamicResources).toEqual({ filterTimeout: '50ms' })
    expect(args('VolumeBinding', '{ kind: VolumeBindingArgs, bindTimeoutSeconds: 5 }')?.VolumeBinding).toEqual({
      bindTimeoutSeconds: 5,
    })
  })

  test.each<[plugin: string, args: string, fault: string]>([
    ['InterPodAffinity', '{ hardPodAffinityWeight: 101 }', 'hardPodAffinityWeight: Invalid value: 101'],
    ['InterPodAffinity', '{ hardness: 1 }', 'hardness: Invalid value: "": unknown field'],
    ['InterPodAffinity', '{ kind: NodeAffinityArgs }', 'kind: Invalid value: "NodeAffinityArgs": has to be'],
    ['DefaultPreemption', '{ minCandidateNodesPercentage: -1 }', 'minCandidateNodesPercentage: Invalid value: -1'],
    ['NodeResourcesFit', '{ scoringStrategy: { type: Most } }', 'scoringStrategy.type: Unsupported value: "Most"'],
    [
      'NodeResourcesFit',
      '{ scoringStrategy: { type: RequestedToCapacityRatio } }',
      'scoringStrategy.requestedToCapacityRatio: Required value',
    ],
    [
      'NodeResourcesFit',
      '{ scoringStrategy: { type: RequestedToCapacityRatio, requestedToCapacityRatio: { shape: [{ utilization: 9, score: 1 }, { utilization: 1, score: 1 }] } } }',
      'shape[1].utilization: Invalid value: 1: values must be sorted in increasing order',
    ],
    [
      'PodTopologySpread',
      '{ defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway }] }',
      'defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ],
    [
      'PodTopologySpread',
      '{ defaultingType: List, defaultConstraints: [{ maxSkew: 0, topologyKey: "", whenUnsatisfiable: Never }] }',
      'defaultConstraints[0].maxSkew: Invalid value: 0',
    ],
    ['DynamicResources', '{ filterTimeout: -1s }', 'filterTimeout: Invalid value: "-1s": must be zero or positive'],
    ['DynamicResources', '{ filterTimeout: soon }', 'filterTimeout: Invalid value: "soon": not a duration'],
    ['DynamicResources', '{ bindingTimeout: 1m }', 'bindingTimeout: Forbidden'],
    ['VolumeBinding', '{ bindTimeoutSeconds: soon }', 'cannot unmarshal string'],
    ['VolumeBinding', '{ shape: [] }', 'shape: Invalid value: []: unexpected field `shape`'],
    ['NodePorts', '{}', 'name: Invalid value: "NodePorts": there is nothing to configure'],
  ])('%s %s is refused', (plugin, text, fault) => {
    expect(() => args(plugin, text)).toThrow(fault)
    expect(() => args(plugin, text)).toThrow('profiles[0].pluginConfig[0].')
  })
})

test.each<[text: string, fault: string]>([
  ['profile: []', 'unknown field "profile"'],
  ['profiles: [{ plugins: { scores: {} } }]', 'unknown field "profiles[0].plugins.scores"'],
  ['profiles: [{ plugins: { score: { enabled: [{ name: Best }] } } }]', 'profiles[0].plugins.score.enabled[0].name'],
  ['profiles: [{ plugins: { filter: { disabled: [{ name: Fit }] } } }]', 'profiles[0].plugins.filter.disabled[0].name'],
  ['profiles: [{ schedulerName: a }, {}]', 'profiles[1].schedulerName: Required value'],
  ['profiles: [{ schedulerName: a }, { schedulerName: a }]', 'profiles[1].schedulerName: Duplicate value'],
  ['percentageOfNodesToScore: 101', 'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]'],
  ['parallelism: 0', 'parallelism: Invalid value: 0'],
  ['podInitialBackoffSeconds: 20', 'podMaxBackoffSeconds: Invalid value: 10'],
  ['leaderElection: { resourceLock: endpoints }', 'leaderElection.resourceLock: Invalid value: "endpoints"'],
  ['leaderElection: { retryPeriod: 2 seconds }', 'leaderElection.retryPeriod: Invalid value: "2 seconds"'],
  ['extenders: [{ urlPrefix: here }]', 'extenders[0].urlPrefix: Invalid value: "here"'],
  ['extenders: [{ urlPrefix: "http://a", prioritizeVerb: rank }]', 'extenders[0].weight: Invalid value: 0'],
  ['extenders: [{ urlPrefix: "http://a", managedResources: [{ name: cpu }] }]', 'managedResources[0].name'],
  [
    'extenders: [{ urlPrefix: "http://a", bindVerb: b }, { urlPrefix: "http://b", bindVerb: b }]',
    'only one extender can implement bind',
  ],
  ['parallelism: many', 'KubeSchedulerConfiguration.parallelism'],
])('%s is refused', (text, fault) => {
  expect(() => read(text)).toThrow(fault)
})

test('another kind of file is refused', () => {
  expect(() => parseConfiguration('kind: Pod\napiVersion: v1\n')).toThrow('kind KubeSchedulerConfiguration')
})

test('what an extender watches over instead is none of NodeResourcesFit’s', () => {
  const { profiles } = read(
    'extenders: [{ urlPrefix: "http://a", managedResources: [{ name: example.com/gpu, ignoredByScheduler: true }] }]',
  )
  expect(profiles[0]?.args.NodeResourcesFit.ignoredResources).toEqual(['example.com/gpu'])
})
