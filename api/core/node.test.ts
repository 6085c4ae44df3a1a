import { describe, expect, it } from 'vitest'
import type { NodeSpec, NodeStatus } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type NodeObject, nodes } from './node.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function node(spec: NodeSpec = {}, status?: NodeStatus, labels: Record<string, string> = {}): NodeObject {
  const made: NodeObject = { metadata: { name: 'n', labels }, spec: { ...spec }, ...(status ? { status } : {}) }
  nodes.defaults?.(made)
  return made
}

const faults = (made: NodeObject, old?: NodeObject) => nodes.validate?.(made, old, ctx).map(formatFieldError)
const info = {
  architecture: 'amd64',
  bootID: '',
  containerRuntimeVersion: 'containerd://2.1',
  kernelVersion: '6.1',
  kubeProxyVersion: '',
  kubeletVersion: 'v1.36.0',
  machineID: '',
  operatingSystem: 'linux',
  osImage: 'Debian',
  systemUUID: '',
}

describe('a node', () => {
  it('has all its capacity to give, unless it says otherwise', () => {
    expect(node({}, { capacity: { cpu: '2' } }).status?.allocatable).toEqual({ cpu: '2' })
    expect(node({}, { capacity: { cpu: '2' }, allocatable: {} }).status?.allocatable).toEqual({})
  })

  it('keeps the old and the new field of its pod range alike; the old one counts', () => {
    expect(node({ podCIDR: '10.0.0.0/24' }).spec.podCIDRs).toEqual(['10.0.0.0/24'])
    expect(node({ podCIDRs: ['10.0.0.0/24', 'fd00::/64'] }).spec.podCIDR).toBe('10.0.0.0/24')
    expect(node({ podCIDR: '10.0.1.0/24', podCIDRs: ['10.0.0.0/24'] }).spec.podCIDRs).toEqual(['10.0.1.0/24'])
  })

  it.each<[string, NodeSpec, NodeStatus, string[]]>([
    [
      'all in order',
      { taints: [{ key: 'a', effect: 'NoSchedule' }], podCIDRs: ['10.0.0.0/24', 'fd00::/64'] },
      { capacity: { cpu: '2', 'a.b/gpu': '1' } },
      [],
    ],
    [
      'an unknown effect',
      { taints: [{ key: 'a', effect: 'Never' }] },
      {},
      [
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      'a taint twice',
      {
        taints: [
          { key: 'a', effect: 'NoSchedule', value: '1' },
          { key: 'a', effect: 'NoSchedule', value: '2' },
        ],
      },
      {},
      [
        'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"2","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
      ],
    ],
    [
      'two ranges of one family',
      { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] },
      {},
      [
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
      ],
    ],
    [
      'negative and broken amounts',
      {},
      { capacity: { cpu: '-1', 'a.b/gpu': '500m' }, allocatable: {} },
      [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.capacity.a.b/gpu: Invalid value: "500m": must be an integer',
      ],
    ],
    [
      'features out of order',
      {},
      { declaredFeatures: ['B', 'A', 'A'] },
      [
        'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
        'status.declaredFeatures[2]: Duplicate value: "A"',
      ],
    ],
  ])('with %s', (_, spec, status, expected) => {
    expect(faults(node(spec, status))).toEqual(expected)
  })

  it.each<[string, NodeSpec, NodeSpec, string[]]>([
    ['getting a range', {}, { podCIDRs: ['10.0.0.0/24'] }, []],
    [
      'changing it',
      { podCIDRs: ['10.0.0.0/24'] },
      { podCIDRs: ['10.0.1.0/24'] },
      ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
    ],
    [
      'changing the provider',
      { providerID: 'a' },
      { providerID: 'b' },
      ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
    ],
    ['changing the external ID', {}, { externalID: 'x' }, ['spec.externalID: Forbidden: may not be updated']],
    ['being cordoned', {}, { unschedulable: true }, []],
  ])('on %s', (_, before, after, expected) => {
    expect(faults(node(after), node(before))).toEqual(expected)
  })

  it('may not report one address twice', () => {
    const address = { type: 'InternalIP', address: '10.0.0.1' }
    const made = node({}, { addresses: [address, address] })
    expect(nodes.validateStatus?.(made, made, ctx).map(formatFieldError)).toEqual([
      'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}',
    ])
  })

  it.each<[string, NodeSpec, NodeStatus | undefined, string]>([
    ['unknown', {}, undefined, 'Unknown'],
    ['ready', {}, { conditions: [{ type: 'Ready', status: 'True' }] }, 'Ready'],
    [
      'not ready and cordoned',
      { unschedulable: true },
      { conditions: [{ type: 'Ready', status: 'Unknown' }] },
      'NotReady,SchedulingDisabled',
    ],
  ])('shows that it is %s', (_, spec, status, expected) => {
    expect(nodes.columns?.[1]?.value(node(spec, status), 0)).toBe(expected)
  })

  it('prints as kubectl shows it', () => {
    const made = node(
      {},
      { nodeInfo: info, addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
      { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'edge', 'node-role.kubernetes.io/': '' },
    )
    expect(nodes.columns?.map(({ value }) => value(made, 0))).toEqual([
      'n',
      'Unknown',
      'edge,worker',
      '<unknown>',
      'v1.36.0',
      '10.0.0.1',
      '<none>',
      'Debian',
      '6.1 (amd64)',
      'containerd://2.1',
    ])
  })
})
