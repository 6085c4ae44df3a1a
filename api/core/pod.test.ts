import { describe, expect, it } from 'vitest'
import type { ContainerStatus, ObjectMeta, PodSpec, PodStatus, ResourceRequirements } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import {
  podQOS,
  pods,
  type StoredPod,
  validatePodBinding,
  validatePodEphemeralContainersUpdate,
  validatePodResize,
  validatePodStatusUpdate,
} from './pod.ts'
import { defaultPullPolicy } from './pod-spec/image-name.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function pod(spec: Partial<PodSpec> = {}, status?: PodStatus, metadata: ObjectMeta = {}): StoredPod {
  const object: StoredPod = {
    metadata: { name: 'a', namespace: 'ns', ...metadata },
    spec: { containers: [{ name: 'c', image: 'web:1' }], ...spec },
    ...(status ? { status } : {}),
  }
  pods.defaults?.(object)
  return object
}

const withResources = (resources: ResourceRequirements) => ({ containers: [{ name: 'c', image: 'web:1', resources }] })

describe('the defaults of a pod', () => {
  it('fill in what upstream fills in', () => {
    expect(pod().spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'web:1',
          imagePullPolicy: 'IfNotPresent',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    })
  })

  it('ask for what is limited', () => {
    const { containers } = pod(withResources({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } })).spec!
    expect(containers[0]?.resources?.requests).toEqual({ cpu: '500m', memory: '1Gi' })
  })

  it('open on the host what a pod of the host network opens', () => {
    const ports = [{ containerPort: 80, protocol: 'TCP' }]
    const { containers } = pod({ hostNetwork: true, containers: [{ name: 'c', image: 'a', ports }] }).spec!
    expect(containers[0]?.ports?.[0]?.hostPort).toBe(80)
  })

  it('sum up containers for the pod as a whole', () => {
    const spec = {
      ...withResources({ requests: { cpu: '1500m' } }),
      resources: { limits: { cpu: '2', memory: '1Gi' } },
    }
    expect(pod(spec).spec?.resources?.requests).toEqual({ cpu: '1500m', memory: '1Gi' })
  })

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['registry.example.com:5000/team/app', 'Always'],
    ['registry.example.com:5000/team/app:v1', 'IfNotPresent'],
    [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    ['a'.repeat(64), 'IfNotPresent'],
    ['Bad Name', 'IfNotPresent'],
    [undefined, 'IfNotPresent'],
  ])('pull %s %s', (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy)
  })
})

describe('a created pod', () => {
  it('is pending, of its class, and waits for its gates', () => {
    const gated = pod({ schedulingGates: [{ name: 'g' }] })
    pods.strategy.prepareForCreate?.(gated, ctx)
    expect(gated.status).toEqual({
      phase: 'Pending',
      qosClass: 'BestEffort',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          lastTransitionTime: '1970-01-01T00:00:00Z',
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ],
    })
  })

  it('selects by the values of its own label keys', () => {
    const constraint = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }
    const spec = { topologySpreadConstraints: [{ ...constraint, labelSelector: {}, matchLabelKeys: ['v', 'w'] }] }
    const spread = pod(spec, undefined, { labels: { v: '1' } })
    pods.strategy.prepareForCreate?.(spread, ctx)
    expect(spread.spec?.topologySpreadConstraints?.[0]?.labelSelector).toEqual({
      matchExpressions: [{ key: 'v', operator: 'In', values: ['1'] }],
    })
  })

  it.each<[string, ResourceRequirements, string]>([
    ['BestEffort', {}, 'asks for nothing'],
    ['Burstable', { requests: { cpu: '1' } }, 'has no limits'],
    ['Burstable', { limits: { cpu: '1' } }, 'limits one thing only'],
    ['Burstable', { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'asks for less than its limit'],
    ['Guaranteed', { limits: { cpu: '1', memory: '1Gi' } }, 'gets all it is limited to'],
    ['BestEffort', { requests: { cpu: '0' } }, 'asks for zero'],
  ])('is %s when it %3$s', (expected, resources) => {
    expect(podQOS(pod(withResources(resources)))).toBe(expected)
  })

  it.each<[number, PodSpec | object, PodStatus | undefined, number | undefined, string]>([
    [0, {}, undefined, 30, 'it runs nowhere'],
    [30, { nodeName: 'n' }, undefined, undefined, 'nothing is said'],
    [5, { nodeName: 'n' }, undefined, 5, 'five are asked for'],
    [1, { nodeName: 'n' }, undefined, -3, 'less than nothing is asked for'],
    [0, { nodeName: 'n' }, { phase: 'Succeeded' }, 30, 'it has finished'],
  ])('gets %d seconds to end when %4$s', (expected, spec, status, requested) => {
    expect(pods.strategy.gracefulDeletion?.(pod(spec, status), requested)).toBe(expected)
  })

  it.each([
    [{ target: { name: 'n' } }, []],
    [{ target: { kind: 'Node', name: '' } }, ['target.name: Required value']],
    [
      { target: { kind: 'Pod', name: 'x' } },
      ['target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'],
    ],
  ])('is bound by %j', (binding, expected) => {
    expect(validatePodBinding(binding).map(formatFieldError)).toEqual(expected)
  })
})

describe('an update of a pod', () => {
  const faults = (now: Partial<PodSpec>, old: Partial<PodSpec> = {}) =>
    (pods.validate?.(pod(now), pod(old), ctx) ?? []).map((error) => formatFieldError(error).split('\n')[0])
  const only =
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
  const selector = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
  const gates = { schedulingGates: [{ name: 'g' }] }
  it.each<[string, Partial<PodSpec>, Partial<PodSpec>, string[]]>([
    ['nothing', {}, {}, []],
    [
      'an image',
      { containers: [{ name: 'c', image: 'web:1', imagePullPolicy: 'Always' }] },
      { containers: [{ name: 'c', image: 'web:2', imagePullPolicy: 'Always' }] },
      [],
    ],
    ['a command', { containers: [{ name: 'c', image: 'web:1', command: ['x'] }] }, {}, [only]],
    [
      'the number of containers',
      { containers: [] },
      {},
      ['spec.containers: Required value', 'spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    ['the deadline, downwards', { activeDeadlineSeconds: 5 }, { activeDeadlineSeconds: 9 }, []],
    [
      'the deadline, upwards',
      { activeDeadlineSeconds: 9 },
      { activeDeadlineSeconds: 5 },
      ['spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value'],
    ],
    [
      'the deadline to none',
      {},
      { activeDeadlineSeconds: 5 },
      ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value'],
    ],
    ['tolerations, by one more', { tolerations: [{ key: 'a', operator: 'Exists' }] }, {}, []],
    [
      'tolerations, by one less',
      {},
      { tolerations: [{ key: 'a', operator: 'Exists' }] },
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    ['gates, by one less', {}, gates, []],
    [
      'gates, by one more',
      gates,
      {},
      ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"],
    ],
    ['where it may run, while gated', { ...gates, nodeSelector: { a: 'b' } }, gates, []],
    [
      'where it may run, more widely',
      gates,
      { ...gates, nodeSelector: { a: 'b' } },
      [`spec.nodeSelector: Invalid value: null: ${selector}`],
    ],
    ['where it may run, once let go', { nodeSelector: { a: 'b' } }, {}, [only]],
  ])('may change %s, or is told why not', (_, now, old, expected) => {
    expect(faults(now, old)).toEqual(expected)
  })

  it('may add debugging containers through their own door, and change none', () => {
    const debug = (...names: string[]) => ({ ephemeralContainers: names.map((name) => ({ name, image: 'sh:1' })) })
    const check = (now: StoredPod, old: StoredPod) =>
      validatePodEphemeralContainersUpdate(now, old).map((error) => formatFieldError(error).split('\n')[0])
    expect(check(pod(debug('x', 'y')), pod(debug('x')))).toEqual([])
    expect(check(pod(debug('c')), pod())).toEqual(['spec.ephemeralContainers[0].name: Duplicate value: "c"'])
    expect(check(pod(), pod(debug('x')))).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "x" may not be removed',
    ])
  })

  const sized = (cpu: string, more: ResourceRequirements = {}) => pod(withResources({ requests: { cpu }, ...more }))
  it.each<[string, StoredPod, StoredPod, string[]]>([
    ['more of what it has', sized('2'), sized('1'), []],
    [
      'nothing of what it had',
      pod(),
      sized('1'),
      [
        'spec: Invalid value: "": Pod QOS Class may not change as a result of resizing',
        'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      ],
    ],
    [
      'disk',
      sized('1', { requests: { cpu: '1', 'ephemeral-storage': '1Gi' } }),
      sized('1'),
      ['spec: Forbidden: only cpu and memory resources are mutable'],
    ],
  ])('may resize to %s, or is told why not', (_, now, old, expected) => {
    expect(validatePodResize(now, old).map(formatFieldError)).toEqual(expected)
  })
})

describe('the reported status', () => {
  const ended: ContainerStatus = {
    name: 'c',
    image: '',
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode: 1 } },
  }
  const running: ContainerStatus = { ...ended, state: { running: {} } }
  it.each<[string, Partial<PodSpec>, PodStatus, PodStatus, string[]]>([
    ['a restart', {}, { containerStatuses: [running] }, { containerStatuses: [ended] }, []],
    [
      'a restart that must not be',
      { restartPolicy: 'Never' },
      { containerStatuses: [running] },
      { containerStatuses: [ended] },
      ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state'],
    ],
    [
      'another class',
      {},
      { qosClass: 'Burstable' },
      { qosClass: 'BestEffort' },
      ['status.qosClass: Invalid value: "Burstable": field is immutable'],
    ],
    [
      'two addresses of one family',
      {},
      { podIPs: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }] },
      {},
      [
        'status.podIPs: Invalid value: [{"ip":"1.1.1.1"},{"ip":"1.1.1.2"}]: may specify no more than one IP for each IP family',
      ],
    ],
    ['both families', {}, { podIPs: [{ ip: '1.1.1.1' }, { ip: 'fd00::1' }] }, {}, []],
    [
      'a nomination though it runs',
      { nodeName: 'n' },
      { nominatedNodeName: 'm' },
      {},
      ['status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node'],
    ],
  ])('may hold %s, or be told why not', (_, spec, now, old, expected) => {
    expect(validatePodStatusUpdate(pod(spec, now), pod(spec, old)).map(formatFieldError)).toEqual(expected)
  })

  it('forgets neither owners, class nor observed generation', () => {
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }
    const old = pod({}, { qosClass: 'BestEffort', observedGeneration: 3 }, { ownerReferences: [owner] })
    const now = pod({}, { phase: 'Running' })
    pods.strategy.prepareForStatusUpdate?.(now, old, ctx)
    expect(now.metadata.ownerReferences).toEqual([owner])
    expect(now.status).toEqual({ phase: 'Running', qosClass: 'BestEffort', observedGeneration: 3 })
  })
})

describe('the line of a pod', () => {
  const row = (spec: Partial<PodSpec>, status: PodStatus, metadata: ObjectMeta = {}, nowMs = 600_000) =>
    (pods.columns ?? []).slice(1, 4).map((column) => column.value(pod(spec, status, metadata), nowMs))
  const container = (part: Partial<ContainerStatus>): ContainerStatus => ({
    ...{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0 },
    ...part,
  })
  const init = { initContainers: [{ name: 'i', image: 'a' }] }
  const sidecar = { initContainers: [{ name: 'i', image: 'a', restartPolicy: 'Always' }] }
  const ready = container({ ready: true, state: { running: {} } })
  it.each<[string, Partial<PodSpec>, PodStatus, ObjectMeta, unknown[]]>([
    ['pending', {}, { phase: 'Pending' }, {}, ['0/1', 'Pending', '0']],
    ['running', {}, { phase: 'Running', containerStatuses: [ready] }, {}, ['1/1', 'Running', '0']],
    [
      'crashing',
      {},
      {
        phase: 'Running',
        containerStatuses: [
          container({
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '1970-01-01T00:05:00Z' } },
          }),
        ],
      },
      {},
      ['0/1', 'CrashLoopBackOff', '3 (5m ago)'],
    ],
    [
      'completed',
      {},
      {
        phase: 'Succeeded',
        containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      },
      {},
      ['0/1', 'Completed', '0'],
    ],
    [
      'killed',
      {},
      { phase: 'Failed', containerStatuses: [container({ state: { terminated: { exitCode: 137, signal: 9 } } })] },
      {},
      ['0/1', 'Signal:9', '0'],
    ],
    [
      'initializing',
      init,
      { phase: 'Pending', initContainerStatuses: [container({ name: 'i', state: { running: {} } })] },
      {},
      ['0/1', 'Init:0/1', '0'],
    ],
    [
      'failing to initialize',
      init,
      { phase: 'Pending', initContainerStatuses: [container({ name: 'i', state: { terminated: { exitCode: 2 } } })] },
      {},
      ['0/1', 'Init:ExitCode:2', '0'],
    ],
    [
      'beside a sidecar',
      sidecar,
      {
        phase: 'Running',
        initContainerStatuses: [
          container({ name: 'i', ready: true, started: true, restartCount: 1, state: { running: {} } }),
        ],
        containerStatuses: [ready],
      },
      {},
      ['2/2', 'Running', '1'],
    ],
    [
      'gated',
      {},
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      {},
      ['0/1', 'SchedulingGated', '0'],
    ],
    [
      'ending',
      {},
      { phase: 'Running', containerStatuses: [ready] },
      { deletionTimestamp: '1970-01-01T00:00:00Z' },
      ['1/1', 'Terminating', '0'],
    ],
    [
      'lost',
      {},
      { phase: 'Running', reason: 'NodeLost' },
      { deletionTimestamp: '1970-01-01T00:00:00Z' },
      ['0/1', 'Unknown', '0'],
    ],
    ['evicted', {}, { phase: 'Failed', reason: 'Evicted' }, {}, ['0/1', 'Evicted', '0']],
  ])('says that it is %s', (_, spec, status, metadata, expected) => {
    expect(row(spec, status, metadata)).toEqual(expected)
  })
})

describe('warnings on a pod', () => {
  it.each<[string, Partial<PodSpec>, string[]]>([
    ['nothing', {}, []],
    [
      'old labels',
      { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
      ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    [
      'variables named twice',
      {
        containers: [
          {
            name: 'c',
            image: 'a',
            env: [
              { name: 'A', value: '1' },
              { name: 'A', value: '2' },
            ],
          },
        ],
      },
      ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
    ],
    [
      'ports defined twice',
      {
        containers: [
          {
            name: 'c',
            image: 'a',
            ports: [
              { containerPort: 80, protocol: 'TCP' },
              { containerPort: 80, protocol: 'TCP' },
            ],
          },
        ],
      },
      ['spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]'],
    ],
    [
      'half a byte',
      withResources({ requests: { memory: '500m' } }),
      ['spec.containers[0].resources.requests[memory]: fractional byte value "500m" is invalid, must be an integer'],
    ],
    [
      'files in files',
      {
        volumes: [
          {
            name: 'v',
            configMap: {
              name: 'm',
              items: [
                { key: 'a', path: 'x' },
                { key: 'b', path: 'x/y' },
              ],
            },
          },
        ],
      },
      ['volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"'],
    ],
    [
      'addresses with zeros',
      { hostAliases: [{ ip: 'FD00::1' }] },
      ['spec.hostAliases[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'],
    ],
  ])('speak of %s', (_, spec, expected) => {
    expect(pods.warnings?.(pod(spec), undefined)).toEqual(expected)
  })
})
