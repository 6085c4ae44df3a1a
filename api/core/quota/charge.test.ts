import { describe, expect, test } from 'vitest'
import type { ResourceQuotaSpec } from '../../generated/types.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { chargeQuota } from './charge.ts'
import type { QuotaWrite } from './evaluator.ts'
import { kindsCounted, quotaEvaluator } from './evaluators.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

interface Case {
  /** `pods`, `apps/deployments`; with a subresource: `pods/resize`. */
  of: string
  object: object
  old?: object
  hard: Record<string, string>
  used?: Record<string, string>
  spec?: ResourceQuotaSpec
}

function charge({ of, object, old, hard, used, spec = {} }: Case) {
  const [kind = '', subresource = ''] = of.startsWith('pods/') || of.includes('/status') ? of.split('/') : [of]
  const [group = '', plural = ''] = kind.includes('/') ? kind.split('/') : ['', kind]
  const evaluator = quotaEvaluator(group, plural)
  if (!evaluator) return 'not counted'
  const write: QuotaWrite = {
    operation: old ? 'UPDATE' : 'CREATE',
    subresource,
    object: object as AnyObject,
    ...(old ? { old: old as AnyObject } : {}),
  }
  if (!evaluator.handles(write)) return 'not handled'
  const zero = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']))
  const quota = { metadata: { name: 'q' }, spec: { hard, ...spec }, status: { hard, used: { ...zero, ...used } } }
  const result = chargeQuota(quota, evaluator, write, nowMs)
  return result.do === 'use' ? result.used : result.do === 'refuse' ? result.why : 'nothing'
}

const pod = (requests: object = {}, limits: object = {}, more: object = {}) => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', resources: { requests, limits } }], ...more },
})
const claim = (storage: string, more: object = {}, status: object = {}) => ({
  metadata: { name: 'c' },
  spec: { resources: { requests: { storage } }, ...more },
  status,
})

describe('what an object uses of a quota', () => {
  test.each<[string, Case, Record<string, string> | string]>([
    [
      'a pod, under every name',
      {
        of: 'pods',
        object: pod(
          { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '1Gi', 'example.com/gpu': '2' },
          { cpu: '1', memory: '2Gi' },
        ),
        hard: {
          pods: '2',
          'count/pods': '9',
          cpu: '1',
          'requests.cpu': '1',
          'limits.cpu': '2',
          memory: '2Gi',
          'requests.ephemeral-storage': '5Gi',
          'requests.example.com/gpu': '3',
          'requests.other.com/gpu': '3',
        },
        used: { pods: '1', 'requests.cpu': '250m' },
      },
      {
        pods: '2',
        'count/pods': '1',
        cpu: '500m',
        'requests.cpu': '750m',
        'limits.cpu': '1',
        memory: '1Gi',
        'requests.ephemeral-storage': '1Gi',
        'requests.example.com/gpu': '2',
        'requests.other.com/gpu': '0',
      },
    ],
    [
      'a pod at its dearest moment, with its overhead',
      {
        of: 'pods',
        object: pod(
          { cpu: '100m' },
          {},
          {
            initContainers: [
              { name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '50m' } } },
              { name: 'i', resources: { requests: { cpu: '1' } } },
            ],
            overhead: { cpu: '10m' },
          },
        ),
        hard: { 'requests.cpu': '2' },
      },
      { 'requests.cpu': '1060m' },
    ],
    [
      'a pod that asks as a whole',
      {
        of: 'pods',
        object: { metadata: {}, spec: { containers: [{ name: 'c' }], resources: { requests: { cpu: '3' } } } },
        hard: { 'requests.cpu': '3', 'limits.memory': '1Gi' },
      },
      { 'requests.cpu': '3', 'limits.memory': '0' },
    ],
    [
      'a claim, of all classes and of its own',
      {
        of: 'persistentvolumeclaims',
        object: claim('1.5', { storageClassName: 'gold' }),
        hard: {
          persistentvolumeclaims: '1',
          'requests.storage': '5Gi',
          'gold.storageclass.storage.k8s.io/requests.storage': '3Gi',
          'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
          'iron.storageclass.storage.k8s.io/requests.storage': '1Gi',
        },
      },
      {
        persistentvolumeclaims: '1',
        'requests.storage': '2',
        'gold.storageclass.storage.k8s.io/requests.storage': '2',
        'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
        'iron.storageclass.storage.k8s.io/requests.storage': '0',
      },
    ],
    [
      'a load balancer that takes node ports',
      {
        of: 'services',
        object: { metadata: {}, spec: { type: 'LoadBalancer', ports: [{ port: 1 }, { port: 2 }] } },
        hard: { services: '1', 'services.nodeports': '2', 'services.loadbalancers': '1' },
      },
      { services: '1', 'services.nodeports': '2', 'services.loadbalancers': '1' },
    ],
    [
      'a load balancer that takes none but what it names',
      {
        of: 'services',
        object: {
          metadata: {},
          spec: {
            type: 'LoadBalancer',
            allocateLoadBalancerNodePorts: false,
            ports: [{ port: 1, nodePort: 31_000 }, { port: 2 }],
          },
        },
        hard: { 'services.nodeports': '5' },
      },
      { 'services.nodeports': '1' },
    ],
    [
      'a claim of devices, the dearest of its choices',
      {
        of: 'resource.k8s.io/resourceclaims',
        object: {
          metadata: {},
          spec: {
            devices: {
              requests: [
                { name: 'a', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
                {
                  name: 'b',
                  firstAvailable: [
                    { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 3 },
                    { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
                    { deviceClassName: 'nic', allocationMode: 'All' },
                  ],
                },
              ],
            },
          },
        },
        hard: {
          'gpu.deviceclass.resource.k8s.io/devices': '5',
          'nic.deviceclass.resource.k8s.io/devices': '64',
          'count/resourceclaims.resource.k8s.io': '1',
        },
      },
      {
        'gpu.deviceclass.resource.k8s.io/devices': '5',
        'nic.deviceclass.resource.k8s.io/devices': '32',
        'count/resourceclaims.resource.k8s.io': '1',
      },
    ],
    [
      'a secret, under its older name too',
      { of: 'secrets', object: { metadata: {} }, hard: { secrets: '1', 'count/secrets': '2' } },
      { secrets: '1', 'count/secrets': '1' },
    ],
    [
      'an object of any kind',
      { of: 'example.com/widgets', object: { metadata: {} }, hard: { 'count/widgets.example.com': '1' } },
      { 'count/widgets.example.com': '1' },
    ],
    ['an event', { of: 'events', object: { metadata: {} }, hard: { 'count/events': '1' } }, 'not counted'],
    ['a kind that nothing limits', { of: 'secrets', object: { metadata: {} }, hard: { pods: '0' } }, 'nothing'],
  ])('%s', (_, given, expected) => {
    expect(charge(given)).toEqual(expected)
  })
})

describe('a refusal', () => {
  test.each<[string, Case, string]>([
    [
      'says what was asked for, used and allowed',
      {
        of: 'pods',
        object: pod({ cpu: '600m', memory: '1Gi' }),
        hard: { pods: '5', 'requests.cpu': '1', 'requests.memory': '2Gi' },
        used: { 'requests.cpu': '500m' },
      },
      'exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1',
    ],
    [
      'names all that is exceeded',
      { of: 'secrets', object: { metadata: {} }, hard: { secrets: '0', 'count/secrets': '0' } },
      'exceeded quota: q, requested: count/secrets=1,secrets=1, used: count/secrets=0,secrets=0, limited: count/secrets=0,secrets=0',
    ],
    [
      'names the containers that ask for nothing',
      {
        of: 'pods',
        object: {
          metadata: {},
          spec: {
            containers: [{ name: 'b' }, { name: 'a', resources: { limits: { cpu: '1' } } }],
            initContainers: [{ name: 'i' }],
          },
        },
        hard: { 'limits.cpu': '1', 'requests.memory': '1', pods: '1' },
      },
      'failed quota: q: must specify limits.cpu for: b,i; requests.memory for: a,b,i',
    ],
  ])('%s', (_, given, expected) => {
    expect(charge(given)).toBe(expected)
  })

  test('is the answer as long as nobody has counted what is used', () => {
    const evaluator = quotaEvaluator('', 'secrets')
    if (!evaluator) throw new Error('secrets are not counted')
    const quota = { metadata: { name: 'q' }, status: { hard: { secrets: '1' } } }
    const write: QuotaWrite = { operation: 'CREATE', subresource: '', object: { metadata: {} } }
    expect(chargeQuota(quota, evaluator, write, nowMs)).toEqual({
      do: 'refuse',
      why: 'status unknown for quota: q, resources: secrets',
    })
  })
})

describe('an update', () => {
  test.each<[string, Case, Record<string, string> | string]>([
    [
      'of a service to a load balancer uses what is new',
      {
        of: 'services',
        object: { metadata: {}, spec: { type: 'LoadBalancer', ports: [{ port: 1 }] } },
        old: { metadata: {}, spec: { type: 'NodePort', ports: [{ port: 1 }] } },
        hard: { services: '1', 'services.nodeports': '1', 'services.loadbalancers': '1' },
        used: { services: '1', 'services.nodeports': '1' },
      },
      { services: '1', 'services.nodeports': '1', 'services.loadbalancers': '1' },
    ],
    [
      'that gives back is not counted here',
      {
        of: 'persistentvolumeclaims',
        object: claim('1Gi'),
        old: claim('2Gi'),
        hard: { 'requests.storage': '2Gi' },
        used: { 'requests.storage': '2Gi' },
      },
      'nothing',
    ],
    [
      'in place needs what the pod grows by',
      {
        of: 'pods/resize',
        object: pod({ cpu: '2' }),
        old: pod({ cpu: '1' }),
        hard: { 'requests.cpu': '2' },
        used: { 'requests.cpu': '1500m' },
      },
      'exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=1500m, limited: requests.cpu=2',
    ],
    [
      'of what a volume was given is counted, even beyond the limit',
      {
        of: 'persistentvolumeclaims/status',
        object: claim('1Gi', {}, { allocatedResources: { storage: '3Gi' } }),
        old: claim('1Gi'),
        hard: { 'requests.storage': '2Gi' },
        used: { 'requests.storage': '1Gi' },
      },
      { 'requests.storage': '3Gi' },
    ],
    [
      'that gives a pod a deadline moves it into another scope',
      {
        of: 'pods',
        object: pod({}, {}, { activeDeadlineSeconds: 5 }),
        old: pod(),
        hard: { pods: '1' },
        spec: { scopes: ['Terminating'] },
      },
      { pods: '1' },
    ],
    [
      'of anything else of a pod is free',
      { of: 'pods', object: pod(), old: pod({ cpu: '1' }), hard: { pods: '0' } },
      'not handled',
    ],
  ])('%s', (_, given, expected) => {
    expect(charge(given)).toEqual(expected)
  })
})

describe('a quota with scopes', () => {
  const high = pod({ cpu: '1' }, {}, { priorityClassName: 'high' })
  const affine = (term: object) =>
    pod(
      {},
      {},
      {
        affinity: {
          podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] },
        },
      },
    )
  const select = (operator: string, ...values: string[]): ResourceQuotaSpec => ({
    scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator, values }] },
  })
  const attributes = (operator: string, ...values: string[]): ResourceQuotaSpec => ({
    scopeSelector: { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator, values }] },
  })
  test.each<[string, object, ResourceQuotaSpec, boolean]>([
    ['Terminating', pod({}, {}, { activeDeadlineSeconds: 0 }), { scopes: ['Terminating'] }, true],
    ['Terminating', pod(), { scopes: ['Terminating'] }, false],
    ['NotTerminating', pod(), { scopes: ['NotTerminating'] }, true],
    ['BestEffort', pod(), { scopes: ['BestEffort'] }, true],
    ['BestEffort', high, { scopes: ['BestEffort'] }, false],
    ['NotBestEffort', high, { scopes: ['NotBestEffort'] }, true],
    ['all of several', high, { scopes: ['NotBestEffort', 'Terminating'] }, false],
    ['PriorityClass In', high, select('In', 'high', 'low'), true],
    ['PriorityClass In', pod(), select('In', 'high'), false],
    ['PriorityClass NotIn', pod(), select('NotIn', 'high'), true],
    ['PriorityClass NotIn', high, select('NotIn', 'high'), false],
    ['PriorityClass Exists', high, select('Exists'), true],
    ['PriorityClass DoesNotExist', high, select('DoesNotExist'), false],
    ['PriorityClass as a plain scope', pod(), { scopes: ['PriorityClass'] }, false],
    [
      'CrossNamespacePodAffinity',
      affine({ topologyKey: 'z', namespaces: ['x'] }),
      { scopes: ['CrossNamespacePodAffinity'] },
      true,
    ],
    [
      'CrossNamespacePodAffinity',
      affine({ topologyKey: 'z', namespaceSelector: {} }),
      { scopes: ['CrossNamespacePodAffinity'] },
      true,
    ],
    ['CrossNamespacePodAffinity', affine({ topologyKey: 'z' }), { scopes: ['CrossNamespacePodAffinity'] }, false],
  ])('%s', (_, object, spec, counted) => {
    expect(charge({ of: 'pods', object, hard: { pods: '1' }, spec })).toEqual(counted ? { pods: '1' } : 'nothing')
  })

  test.each<[string, object, ResourceQuotaSpec, boolean]>([
    ['the class it wants', claim('1', { volumeAttributesClassName: 'fast' }), attributes('In', 'fast'), true],
    ['the class it has', claim('1', {}, { currentVolumeAttributesClassName: 'fast' }), attributes('In', 'fast'), true],
    ['no class', claim('1'), attributes('Exists'), false],
  ])('VolumeAttributesClass counts a claim by %s', (_, object, spec, counted) => {
    const hard = { persistentvolumeclaims: '1' }
    expect(charge({ of: 'persistentvolumeclaims', object, hard, spec })).toEqual(
      counted ? { persistentvolumeclaims: '1' } : 'nothing',
    )
  })
})

test('an ended pod uses nothing but its number', () => {
  const evaluator = quotaEvaluator('', 'pods')
  const ended = { ...pod({ cpu: '1' }), status: { phase: 'Succeeded' } }
  expect(evaluator?.usage(ended, nowMs)).toEqual({ 'count/pods': '1' })
  const overdue = {
    ...pod({ cpu: '1' }),
    metadata: { deletionTimestamp: '2025-12-31T23:59:00Z', deletionGracePeriodSeconds: 30 },
  }
  expect(evaluator?.usage(overdue, nowMs)).toEqual({ 'count/pods': '1' })
})

test('a pod that is being resized uses the most of what it has and what it wants', () => {
  const evaluator = quotaEvaluator('', 'pods')
  const shrinking = {
    ...pod({ cpu: '1' }),
    status: { containerStatuses: [{ name: 'c', resources: { requests: { cpu: '2' } } }] },
  }
  expect(evaluator?.usage(shrinking, nowMs)).toMatchObject({ 'requests.cpu': '2' })
})

test('the kinds that a quota needs counted follow from the names it limits', () => {
  expect(kindsCounted(['requests.cpu', 'count/widgets.example.com', 'count/jobs.batch', 'secrets']).sort()).toEqual([
    ['', 'pods'],
    ['', 'secrets'],
    ['batch', 'jobs'],
    ['example.com', 'widgets'],
  ])
})
