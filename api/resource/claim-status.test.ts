import { describe, expect, it } from 'vitest'
import { cells, statusFaults, testContext } from '../machinery/kind-testing.ts'
import { resourceClaims } from './index.ts'

const driver = 'd.example.com'
const result = { request: 'gpu', driver, pool: 'p', device: 'g0' }
const its = { driver, pool: 'p', device: 'g0' }
const claim = (status: object = {}, metadata: object = {}) => ({
  metadata: { name: 'c', namespace: 'n', ...metadata },
  spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpus' } }] } },
  status,
})
const allocation = { devices: { results: [result] } }
const told = (status: object, old: object = {}) => statusFaults(resourceClaims, claim(status), claim(old))
const ofResult = (more: object) => told({ allocation: { devices: { results: [{ ...result, ...more }] } } })
const ofDevice = (more: object) => told({ allocation, devices: [{ ...its, ...more }] })
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
/** As much of each as is expected. */
const starts = (found: string[], expected: string[]) => found.map((fault, i) => fault.slice(0, expected[i]?.length))

describe('what a claim is given', () => {
  const at = 'status.allocation.devices.results[0]'
  it.each<[string, object, string[]]>([
    ['of a driver that has no name', { driver: '-' }, [`${at}.driver: Invalid value: "-": `]],
    ['of a pool without name', { pool: '' }, [`${at}.pool: Required value`]],
    ['of a pool in a pool', { pool: 'a/b.c' }, []],
    ['of a pool whose name has an empty part', { pool: 'a//b' }, [`${at}.pool: Invalid value: "": `]],
    ['of a pool with a name of 253 bytes', { pool: times(127, () => 'a').join('/') }, []],
    [
      'of a pool with too long a name',
      { pool: times(128, () => 'a').join('/') },
      [`${at}.pool: Too long: may not be more than 253 bytes`],
    ],
    ['of a device that has no name', { device: 'G' }, [`${at}.device: Invalid value: "G": `]],
    ['with a share', { shareID: '123e4567-e89b-12d3-a456-426614174000' }, []],
    [
      'with a share written otherwise',
      { shareID: '123E4567-E89B-12D3-A456-426614174000' },
      [`${at}.shareID: Invalid value: "123E4567-E89B-12D3-A456-426614174000": uid must be in RFC 4122 normalized form`],
    ],
    [
      'with a share that is none',
      { shareID: 'mine' },
      [`${at}.shareID: Invalid value: "mine": error validating uid: invalid UUID length: 4`],
    ],
    ['when conditions are met', { bindingConditions: ['a', 'b'], bindingFailureConditions: ['c'] }, []],
    [
      'when conditions fail that nobody waits for',
      { bindingFailureConditions: ['a'] },
      [`${at}.bindingConditions: Invalid value: null: bindingConditions are required to use bindingFailureConditions`],
    ],
    [
      'when a condition is met and fails',
      { bindingConditions: ['a'], bindingFailureConditions: ['b', 'a'] },
      [
        `${at}.bindingFailureConditions[1]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions`,
      ],
    ],
    [
      'when conditions are met that are said twice',
      { bindingConditions: ['a', 'a'], bindingFailureConditions: ['b', 'b'] },
      [`${at}.bindingConditions[1]: Duplicate value: "a"`, `${at}.bindingFailureConditions[1]: Duplicate value: "b"`],
    ],
    [
      'when conditions are met that are none',
      { bindingConditions: ['-'], bindingFailureConditions: ['!'] },
      [`${at}.bindingConditions[0]: Invalid value: "-": `, `${at}.bindingFailureConditions[0]: Invalid value: "!": `],
    ],
  ])('is a device %s', (_, more, expected) => {
    expect(starts(ofResult(more), expected)).toEqual(expected)
  })

  it('is told to drivers by those who may', () => {
    const config = { source: 'FromClass', requests: ['gpu'], opaque: { driver, parameters: {} } }
    const of = (...configs: object[]) => told({ allocation: { devices: { results: [result], config: configs } } })
    const path = 'status.allocation.devices.config'
    expect(of(config, { ...config, source: 'FromClaim' })).toEqual([])
    expect(of({ ...config, source: 'FromMe' }, { ...config, source: '' })).toEqual([
      `${path}[0].source: Unsupported value: "FromMe": supported values: "FromClaim", "FromClass"`,
      `${path}[1].source: Required value`,
    ])
    expect(of({ source: 'FromClaim' })).toEqual([`${path}[0].opaque: Required value`])
    const long = { driver, parameters: { a: 'x'.repeat(20_000) } }
    expect(of({ ...config, opaque: long })).toHaveLength(1)
    expect(of(...times(64, () => config))).toEqual([])
    expect(of(...times(65, () => config))).toEqual([`${path}: Too many: 65: must have at most 64 items`])
  })

  it('is on nodes that can be told', () => {
    const nodeSelector = { nodeSelectorTerms: [] }
    expect(told({ allocation: { ...allocation, nodeSelector } })).toEqual([
      'status.allocation.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term',
    ])
  })
})

describe('what is said of a device', () => {
  const at = 'status.devices[0]'
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Warm',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  it.each<[string, object, string[]]>([
    ['nothing', {}, []],
    [
      'by a driver, of a pool and a device without names',
      { driver: '-', pool: '', device: 'G' },
      [
        `${at}.driver: Invalid value: "-": `,
        `${at}.pool: Required value`,
        `${at}.device: Invalid value: "G": `,
        `${at}: Invalid value: "-//G": must be an allocated device in the claim`,
      ],
    ],
    [
      'of a share that is none',
      { shareID: 'mine' },
      [
        `${at}.shareID: Invalid value: "mine": `,
        `${at}: Invalid value: "d.example.com/p/g0/mine": must be an allocated`,
      ],
    ],
    ['conditions', { conditions: [condition] }, []],
    [
      'a condition of what is no type',
      { conditions: [{ ...condition, type: '-' }] },
      [`${at}.conditions[0].type: Invalid value: "-": `],
    ],
    ['anything', { data: { a: 1 } }, []],
    ['no object', { data: 'a' }, [`${at}.data: Invalid value: "<value omitted>": must be a valid JSON object`]],
    ['as much as there is room for', { data: { a: 'x'.repeat(10_240 - 8) } }, []],
    ['more', { data: { a: 'x'.repeat(10_240 - 7) } }, [`${at}.data: Too long: may not be more than 10240 bytes`]],
    [
      'its place in the network',
      {
        networkData: {
          interfaceName: 'é'.repeat(128),
          hardwareAddress: 'é'.repeat(64),
          ips: ['10.0.0.1/32', '::1/128'],
        },
      },
      [],
    ],
    [
      'too much of its place in the network',
      { networkData: { interfaceName: 'a'.repeat(257), hardwareAddress: 'a'.repeat(129) } },
      [
        `${at}.networkData.interfaceName: Too long: may not be more than 256 bytes`,
        `${at}.networkData.hardwareAddress: Too long: may not be more than 128 bytes`,
      ],
    ],
    [
      'an address twice',
      { networkData: { ips: ['10.0.0.1/8', '10.0.0.1/8'] } },
      [`${at}.networkData.ips[1]: Duplicate value: "10.0.0.1/8"`],
    ],
    ...['10.0.0.1/33', '::1/129', '10.0.0.1/x', '10.0.0.1/8/8', 'x/8'].map((ip): [string, object, string[]] => [
      `the address ${ip}`,
      { networkData: { ips: [ip] } },
      [`${at}.networkData.ips[0]: Invalid value: "${ip}": must be a valid address in CIDR form`],
    ]),
  ])('%s', (_, more, expected) => {
    expect(starts(ofDevice(more), expected)).toEqual(expected)
  })

  it('goes with the device, and stays with those that stay', () => {
    const other = { ...its, device: 'g1' }
    const results = [result, { ...result, device: 'g1' }]
    const next = claim({ allocation, devices: [its, other] })
    const old = claim({ allocation: { devices: { results } }, devices: [its, other] })
    resourceClaims.strategy.prepareForStatusUpdate?.(next, old, testContext)
    expect(next.status).toEqual({ allocation, devices: [its] })
    const silent = claim({ allocation })
    resourceClaims.strategy.prepareForStatusUpdate?.(silent, old, testContext)
    expect(silent.status).toEqual({ allocation })
  })
})

describe('the status of a claim can hold', () => {
  const user = (i: number) => ({ resource: 'pods', name: `p${i}`, uid: `${i}` })
  const condition = (i: number) => ({
    type: `C${i}`,
    status: 'True',
    reason: 'Warm',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
  it.each<[string, number, string, (count: number) => string[]]>([
    ['users', 256, 'status.reservedFor', (count) => told({ allocation, reservedFor: times(count, user) })],
    [
      'devices',
      32,
      'status.allocation.devices.results',
      (count) => told({ allocation: { devices: { results: times(count, (i) => ({ ...result, device: `g${i}` })) } } }),
    ],
    [
      'conditions of a device',
      8,
      'status.devices[0].conditions',
      (count) => ofDevice({ conditions: times(count, condition) }),
    ],
    [
      'addresses of a device',
      16,
      'status.devices[0].networkData.ips',
      (count) => ofDevice({ networkData: { ips: times(count, (i) => `10.0.0.${i}/8`) } }),
    ],
    [
      'conditions before a device is used',
      4,
      'status.allocation.devices.results[0].bindingConditions',
      (count) => ofResult({ bindingConditions: times(count, (i) => `a${i}`), bindingFailureConditions: ['b'] }),
    ],
  ])('so many %s: %i', (_, most, path, toldOf) => {
    expect(toldOf(most)).toEqual([])
    expect(toldOf(most + 1)).toEqual([`${path}: Too many: ${most + 1}: must have at most ${most} items`])
  })

  it('each user once', () => {
    expect(told({ allocation, reservedFor: [user(1), user(1)] })).toEqual([
      'status.reservedFor[1]: Duplicate value: "1"',
    ])
  })
})

it('a claim is shown as what it is', () => {
  const state = (status: object, metadata: object = {}) => cells(resourceClaims, claim(status, metadata)).State
  expect(state({ allocation })).toBe('allocated')
  expect(state({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })).toBe('deleted')
})
