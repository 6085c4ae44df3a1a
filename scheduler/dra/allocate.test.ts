import { describe, expect, it } from 'vitest'
import type { Device, DeviceClaim, DeviceRequest, ExactDeviceRequest } from '../../api/generated/types.ts'
import { deviceWorld } from '../testing/builders.ts'
import { allocated, cel, claim, deviceClass, devices, driver, slice } from '../testing/devices.ts'
import { allocate } from './allocate.ts'
import type { Claim, Slice } from './device-world.ts'

const node = { name: 'a', labels: { zone: 'x' } }
const exactly = (more: Partial<ExactDeviceRequest> = {}, name = 'gpu'): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpus', allocationMode: 'ExactCount', count: 1, ...more },
})
const all = (more: Partial<ExactDeviceRequest> = {}): DeviceRequest => ({
  name: 'gpu',
  exactly: { deviceClassName: 'gpus', allocationMode: 'All', ...more },
})
const requests = (...its: DeviceRequest[]): DeviceClaim => ({ requests: its })
const wants = (...its: (DeviceRequest | DeviceClaim)[]): Claim[] =>
  its.map((each, i) => claim(`c${i}`, 'requests' in each ? each : requests(each as DeviceRequest)))

interface Scene {
  slices: Slice[]
  others?: Claim[]
  classes?: ReturnType<typeof deviceClass>[]
  timeoutMs?: number
}

/** `request=device` for each device of each claim; or why there are none. */
function chosen(
  claims: Claim[],
  { slices, others = [], classes = [deviceClass()], timeoutMs = 0 }: Scene,
): string[] | string {
  try {
    const result = allocate(deviceWorld({ claims: others, classes, slices }), node, claims, timeoutMs)
    if (typeof result === 'string') return result
    return result.map(({ devices: its }) =>
      (its?.results ?? []).map(({ request, device }) => `${request}=${device}`).join(' '),
    )
  } catch (error) {
    return (error as Error).message
  }
}

const model = (name: string, value: string): Device => ({ name, attributes: { model: { string: value } } })
const numa = (name: string, value: number): Device => ({ name, attributes: { [`${driver}/numa`]: { int: value } } })
const four = [slice('a', devices('g', 4))]
const none = 'cannot allocate all claims'

describe('a claim', () => {
  it.each<[string, Claim[], Scene, string[] | string]>([
    ['gets one device', wants(exactly()), { slices: four }, ['gpu=g-0']],
    ['gets as many as it asks for', wants(exactly({ count: 3 })), { slices: four }, ['gpu=g-0 gpu=g-1 gpu=g-2']],
    ['gets none where there are too few', wants(exactly({ count: 5 })), { slices: four }, none],
    [
      'gets what others have left',
      wants(exactly()),
      { slices: four, others: [claim('other', undefined, { allocation: allocated('g-0') })] },
      ['gpu=g-1'],
    ],
    ['gets none of another node', wants(exactly()), { slices: [slice('b', devices('g', 1))] }, none],
    [
      'gets one of all nodes',
      wants(exactly()),
      { slices: [slice(undefined, devices('g', 1), { allNodes: true })] },
      ['gpu=g-0'],
    ],
    [
      "shares none with the pod's other claims",
      wants(exactly({ count: 2 }), exactly()),
      { slices: four },
      ['gpu=g-0 gpu=g-1', 'gpu=g-2'],
    ],
    [
      'is chosen for by request and class alike',
      wants(exactly({ selectors: cel(`device.attributes["${driver}"].model == "big"`) })),
      {
        slices: [slice('a', [model('g-0', 'small'), model('g-1', 'old'), model('g-2', 'big')])],
        classes: [
          deviceClass('gpus', {
            selectors: cel(`device.driver == "${driver}"`, `device.attributes["${driver}"].model != "old"`),
          }),
        ],
      },
      ['gpu=g-2'],
    ],
    [
      'must have a class',
      wants(exactly({ deviceClassName: 'no' })),
      { slices: four },
      'claim default/c0, request gpu: could not retrieve device class no: not found',
    ],
    [
      'must be clear to every device',
      wants(exactly({ selectors: cel('device.attributes["x"].y') })),
      { slices: four },
      'claim default/c0: selector #0: CEL runtime error: No such key: y',
    ],
  ])('%s', (_what, claims, scene, expected) => {
    const result = chosen(claims, scene)
    expect(typeof result === 'string' ? result.split('\n')[0] : result).toEqual(expected)
  })

  it('can have no more devices than can be written into it', () => {
    const many = [slice('a', devices('g', 40))]
    expect(chosen(wants(exactly({ count: 33 })), { slices: many })).toBe(
      'claim default/c0: number of requested devices 33 exceeds the claim limit of 32',
    )
    const first = {
      name: 'a',
      firstAvailable: [
        { name: 'many', deviceClassName: 'gpus', count: 32 },
        { name: 'few', deviceClassName: 'gpus', count: 31 },
      ],
    }
    expect(chosen(wants(requests(first, exactly())), { slices: many })).toEqual([
      expect.stringMatching(/^a\/few=g-0 .* gpu=g-31$/),
    ])
  })
})

describe('all devices', () => {
  it.each<[string, Claim[], Scene, string[] | string]>([
    [
      'are those that match',
      wants(all({ selectors: cel(`device.attributes["${driver}"].model == "big"`) })),
      { slices: [slice('a', [model('g-0', 'big'), model('g-1', 'small'), model('g-2', 'big')])] },
      ['gpu=g-0 gpu=g-2'],
    ],
    ['must be one at least', wants(all()), { slices: [slice('b', devices('g', 1))] }, none],
    [
      'must all be free',
      wants(all()),
      { slices: four, others: [claim('other', undefined, { allocation: allocated('g-3') })] },
      none,
    ],
    [
      'cannot be known while the driver is still writing',
      wants(all()),
      { slices: [slice('a', devices('g', 1), { pool: { name: 'p', generation: 1, resourceSliceCount: 2 } })] },
      `claim default/c0, request gpu: asks for all devices, but resource pool ${driver}/p is currently being updated`,
    ],
    [
      'are taken away from nobody by an administrator',
      wants(all({ adminAccess: true })),
      { slices: four, others: [claim('other', undefined, { allocation: allocated('g-3') })] },
      ['gpu=g-0 gpu=g-1 gpu=g-2 gpu=g-3'],
    ],
  ])('%s', (_what, claims, scene, expected) => {
    expect(chosen(claims, scene)).toEqual(expected)
  })
})

describe('alternatives', () => {
  const either = {
    name: 'gpu',
    firstAvailable: [
      {
        name: 'big',
        deviceClassName: 'gpus',
        count: 1,
        selectors: cel(`device.attributes["${driver}"].model == "big"`),
      },
      {
        name: 'small',
        deviceClassName: 'gpus',
        count: 2,
        selectors: cel(`device.attributes["${driver}"].model == "small"`),
      },
    ],
  }
  const small = [model('s-0', 'small'), model('s-1', 'small')]
  it('are tried in their order', () => {
    expect(chosen(wants(either), { slices: [slice('a', [...small, model('b-0', 'big')])] })).toEqual(['gpu/big=b-0'])
    expect(chosen(wants(either), { slices: [slice('a', small)] })).toEqual(['gpu/small=s-0 gpu/small=s-1'])
    expect(chosen(wants(either), { slices: [slice('a', small.slice(1))] })).toBe(none)
  })

  it('make room for what comes later', () => {
    const onlyBig = exactly({ selectors: cel(`device.attributes["${driver}"].model == "big"`) }, 'other')
    const scene = { slices: [slice('a', [...small, model('b-0', 'big')])] }
    expect(chosen(wants(requests(either, onlyBig)), scene)).toEqual(['gpu/small=s-0 gpu/small=s-1 other=b-0'])
  })
})

describe('a constraint', () => {
  const pairs = [slice('a', [numa('g-0', 0), numa('g-1', 1), numa('g-2', 1), { name: 'g-3' }])]
  const match = (its: string[] = []) => ({ constraints: [{ matchAttribute: `${driver}/numa`, requests: its }] })
  it('has all devices alike, and none that does not say', () => {
    expect(chosen(wants({ ...requests(exactly({ count: 2 })), ...match() }), { slices: pairs })).toEqual([
      'gpu=g-1 gpu=g-2',
    ])
    expect(chosen(wants({ ...requests(exactly({ count: 3 })), ...match() }), { slices: pairs })).toBe(none)
  })

  it('is about the requests that it names', () => {
    const three = requests(exactly({}, 'a'), exactly({}, 'b'), exactly({}, 'c'))
    expect(chosen(wants({ ...three, ...match(['b', 'c']) }), { slices: pairs })).toEqual(['a=g-0 b=g-1 c=g-2'])
  })

  it('finds attributes of the driver by their short name', () => {
    const short = [slice('a', [{ name: 'g-0', attributes: { numa: { int: 1 } } }, numa('g-1', 1)])]
    expect(chosen(wants({ ...requests(exactly({ count: 2 })), ...match() }), { slices: short })).toEqual([
      'gpu=g-0 gpu=g-1',
    ])
  })

  it('of a kind that is not known keeps the claim from getting anything', () => {
    const unknown = { ...requests(exactly()), constraints: [{ distinctAttribute: `${driver}/numa` }] }
    expect(chosen(wants(unknown), { slices: pairs })).toBe(
      'claim default/c0, constraint #0: empty constraint (unsupported constraint type?)',
    )
  })
})

describe('a pool', () => {
  const part = (name: string, generation: number, resourceSliceCount: number, on: string | undefined = 'a') =>
    slice(on, devices(name, 1), { name, pool: { name: 'p', generation, resourceSliceCount } })
  it.each<[string, Slice[], string[] | string]>([
    ['gives nothing while parts of it are missing', [part('g', 1, 2)], none],
    ['is whole with parts for other nodes', [part('g', 1, 2), part('h', 1, 2, 'b')], ['gpu=g-0']],
    [
      'of several parts on the node is all of them, in the order of their names',
      [part('h', 1, 2), part('g', 1, 2)],
      ['gpu=g-0 gpu=h-0'],
    ],
    ['is what its driver wrote last, wherever that is listed', [part('new', 2, 1), part('old', 1, 1)], ['gpu=new-0']],
    ['is complete without parts of older versions', [part('g', 2, 1), part('old', 1, 1, 'b')], ['gpu=g-0']],
    [
      'whose devices say themselves where they are waits for that to be stable',
      [slice(undefined, devices('g', 1), { allNodes: true, perDeviceNodeSelection: true })],
      none,
    ],
    [
      'that shares counters waits for that to be stable',
      [slice(undefined, devices('g', 1), { allNodes: true, sharedCounters: [{ name: 'c', counters: {} }] })],
      none,
    ],
    [
      'whose devices wait for conditions waits for that to be stable',
      [slice('a', devices('g', 1, { bindingConditions: ['ready'] }))],
      none,
    ],
    ['is what its driver wrote last', [part('old', 1, 1), part('new', 2, 1)], ['gpu=new-0']],
    ['gives nothing that its driver has replaced elsewhere', [part('old', 1, 2), part('new', 2, 1, 'b')], none],
    [
      'with a name twice gives nothing',
      [slice('a', [...devices('g', 1), ...devices('g', 1)])],
      'invalid resource pools were encountered',
    ],
    [
      'of some nodes is theirs',
      [
        slice(undefined, devices('g', 1), {
          nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] }] },
        }),
      ],
      ['gpu=g-0'],
    ],
    [
      'of other nodes is not',
      [
        slice(undefined, devices('g', 1), {
          nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['y'] }] }] },
        }),
      ],
      none,
    ],
    [
      'whose devices share counters waits for that to be stable',
      [slice('a', devices('g', 1, { consumesCounters: [{ counterSet: 's', counters: { c: { value: '1' } } }] }))],
      none,
    ],
  ])('%s', (_what, slices, expected) => {
    // As many as there are.
    const count = Array.isArray(expected) ? (expected[0]?.split(' ').length ?? 0) : 1
    expect(chosen(wants(exactly({ count })), { slices })).toEqual(expected)
  })
})

describe('a tainted device', () => {
  const tainted = (effect: string) => [
    slice('a', devices('g', 1, { taints: [{ key: 'sick', value: 'very', effect }] })),
  ]
  it.each([
    ['is for nobody', 'NoSchedule', {}, none],
    ['is for those who tolerate it', 'NoExecute', { tolerations: [{ key: 'sick', operator: 'Exists' }] }, ['gpu=g-0']],
    [
      'is not for those who tolerate another value',
      'NoSchedule',
      { tolerations: [{ key: 'sick', operator: 'Equal', value: 'bit' }] },
      none,
    ],
    ['is for those who tolerate everything', 'NoSchedule', { tolerations: [{ operator: 'Exists' }] }, ['gpu=g-0']],
    [
      'is for those who tolerate its value',
      'NoSchedule',
      { tolerations: [{ key: 'sick', operator: 'Equal', value: 'very', effect: 'NoSchedule' }] },
      ['gpu=g-0'],
    ],
    [
      'is not for those who tolerate another effect',
      'NoSchedule',
      { tolerations: [{ key: 'sick', operator: 'Exists', effect: 'NoExecute' }] },
      none,
    ],
    [
      'is not for those who tolerate another key',
      'NoSchedule',
      { tolerations: [{ key: 'old', operator: 'Exists' }] },
      none,
    ],
    ['is for all if the taint says nothing', 'None', {}, ['gpu=g-0']],
  ])('%s (%s)', (_what, effect, more, expected) => {
    expect(chosen(wants(exactly(more)), { slices: tainted(effect) })).toEqual(expected)
  })
})

it('a search that would never end is given up', () => {
  const odd = [
    slice(
      'a',
      Array.from({ length: 32 }, (_, i) => numa(`g-${i}`, i % 16)),
    ),
  ]
  const ten = Array.from({ length: 20 }, (_, i) => exactly({}, `r${i}`))
  const pairs = Array.from({ length: 10 }, (_, i) => ({
    matchAttribute: `${driver}/numa`,
    requests: [`r${2 * i}`, `r${(2 * i + 3) % 20}`],
  }))
  const result = chosen(
    wants({ ...requests(...ten), constraints: [...pairs, { matchAttribute: `${driver}/nope`, requests: ['r19'] }] }),
    { slices: odd, timeoutMs: 20 },
  )
  expect(result).toBe('timed out trying to allocate devices')
})

describe('what is written into a claim', () => {
  const inZone = (key: string) => ({
    nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: ['x'] }] }] },
  })
  const reach = (...slices: Slice[]) => {
    const all = { ...node, labels: { zone: 'x', rack: 'x' } }
    const result = allocate(
      deviceWorld({ classes: [deviceClass()], slices }),
      all,
      wants(exactly({ count: slices.length })),
      0,
    )
    return typeof result === 'string' ? result : result[0]?.nodeSelector
  }
  const pool = (name: string) => ({ pool: { name, generation: 1, resourceSliceCount: 1 } })
  const shared = (name: string, key: string) => slice(undefined, devices(name, 1), { ...pool(name), ...inZone(key) })
  it('is nothing about nodes where all can reach its devices', () => {
    expect(reach(slice(undefined, devices('g', 1), { allNodes: true }))).toBeUndefined()
  })

  it('is what is asked of nodes by all of its devices, each once', () => {
    const term = (...keys: string[]) => ({
      nodeSelectorTerms: [{ matchExpressions: keys.map((key) => ({ key, operator: 'In', values: ['x'] })) }],
    })
    expect(reach(shared('g', 'zone'), shared('h', 'rack'), shared('i', 'zone'))).toEqual(term('zone', 'rack'))
  })

  it('leaves out what drivers are told about alternatives that were not needed', () => {
    const firstAvailable = ['big', 'small'].map((name) => ({ name, deviceClassName: 'gpus', count: 1 }))
    const about = (...of: string[]) => ({ opaque: { driver, parameters: { of } }, requests: of })
    const [asked] = wants({
      requests: [{ name: 'gpu', firstAvailable }],
      config: [about('gpu/small'), about('gpu/big'), about('gpu/small', 'gpu')],
    })
    const result = allocate(deviceWorld({ classes: [deviceClass()], slices: four }), node, [asked as Claim], 0)
    expect(typeof result === 'string' ? result : result[0]?.devices?.config?.map(({ requests: of }) => of)).toEqual([
      ['gpu/big'],
      ['gpu/small', 'gpu'],
    ])
  })

  it('says what drivers are told, and on which nodes its devices are', () => {
    const told = (value: string) => ({ opaque: { driver, parameters: { value } } })
    const [asked] = wants({
      ...requests(exactly({ tolerations: [{ operator: 'Exists' }] }), exactly({ adminAccess: true }, 'watch')),
      config: [{ ...told('mine'), requests: ['gpu'] }, told('all')],
    })
    const classes = [deviceClass('gpus', { config: [told('class')] })]
    expect(allocate(deviceWorld({ classes, slices: four }), node, [asked as Claim], 0)).toEqual([
      {
        devices: {
          results: [
            { request: 'gpu', driver, pool: 'a', device: 'g-0', tolerations: [{ operator: 'Exists' }] },
            { request: 'watch', driver, pool: 'a', device: 'g-1', adminAccess: true },
          ],
          config: [
            { source: 'FromClass', requests: ['gpu', 'watch'], ...told('class') },
            { source: 'FromClaim', requests: ['gpu'], ...told('mine') },
            { source: 'FromClaim', ...told('all') },
          ],
        },
        nodeSelector: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
        },
      },
    ])
  })
})
