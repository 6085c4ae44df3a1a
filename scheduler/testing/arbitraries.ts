import fc, { type Arbitrary } from 'fast-check'
import { bindCompleted } from '../../api/core/volume-binding.ts'
import type {
  Affinity,
  Container,
  LabelSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodStatus,
  Taint,
  Toleration,
  TopologySpreadConstraint,
  Volume,
} from '../../api/generated/types.ts'
import type { NodeParts, PodParts } from './builders.ts'
import type { ModelCluster } from './model/cluster.ts'

/** What happens to a cluster, one thing after the other. */
export type Step =
  | { do: 'setNode'; node: NodeParts }
  | { do: 'removeNode'; name: string }
  | { do: 'place'; pod: PodParts }
  /** Of the pods that have a node, by position; what there are fewer of is left out. */
  | { do: 'delete' | 'terminate'; at: number }
  | { do: 'relabel'; at: number; labels: Record<string, string> }
  /** What the containers of a pod hold becomes another thing than what they ask for. */
  | { do: 'resize'; at: number; status: PodStatus }

// Few names and values, so that things meet.
const nodeNames = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']
const namespaces = ['red', 'blue']
const claimNames = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'gone']
const zone = 'topology.kubernetes.io/zone'
const hostname = 'kubernetes.io/hostname'
const topologyKeys = [hostname, zone, 'rack']
const one = fc.constantFrom
/** Undefined in one of so many cases. */
const sometimes = <T>(value: Arbitrary<T>, oneOf = 2): Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: oneOf })
const rarely = <T>(value: Arbitrary<T>): Arbitrary<T | undefined> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const few = <T>(value: Arbitrary<T>, maxLength = 2): Arbitrary<T[]> => fc.array(value, { maxLength })

/** Leaves out what is undefined. */
const record = <T extends object>(fields: { [K in keyof T]: Arbitrary<T[K] | undefined> }): Arbitrary<T> =>
  fc.record(fields as { [K in keyof T]: Arbitrary<T[K]> }).map((all) => {
    const given = Object.entries(all).filter(([, value]) => value !== undefined)
    return Object.fromEntries(given) as T
  })

const podLabels = record<Record<string, string>>({
  app: sometimes(one('web', 'db'), 6),
  tier: sometimes(one('1', '2', '3'), 2),
}).map((labels) => ({ ...labels }))

const requirement = (keys: readonly string[], values: readonly string[], numbers: boolean) =>
  fc.oneof<Arbitrary<NodeSelectorRequirement>[]>(
    fc.record({
      key: one(...keys),
      operator: one('In' as const, 'NotIn' as const),
      values: fc.uniqueArray(one(...values), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key: one(...keys), operator: one('Exists' as const, 'DoesNotExist' as const) }),
    ...(numbers
      ? [
          fc.record({
            key: one('size'),
            operator: one('Gt' as const, 'Lt' as const),
            values: fc.constant<string[]>(['2']),
          }),
        ]
      : []),
  )

const selector: Arbitrary<LabelSelector> = record<LabelSelector>({
  matchLabels: sometimes(one<Record<string, string>[]>({ app: 'web' }, { app: 'db' }, { tier: '1' }, {}), 6),
  matchExpressions: rarely(few(requirement(['app', 'tier'], ['web', 'db', '1', '2'], false), 1)),
})

const nodeTerm: Arbitrary<NodeSelectorTerm> = record<NodeSelectorTerm>({
  matchExpressions: sometimes(few(requirement([zone, 'disk', 'rack'], ['a', 'b', 'ssd', 'r1'], true)), 6),
  matchFields: rarely(
    fc
      .record({
        key: fc.constant('metadata.name'),
        operator: one('In' as const, 'NotIn' as const),
        values: one(...nodeNames).map((name) => [name]),
      })
      .map((field) => [field]),
  ),
})

const podTerm: Arbitrary<PodAffinityTerm> = record<PodAffinityTerm>({
  topologyKey: one(...topologyKeys),
  labelSelector: sometimes(selector, 8),
  namespaces: rarely(one(['red'], ['blue'], ['red', 'blue'])),
  namespaceSelector: rarely(one<LabelSelector[]>({}, { matchLabels: { team: 'x' } })),
})
const podTerms = record({
  requiredDuringSchedulingIgnoredDuringExecution: sometimes(few(podTerm), 2),
  preferredDuringSchedulingIgnoredDuringExecution: sometimes(
    few(fc.record({ weight: fc.integer({ min: 1, max: 100 }), podAffinityTerm: podTerm })),
    2,
  ),
})
const affinity: Arbitrary<Affinity> = record<Affinity>({
  nodeAffinity: sometimes(
    record({
      requiredDuringSchedulingIgnoredDuringExecution: sometimes(
        fc.array(nodeTerm, { minLength: 1, maxLength: 2 }).map((nodeSelectorTerms) => ({ nodeSelectorTerms })),
        2,
      ),
      preferredDuringSchedulingIgnoredDuringExecution: sometimes(
        few(fc.record({ weight: fc.integer({ min: 1, max: 100 }), preference: nodeTerm })),
        2,
      ),
    }),
  ),
  podAffinity: sometimes(podTerms),
  podAntiAffinity: sometimes(podTerms),
})

const taint: Arbitrary<Taint> = record<Taint>({
  key: one('dedicated', 'slow'),
  value: sometimes(one('x', 'y'), 2),
  effect: one('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
})
const toleration: Arbitrary<Toleration> = record<Toleration>({
  key: sometimes(one('dedicated', 'slow', 'node.kubernetes.io/unschedulable'), 8),
  operator: one('Exists' as const, 'Equal' as const, undefined),
  value: sometimes(one('x', 'y'), 2),
  effect: sometimes(one('NoSchedule', 'NoExecute', 'PreferNoSchedule'), 2),
})

const spread: Arbitrary<TopologySpreadConstraint> = record<TopologySpreadConstraint>({
  maxSkew: fc.integer({ min: 1, max: 3 }),
  topologyKey: one(...topologyKeys),
  whenUnsatisfiable: one('DoNotSchedule', 'ScheduleAnyway'),
  labelSelector: sometimes(selector, 10),
  minDomains: rarely(fc.integer({ min: 1, max: 4 })),
  nodeAffinityPolicy: rarely(one('Honor', 'Ignore')),
  nodeTaintsPolicy: rarely(one('Honor', 'Ignore')),
  matchLabelKeys: rarely(one(['tier'], ['app'])),
})

const requests = record<Record<string, string>>({
  cpu: sometimes(one('0', '100m', '250m', '1'), 3),
  memory: sometimes(one('64Mi', '256Mi', '1Gi'), 3),
  'ephemeral-storage': rarely(rarely(one('1Gi', '5Gi'))),
  'example.com/gpu': rarely(rarely(one('1', '2'))),
  'hugepages-2Mi': rarely(rarely(one('4Mi'))),
})
const container: Arbitrary<Container> = record<Container>({
  name: fc.constant('main'),
  image: one('nginx', 'nginx:1', 'registry:5000/app', 'registry:5000/app:latest'),
  resources: sometimes(
    requests.map((each) => ({ requests: each })),
    6,
  ),
  ports: rarely(
    fc.array(
      record<{ containerPort: number; hostPort: number; hostIP?: string; protocol?: string }>({
        containerPort: fc.constant(80),
        hostPort: one(80, 81),
        hostIP: sometimes(one('10.0.0.1', '0.0.0.0'), 2),
        protocol: sometimes(one('TCP', 'UDP'), 2),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
})
const containers = (least: number, most: number) =>
  fc
    .array(container, { minLength: least, maxLength: most })
    .map((list) => list.map((each, i) => ({ ...each, name: `c${i}` })))
const initContainers = fc
  .array(fc.tuple(container, sometimes(fc.constant('Always'), 2)), { minLength: 1, maxLength: 3 })
  .map((list) =>
    list.map(([each, restartPolicy], i) => ({ ...each, name: `i${i}`, ...(restartPolicy ? { restartPolicy } : {}) })),
  )

const volume: Arbitrary<Volume> = fc.oneof(
  {
    weight: 5,
    arbitrary: one(...claimNames).map((claimName) => ({ name: 'v', persistentVolumeClaim: { claimName } })),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((readOnly) => ({ name: 'v', gcePersistentDisk: { pdName: 'disk', readOnly } })),
  },
  { weight: 1, arbitrary: fc.constant({ name: 'v', awsElasticBlockStore: { volumeID: 'block' } }) },
  { weight: 1, arbitrary: fc.constant({ name: 'v', image: { reference: 'nginx:1' } }) },
)

/** Names and uids are given when the pod is made. */
const podParts: Arbitrary<PodParts> = record<PodParts>({
  namespace: one(...namespaces),
  labels: podLabels,
  containers: containers(1, 2),
  initContainers: rarely(initContainers),
  affinity: sometimes(affinity, 2),
  tolerations: sometimes(few(toleration), 2),
  nodeSelector: rarely(one<Record<string, string>[]>({ disk: 'ssd' }, { [zone]: 'a' }, {})),
  topologySpreadConstraints: sometimes(few(spread), 3),
  volumes: rarely(few(volume)),
  overhead: rarely(requests),
  resources: rarely(
    record<Record<string, string>>({ cpu: sometimes(one('500m', '2'), 2), memory: sometimes(one('2Gi'), 2) }).map(
      (each) => ({ requests: each }),
    ),
  ),
  metadata: rarely(
    one('ReplicaSet', 'StatefulSet', 'Job').map((kind) => ({
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'owner', uid: 'owner', controller: true }],
    })),
  ),
})

const resized: Arbitrary<PodStatus> = record<PodStatus>({
  conditions: sometimes(one([{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }]), 2),
  containerStatuses: requests.map((held) => [
    { name: 'c0', image: '', imageID: '', ready: true, restartCount: 0, resources: { requests: held } },
  ]),
})

const nodeParts: Arbitrary<NodeParts> = record<NodeParts & { hasName: boolean }>({
  name: one(...nodeNames),
  labels: record<Record<string, string>>({
    [zone]: sometimes(one('a', 'b', 'c'), 6),
    rack: sometimes(one('r1', 'r2'), 2),
    disk: sometimes(one('ssd', 'hdd'), 2),
    size: sometimes(one('1', '2', '3', 'x'), 2),
  }),
  hasName: one(true, true, true, true, true, false),
  cpu: one('0', '2', '4', '8', '16'),
  memory: one('0', '4Gi', '8Gi', '16Gi', '16Gi'),
  pods: one('2', '10', '110'),
  allocatable: sometimes(
    record<Record<string, string>>({
      'ephemeral-storage': sometimes(one('4Gi', '10Gi'), 2),
      'example.com/gpu': sometimes(one('1', '4'), 2),
      'hugepages-2Mi': sometimes(one('8Mi'), 2),
    }),
    2,
  ),
  taints: rarely(few(taint)),
  unschedulable: rarely(one(true, false)),
  // An image has one size: what nodes that disagree about it would mean is left open.
  images: rarely(
    fc.uniqueArray(
      one(
        { names: ['nginx:1'], sizeBytes: 300_000_000 },
        { names: ['nginx:latest', 'nginx'], sizeBytes: 2_000_000_000 },
        { names: ['registry:5000/app:latest'], sizeBytes: 10_000_000 },
      ),
      { maxLength: 3 },
    ),
  ),
}).map(({ hasName, ...parts }) =>
  // A node can be without the label that others have.
  hasName ? parts : { ...parts, labels: { ...parts.labels, [hostname]: 'shared' } },
)

/** Nodes come first; then pods are placed, and things change in between. */
const stepsWith = (placing: Arbitrary<Step>, maxLength: number): Arbitrary<Step[]> =>
  fc
    .tuple(
      fc.array(nodeParts, { minLength: 1, maxLength: nodeNames.length }),
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: placing },
          { weight: 2, arbitrary: nodeParts.map((parts): Step => ({ do: 'setNode', node: parts })) },
          { weight: 1, arbitrary: one(...nodeNames).map((name): Step => ({ do: 'removeNode', name })) },
          {
            weight: 2,
            arbitrary: fc.record({ do: one('delete' as const, 'terminate' as const), at: fc.nat(5) }),
          },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('relabel' as const), at: fc.nat(5), labels: podLabels }),
          },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('resize' as const), at: fc.nat(5), status: resized }),
          },
        ),
        { minLength: 1, maxLength },
      ),
    )
    .map(([nodes, steps]) => [...nodes.map((parts): Step => ({ do: 'setNode', node: parts })), ...steps])

export const stepsArbitrary = stepsWith(
  podParts.map((parts): Step => ({ do: 'place', pod: parts })),
  14,
)

/** The same with pods of a few templates, some with other labels: what is known of one is used for the next. */
export const alikeStepsArbitrary: Arbitrary<Step[]> = fc
  .array(podParts, { minLength: 1, maxLength: 3 })
  .chain((templates) =>
    stepsWith(
      fc
        .tuple(one(...templates), rarely(podLabels))
        .map(([parts, labels]): Step => ({ do: 'place', pod: labels ? { ...parts, labels } : parts })),
      30,
    ),
  )

const volumeTerms = sometimes(
  one(...['a', 'b']).map((value) => ({
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'In' as const, values: [value] }] }] },
  })),
  2,
)

/** What is around nodes and pods: namespaces, services, controllers and storage. */
export const surroundingsArbitrary: Arbitrary<Omit<ModelCluster, 'nodes' | 'pods'>> = fc
  .record({
    services: few(
      fc.record({
        namespace: one(...namespaces),
        selector: one<Record<string, string>[]>({ app: 'web' }, { tier: '1' }),
      }),
    ),
    selectors: fc.tuple(selector, selector),
    volumes: fc.array(
      fc.record({ capacity: one('1Gi', '2Gi', '5Gi'), place: volumeTerms, zones: sometimes(one('a', 'b', 'a__b'), 2) }),
      { minLength: 3, maxLength: 5 },
    ),
    claims: fc.array(
      fc.record({
        binding: one('bound', 'late', 'late', 'unbound', 'binding'),
        mode: one('ReadWriteOnce', 'ReadWriteOnce', 'ReadWriteOncePod'),
        size: one('1Gi', '2Gi', '5Gi'),
        namespace: one(...namespaces),
        provisioned: fc.boolean(),
      }),
      { minLength: 6, maxLength: 6 },
    ),
    limits: fc.array(fc.nat(2), { minLength: 2, maxLength: 2 }),
    attached: few(fc.record({ node: one(...nodeNames), volume: fc.nat(2) })),
  })
  .map(({ services, selectors, volumes, claims, limits, attached }) => ({
    namespaces: { red: { team: 'x' }, blue: {} },
    services,
    controllers: selectors.map((each, i) => ({
      apiVersion: 'apps/v1',
      kind: i === 0 ? 'ReplicaSet' : 'StatefulSet',
      namespace: 'red',
      name: 'owner',
      selector: each,
    })),
    volumes: volumes.map(({ capacity, place, zones }, i) => ({
      metadata: { name: `pv${i}`, ...(zones ? { labels: { [zone]: zones } } : {}) },
      spec: {
        accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'],
        capacity: { storage: capacity },
        storageClassName: 'local',
        csi: { driver: 'csi.example.com', volumeHandle: `handle-${i}` },
        ...(place ? { nodeAffinity: place } : {}),
      },
      status: { phase: 'Available' },
    })),
    claims: claims.map(({ binding, mode, size, namespace, provisioned }, i) => ({
      metadata: {
        name: claimNames[i] as string,
        namespace,
        uid: `uid-${i}`,
        ...(binding === 'bound' ? { annotations: { [bindCompleted]: 'yes' } } : {}),
      },
      spec: {
        accessModes: [mode],
        resources: { requests: { storage: size } },
        storageClassName: binding === 'unbound' ? 'now' : provisioned ? 'made' : 'local',
        ...(binding === 'bound' || binding === 'binding' ? { volumeName: `pv${i % 4}` } : {}),
      },
    })),
    classes: [
      ['local', 'kubernetes.io/no-provisioner', 'WaitForFirstConsumer'],
      ['made', 'csi.example.com', 'WaitForFirstConsumer'],
      ['now', 'csi.example.com', 'Immediate'],
    ].map(([name = '', provisioner = '', volumeBindingMode = '']) => ({
      metadata: { name },
      provisioner,
      volumeBindingMode,
    })),
    csiNodes: limits.map((count, i) => ({
      metadata: { name: nodeNames[i] as string },
      spec: { drivers: [{ name: 'csi.example.com', nodeID: '', allocatable: { count } }] },
    })),
    attachments: attached.map(({ node, volume: at }, i) => ({
      metadata: { name: `va${i}` },
      spec: { attacher: 'csi.example.com', nodeName: node, source: { persistentVolumeName: `pv${at}` } },
    })),
  }))
