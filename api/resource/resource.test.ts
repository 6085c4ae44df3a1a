import { describe, expect, it } from 'vitest'
import { useCompilers } from '../machinery/compilers.ts'
import { cells, defaulted, faults, statusFaults, testContext } from '../machinery/kind-testing.ts'
import { adminAccessPath, deviceClasses, resourceClaims, resourceClaimTemplates, resourceSlices } from './index.ts'
import { device, slice } from './testing.ts'

const exactly = (more: object = {}) => ({ name: 'gpu', exactly: { deviceClassName: 'gpus', ...more } })
const devices = (...requests: object[]) => ({ requests })
const claim = (claimDevices: object = devices(exactly()), status?: object, metadata: object = {}) => ({
  metadata: { name: 'c', namespace: 'n', ...metadata },
  spec: { devices: claimDevices },
  ...(status ? { status } : {}),
})
const request0 = 'spec.devices.requests[0]'

describe('claims', () => {
  it('ask for one device by default', () => {
    expect(
      defaulted(
        resourceClaims,
        claim(devices(exactly(), { name: 'b', firstAvailable: [{ name: 'x', deviceClassName: 'y' }] })),
      ).spec,
    ).toMatchObject({
      devices: {
        requests: [
          { exactly: { allocationMode: 'ExactCount', count: 1 } },
          { firstAvailable: [{ allocationMode: 'ExactCount', count: 1 }] },
        ],
      },
    })
  })

  it.each([
    ['sound', devices(exactly()), []],
    ['with a name twice', devices(exactly(), exactly()), ['spec.devices.requests[1]: Duplicate value: "gpu"']],
    [
      'of nothing',
      devices({ name: 'gpu' }),
      [`${request0}: Required value: exactly one of \`exactly\` or \`firstAvailable\` is required`],
    ],
    [
      'without class',
      devices(exactly({ deviceClassName: '' })),
      [`${request0}.exactly.deviceClassName: Required value`],
    ],
    [
      'for all of a number',
      devices(exactly({ allocationMode: 'All', count: 2 })),
      [`${request0}.exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'`],
    ],
    [
      'in an unknown mode',
      devices(exactly({ allocationMode: 'Some' })),
      [`${request0}.exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"`],
    ],
    [
      'that tolerates oddly',
      devices(exactly({ tolerations: [{ operator: 'Equals', effect: 'X' }] })),
      [
        `${request0}.exactly.tolerations[0].operator: Unsupported value: "Equals": supported values: "Equal", "Exists"`,
        `${request0}.exactly.tolerations[0].effect: Unsupported value: "X": supported values: "NoExecute", "NoSchedule", "None"`,
      ],
    ],
    [
      'with too many requests',
      devices(...Array.from({ length: 33 }, (_, i) => ({ ...exactly(), name: `g${i}` }))),
      ['spec.devices.requests: Too many: 33: must have at most 32 items'],
    ],
    [
      'constrained by an attribute',
      { ...devices(exactly()), constraints: [{ requests: ['gpu'], matchAttribute: 'd.example.com/numa' }] },
      [],
    ],
    [
      'constrained by a bare name',
      { ...devices(exactly()), constraints: [{ matchAttribute: 'numa' }] },
      [
        'spec.devices.constraints[0].matchAttribute: Invalid value: "numa": a fully qualified name must be a domain and a name separated by a slash',
      ],
    ],
    [
      'about a request that is not there',
      { ...devices(exactly()), constraints: [{ requests: ['cpu'], matchAttribute: 'd.example.com/numa' }] },
      [
        'spec.devices.constraints[0].requests[0]: Invalid value: "cpu": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
      ],
    ],
    [
      'with parameters for nobody',
      { ...devices(exactly()), config: [{ opaque: { parameters: 'x' } }] },
      [
        'spec.devices.config[0].opaque.driver: Required value',
        'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(resourceClaims, claim(spec))).toEqual(expected)
  })

  it('do not change', () => {
    expect(faults(resourceClaims, claim(devices(exactly({ count: 2 }))), claim())).toEqual([
      expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/),
    ])
  })

  it('tell where they want to be administrators', () => {
    expect(adminAccessPath(devices(exactly(), exactly({ adminAccess: true })) as never)).toBe(
      'spec.devices.requests[1].adminAccess',
    )
    expect(adminAccessPath(devices(exactly({ adminAccess: true })) as never)).toBe(
      'spec.devices.requests[0].adminAccess',
    )
    expect(adminAccessPath(devices(exactly()) as never)).toBeUndefined()
  })

  it('have selectors compiled', () => {
    useCompilers({
      expression: (expression, use) => (use === 'deviceSelector' && expression === 'bad' ? 'what?' : undefined),
    })
    expect(
      faults(resourceClaims, claim(devices(exactly({ selectors: [{ cel: { expression: 'bad' } }, {}] })))),
    ).toEqual([
      `${request0}.exactly.selectors[0].cel.expression: Invalid value: "bad": what?`,
      `${request0}.exactly.selectors[1].cel: Required value`,
    ])
    useCompilers({})
  })
})

describe('the status of a claim', () => {
  const result = { request: 'gpu', driver: 'd.example.com', pool: 'p', device: 'g0' }
  const allocation = { devices: { results: [result] } }
  const consumer = { resource: 'pods', name: 'a', uid: '1' }
  it.each([
    ['an allocation', { allocation, reservedFor: [consumer] }, []],
    [
      'a reservation of nothing',
      { reservedFor: [consumer] },
      ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
    ],
    [
      'a consumer without name',
      { allocation, reservedFor: [{ resource: 'pods', uid: '1' }] },
      ['status.reservedFor[0].name: Required value'],
    ],
    [
      'a result for no request',
      { allocation: { devices: { results: [{ ...result, request: 'x' }] } } },
      [
        'status.allocation.devices.results[0].request: Invalid value: "x": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
      ],
    ],
    [
      'the state of a device of somebody else',
      { devices: [{ driver: 'd.example.com', pool: 'p', device: 'g1' }] },
      ['status.devices[0]: Invalid value: "d.example.com/p/g1": must be an allocated device in the claim'],
    ],
    [
      'an address that is none',
      {
        allocation,
        devices: [{ driver: 'd.example.com', pool: 'p', device: 'g0', networkData: { ips: ['10.0.0.1'] } }],
      },
      [
        'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
      ],
    ],
    [
      'conditions to bind on, half said',
      { allocation: { devices: { results: [{ ...result, bindingConditions: ['ready'] }] } } },
      [
        'status.allocation.devices.results[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions',
      ],
    ],
  ])('%s', (_, status, expected) => {
    expect(statusFaults(resourceClaims, claim(undefined, status), claim())).toEqual(expected)
  })

  it('an allocation stays as it is until it goes', () => {
    const other = { devices: { results: [{ ...result, device: 'g1' }] } }
    expect(
      statusFaults(resourceClaims, claim(undefined, { allocation: other }), claim(undefined, { allocation })),
    ).toHaveLength(1)
    expect(statusFaults(resourceClaims, claim(undefined, {}), claim(undefined, { allocation }))).toEqual([])
  })

  it('a claim on its way out takes no more consumers', () => {
    const leaving = { deletionTimestamp: '2024-01-02T03:04:05Z' }
    const one = claim(undefined, { allocation, reservedFor: [consumer] }, leaving)
    const two = claim(undefined, { allocation, reservedFor: [consumer, { ...consumer, uid: '2' }] }, leaving)
    expect(statusFaults(resourceClaims, two, one)).toEqual([
      'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
    ])
    expect(statusFaults(resourceClaims, one, one)).toEqual([])
    expect(cells(resourceClaims, one)).toMatchObject({ State: 'deleted,allocated,reserved' })
    expect(cells(resourceClaims, claim())).toMatchObject({ State: 'pending' })
  })

  it('a device that is taken away takes its state along', () => {
    const devicesOf = [{ driver: 'd.example.com', pool: 'p', device: 'g0' }]
    const next = claim(undefined, { devices: devicesOf })
    resourceClaims.strategy.prepareForStatusUpdate?.(
      next,
      claim(undefined, { allocation, devices: devicesOf }),
      testContext,
    )
    expect(next.status).toEqual({})
  })
})

it('templates hand on labels and annotations, and do not change', () => {
  const template = (metadata: object, spec = devices(exactly())) => ({
    metadata: { name: 't', namespace: 'n' },
    spec: { metadata, spec: { devices: spec } },
  })
  expect(faults(resourceClaimTemplates, template({ labels: { a: 'b' } }))).toEqual([])
  expect(faults(resourceClaimTemplates, template({ name: 'x' }))).toEqual([
    'spec.metadata.name: Forbidden: cannot be set',
  ])
  expect(faults(resourceClaimTemplates, template({ labels: { a: 'b' } }), template({}))).toHaveLength(1)
})

it('classes name extended resources', () => {
  const deviceClass = (extendedResourceName: string) => ({ metadata: { name: 'c' }, spec: { extendedResourceName } })
  expect(faults(deviceClasses, deviceClass('example.com/gpu'))).toEqual([])
  expect(faults(deviceClasses, deviceClass('cpu'))).toEqual([
    'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
  ])
})

describe('slices', () => {
  const d0 = 'spec.devices[0]'
  const capacity = (requestPolicy: object) => ({
    allowMultipleAllocations: true,
    capacity: { memory: { value: '10Gi', requestPolicy } },
  })
  const policy = `${d0}.capacity[memory].requestPolicy`
  it.each([
    ['sound', {}, []],
    [
      'nowhere',
      { nodeName: undefined },
      [
        'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
      ],
    ],
    [
      'in two places',
      { allNodes: true },
      [
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ],
    ],
    [
      'of no pool',
      { pool: { name: '', generation: -1, resourceSliceCount: 0 } },
      [
        'spec.pool.name: Required value',
        'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
        'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      ],
    ],
    ['with a device twice', { devices: [device(), device()] }, ['spec.devices[1]: Duplicate value: "g0"']],
    [
      'with too many devices',
      { devices: Array.from({ length: 129 }, (_, i) => device({ name: `g${i}` })) },
      ['spec.devices: Too many: 129: must have at most 128 items'],
    ],
    [
      'with an attribute of two values',
      { devices: [device({ attributes: { a: { int: 1, bool: true } } })] },
      [`${d0}.attributes[a]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified`],
    ],
    [
      'with a version that is none',
      { devices: [device({ attributes: { a: { version: '1.2' } } })] },
      [`${d0}.attributes[a].version: Invalid value: "1.2": must be a string compatible with semver.org spec 2.0.0`],
    ],
    [
      'with a taint without effect',
      { devices: [device({ taints: [{ key: 'a' }] })] },
      [`${d0}.taints[0].effect: Required value`],
    ],
    [
      'with a place of a device',
      { devices: [device({ nodeName: 'm' })] },
      [
        `${d0}: Invalid value: null: \`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if \`perDeviceNodeSelection\` is set to true in the ResourceSlice spec`,
      ],
    ],
    [
      'with a policy for one',
      { devices: [device({ ...capacity({}), allowMultipleAllocations: false })] },
      [`${policy}: Forbidden: allowMultipleAllocations must be true`],
    ],
    ['with a range', { devices: [device(capacity({ default: '2Gi', validRange: { min: '1Gi', step: '1Gi' } }))] }, []],
    [
      'with a default out of step',
      { devices: [device(capacity({ default: '1500Mi', validRange: { min: '1Gi', step: '1Gi' } }))] },
      [`${policy}.validRange.step: Invalid value: "1500Mi": value is not a multiple of a given step (1Gi) from (1Gi)`],
    ],
    [
      'with values out of order',
      { devices: [device(capacity({ default: '1Gi', validValues: ['2Gi', '1Gi'] }))] },
      [`${policy}.validValues[1]: Invalid value: "1Gi": values must be sorted in ascending order`],
    ],
    [
      'with a default that is no value',
      { devices: [device(capacity({ default: '3Gi', validValues: ['1Gi', '20Gi'] }))] },
      [
        `${policy}.validValues[1]: Invalid value: "20Gi": option is larger than capacity value: 10Gi`,
        `${policy}.validValues: Invalid value: "3Gi": default value is not valid according to the requestPolicy`,
      ],
    ],
    ['of counters alone', { devices: undefined, sharedCounters: [{ name: 'c', counters: { m: { value: '1' } } }] }, []],
    [
      'of empty counters',
      { devices: undefined, sharedCounters: [{ name: 'c', counters: {} }] },
      ['spec.sharedCounters[0].counters: Required value'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(resourceSlices, slice(spec))).toEqual(expected)
  })

  it('stay where and whose they are', () => {
    expect(faults(resourceSlices, slice({ nodeName: 'm' }), slice())).toEqual([
      'spec.nodeName: Invalid value: "m": field is immutable',
    ])
  })

  it('get the time of their taints, and are found by node and driver', () => {
    const object = defaulted(
      resourceSlices,
      slice({ devices: [device({ taints: [{ key: 'a', effect: 'NoSchedule' }], attributes: { a: { ints: [1] } } })] }),
    )
    resourceSlices.strategy.prepareForCreate?.(object, testContext)
    expect(object.spec).toMatchObject({
      devices: [{ taints: [{ timeAdded: '2026-01-02T03:04:05Z' }], attributes: { a: {} } }],
    })
    expect(
      Object.fromEntries(
        Object.entries(resourceSlices.selectableFields ?? {}).map(([field, select]) => [field, select(object)]),
      ),
    ).toEqual({
      'spec.nodeName': 'n',
      'spec.driver': 'd.example.com',
    })
  })
})
