import { describe, expect, it } from 'vitest'
import { cells, defaulted, faults, testContext } from '../machinery/kind-testing.ts'
import { resourceSlices } from './index.ts'
import { device, slice } from './testing.ts'

const told = (spec: object, old?: object) => faults(resourceSlices, slice(spec), old && slice(old))
const ofDevice = (more: object, old?: object) => told({ devices: [device(more)] }, old && { devices: [device(old)] })
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const entries = (count: number, value: object, prefix = 'a') =>
  Object.fromEntries(times(count, (i) => [`${prefix}${i}`, value]))
/** As much of each as is expected. */
const starts = (found: string[], expected: string[]) => found.map((fault, i) => fault.slice(0, expected[i]?.length))
const d0 = 'spec.devices[0]'
const terms = (...its: object[]) => ({ nodeSelector: { nodeSelectorTerms: its } })
const zone = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] }

describe('a slice', () => {
  it.each<[string, object, string[]]>([
    ['of a driver that has no name', { driver: '-' }, ['spec.driver: Invalid value: "-": ']],
    ['of the first of its pool', { pool: { name: 'p', generation: 0, resourceSliceCount: 1 } }, []],
    [
      'without pool',
      { pool: undefined },
      ['spec.pool.name: Required value', 'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero'],
    ],
    ['of all nodes', { nodeName: undefined, allNodes: true }, []],
    [
      'not of all nodes',
      { allNodes: false },
      ['spec.allNodes: Invalid value: false: must be either unset or set to true'],
    ],
    ['of some nodes', { nodeName: undefined, ...terms(zone) }, []],
    [
      'of nodes by two terms',
      { nodeName: undefined, ...terms(zone, zone) },
      ['spec.nodeSelector.nodeSelectorTerms: Invalid value: '],
    ],
    [
      'of nodes by what selects none',
      { nodeName: undefined, ...terms({ matchExpressions: [{ key: 'zone', operator: 'Like' }] }) },
      ['spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Like": '],
    ],
    [
      'of some nodes and of all',
      { nodeName: undefined, allNodes: true, ...terms(zone) },
      ['spec: Invalid value: "{`nodeSelector`, `allNodes`}": exactly one of'],
    ],
    [
      'of a node without name',
      { nodeName: '' },
      [
        'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
        'spec: Required value: exactly one of',
      ],
    ],
    ['of what is no node', { nodeName: '-' }, ['spec.nodeName: Invalid value: "-": ']],
    [
      'whose devices do not say where they are',
      { perDeviceNodeSelection: false },
      ['spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to true'],
    ],
    [
      'of devices and counters',
      { sharedCounters: [{ name: 'c', counters: { m: { value: '1' } } }] },
      ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
    ],
    [
      'of counters without name',
      { devices: undefined, sharedCounters: [{ name: '', counters: { M: { value: '1' } } }] },
      ['spec.sharedCounters[0].name: Required value', 'spec.sharedCounters[0].counters: Invalid value: "M": '],
    ],
    [
      'of counters of a bad name',
      { devices: undefined, sharedCounters: [{ name: 'C', counters: { m: { value: '1' } } }] },
      ['spec.sharedCounters[0].name: Invalid value: "C": '],
    ],
    [
      'of counters twice',
      { devices: undefined, sharedCounters: times(2, () => ({ name: 'c', counters: { m: { value: '1' } } })) },
      ['spec.sharedCounters[1]: Duplicate value: "c"'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(starts(told(spec), expected)).toEqual(expected)
  })

  it('stays of its driver and of its pool, which may grow', () => {
    const pool = { name: 'q', generation: 1, resourceSliceCount: 1 }
    expect(told({ driver: 'e.example.com', pool }, {})).toEqual([
      'spec.pool.name: Invalid value: "q": field is immutable',
      'spec.driver: Invalid value: "e.example.com": field is immutable',
    ])
    expect(told({ pool: { ...pool, name: 'p', generation: 2 } }, {})).toEqual([])
  })

  const named = (more: object) => (i: number) => device({ name: `g${i}`, ...(i === 0 ? more : {}) })
  it.each<[string, number, string, (count: number) => object]>([
    ['devices', 128, 'spec.devices', (count) => ({ devices: times(count, named({})) })],
    [
      'devices where one is tainted',
      64,
      'spec.devices',
      (count) => ({ devices: times(count, named({ taints: [{ key: 'a', effect: 'None' }] })) }),
    ],
    [
      'devices where one shares counters',
      64,
      'spec.devices',
      (count) => ({
        devices: times(count, named({ consumesCounters: [{ counterSet: 'c', counters: { m: { value: '1' } } }] })),
      }),
    ],
    [
      'devices where one has lists of values',
      64,
      'spec.devices',
      (count) => ({ devices: times(count, named({ attributes: { a: { versions: ['1.0.0'] } } })) }),
    ],
    [
      'sets of counters',
      8,
      'spec.sharedCounters',
      (count) => ({
        devices: undefined,
        sharedCounters: times(count, (i) => ({ name: `c${i}`, counters: { m: { value: '1' } } })),
      }),
    ],
    [
      'counters in a set',
      32,
      'spec.sharedCounters[0].counters',
      (count) => ({ devices: undefined, sharedCounters: [{ name: 'c', counters: entries(count, { value: '1' }) }] }),
    ],
    [
      'taints of a device',
      16,
      `${d0}.taints`,
      (count) => ({ devices: [device({ taints: times(count, (i) => ({ key: `a${i}`, effect: 'None' })) })] }),
    ],
    [
      'sets of counters for a device',
      2,
      `${d0}.consumesCounters`,
      (count) => ({
        devices: [
          device({
            consumesCounters: times(count, (i) => ({ counterSet: `c${i}`, counters: { m: { value: '1' } } })),
          }),
        ],
      }),
    ],
  ])('holds so many %s: %i', (_, most, path, spec) => {
    expect(told(spec(most))).toEqual([])
    expect(told(spec(most + 1))).toEqual([`${path}: Too many: ${most + 1}: must have at most ${most} items`])
  })

  it('warns of a driver in capitals, and shows where it is', () => {
    const warnings = (driver: string) =>
      resourceSlices.warnings?.(defaulted(resourceSlices, slice({ driver })), undefined)
    expect(warnings('d.example.com')).toEqual([])
    expect(warnings('D.example.com')).toEqual([
      'spec.driver: driver names should be lowercase; "D.example.com" contains uppercase characters',
    ])
    expect(cells(resourceSlices, slice())).toMatchObject({ Node: 'n', Driver: 'd.example.com', Pool: 'p' })
  })
})

describe('a device', () => {
  const per = (more: object) => told({ nodeName: undefined, perDeviceNodeSelection: true, devices: [device(more)] })
  const ofPlace = 'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection`'
  it.each<[string, object, string[]]>([
    ['that is on a node', { nodeName: 'n' }, []],
    ['that is nowhere', {}, [`${d0}: Required value: ${ofPlace}`]],
    [
      'that is on no node',
      { nodeName: '' },
      [`${d0}.nodeName: Invalid value: "": must not be empty`, `${d0}: Required`],
    ],
    [
      'that is in two places',
      { nodeName: 'n', allNodes: true },
      [`${d0}: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${ofPlace}`],
    ],
  ])('%s, where each says so itself', (_, more, expected) => {
    expect(starts(per(more), expected)).toEqual(expected)
  })

  const misplaced = [`${d0}: Invalid value: null: \`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if`]
  const attribute = (value: object) => ({ attributes: { a: value } })
  const consumes = (...sets: object[]) => ({ consumesCounters: sets })
  const counters = { m: { value: '1' } }
  it.each<[string, object, string[]]>([
    ['with a bad name', { name: 'G' }, [`${d0}.name: Invalid value: "G": `]],
    ['of some nodes of its own', terms(zone), misplaced],
    ['of all nodes of its own', { allNodes: true }, misplaced],
    ['with as much as it can have', { attributes: entries(16, { int: 1 }), capacity: entries(16, { value: '1' }) }, []],
    [
      'with more',
      { attributes: entries(16, { int: 1 }), capacity: entries(17, { value: '1' }) },
      [`${d0}: Invalid value: 33: the total number of attributes and capacities must not exceed 32`],
    ],
    ['with as many values as it can have', { attributes: { a: { ints: times(47, (i) => i) }, b: { int: 1 } } }, []],
    [
      'with more values',
      { attributes: { a: { ints: times(48, (i) => i) }, b: { int: 1 } } },
      [`${d0}: Invalid value: 49: the total number of attribute values must not exceed 48`],
    ],
    [
      'with attributes and capacities of bad names',
      { attributes: { 'a-b': { int: 1 } }, capacity: { 'c-d': { value: '1' } } },
      [`${d0}.attributes: Invalid value: "a-b": `, `${d0}.capacity: Invalid value: "c-d": `],
    ],
    ['with an attribute of a domain', { attributes: { 'd.example.com/a': { int: 1 } } }, []],
    ['with a text', attribute({ string: 'é'.repeat(32) }), []],
    [
      'with too long a text',
      attribute({ string: 'a'.repeat(65) }),
      [`${d0}.attributes[a].string: Too long: may not be more than 64 bytes`],
    ],
    ['with a version', attribute({ version: '1.2.3-a.1+b' }), []],
    [
      'with versions',
      attribute({ versions: ['1.2.3', '1.2'] }),
      [`${d0}.attributes[a].versions[1]: Invalid value: "1.2"`],
    ],
    ['with texts', attribute({ strings: ['1.2', 'a'.repeat(65)] }), [`${d0}.attributes[a].strings[1]: Too long`]],
    ['with numbers', attribute({ ints: [1, 2] }), []],
    [
      'with a list of nothing',
      attribute({ bools: [] }),
      [`${d0}.attributes[a].bools: Invalid value: []: must not be empty if specified`],
    ],
    [
      'with an attribute of nothing',
      attribute({}),
      [`${d0}.attributes[a]: Invalid value: "": exactly one value must be specified`],
    ],
    ['with a taint', { taints: [{ key: 'a', value: 'b', effect: 'NoExecute' }] }, []],
    [
      'with a taint of bad parts',
      { taints: [{ key: '-', value: '-', effect: 'Some' }] },
      [
        `${d0}.taints[0].key: Invalid value: "-": `,
        `${d0}.taints[0].value: Invalid value: "-": `,
        `${d0}.taints[0].effect: Unsupported value: "Some": supported values: "NoExecute", "NoSchedule", "None"`,
      ],
    ],
    ['that shares counters', consumes({ counterSet: 'c', counters }, { counterSet: 'd', counters }), []],
    [
      'that shares counters twice',
      consumes({ counterSet: 'c', counters }, { counterSet: 'c', counters }),
      [`${d0}.consumesCounters[1]: Duplicate value: "c"`],
    ],
    [
      'that shares no counters',
      consumes({ counters }, { counterSet: 'C' }),
      [
        `${d0}.consumesCounters[0].counterSet: Required value`,
        `${d0}.consumesCounters[1].counterSet: Invalid value: "C": `,
        `${d0}.consumesCounters[1].counters: Required value`,
      ],
    ],
    [
      'that waits for one condition only',
      { bindingConditions: ['a'] },
      [`${d0}.bindingFailureConditions: Invalid value: null: `],
    ],
    [
      'that counts as memory',
      { capacity: { m: { value: '1' } }, nodeAllocatableResourceMappings: { memory: { capacityKey: 'm' } } },
      [],
    ],
    [
      'that counts as what nodes have not',
      { nodeAllocatableResourceMappings: { 'example.com/gpu': { allocationMultiplier: '1' } } },
      [
        `${d0}.nodeAllocatableResourceMappings[example.com/gpu]: Invalid value: "example.com/gpu": must be a node allocatable resource name`,
      ],
    ],
    [
      'that counts as no memory',
      { nodeAllocatableResourceMappings: { memory: { allocationMultiplier: '0' } } },
      [`${d0}.nodeAllocatableResourceMappings[memory].allocationMultiplier: Invalid value: "0": must be positive`],
    ],
    [
      'that counts as memory by a capacity that it has not',
      { nodeAllocatableResourceMappings: { memory: { capacityKey: 'm' } } },
      [`${d0}.nodeAllocatableResourceMappings[memory].capacityKey: Not found: "m"`],
    ],
    [
      'that counts as memory by a capacity without name',
      { nodeAllocatableResourceMappings: { memory: { capacityKey: '' } } },
      [
        `${d0}.nodeAllocatableResourceMappings[memory].capacityKey: Invalid value: "": capacityKey must not be an empty string`,
      ],
    ],
  ])('%s', (_, more, expected) => {
    expect(starts(ofDevice(more), expected)).toEqual(expected)
  })

  it('keeps the taints that it has when the rules have changed', () => {
    const taints = [{ key: '-', effect: 'None' }]
    expect(ofDevice({ taints }, { taints })).toEqual([])
    expect(ofDevice({ taints }, {})).toHaveLength(1)
  })

  it('gets no field that is not stable yet, but keeps it where the slice has such already', () => {
    const lists = {
      attributes: { a: { bools: [true] }, b: { ints: [1] }, c: { strings: ['x'] }, d: { versions: ['1.0.0'] } },
    }
    const mappings = { nodeAllocatableResourceMappings: { memory: { allocationMultiplier: '1' } } }
    const written = (old?: object) => {
      const next = defaulted(resourceSlices, slice({ devices: [device({ ...lists, ...mappings })] }))
      if (old) {
        const before = defaulted(resourceSlices, slice({ devices: [device({ name: 'other' }), device(old)] }))
        resourceSlices.strategy.prepareForUpdate?.(next, before, testContext)
      } else resourceSlices.strategy.prepareForCreate?.(next, testContext)
      return next.spec?.devices?.[0]
    }
    const bare = { attributes: { a: {}, b: {}, c: {}, d: {} } }
    expect(written()).toEqual(device(bare))
    expect(written({})).toEqual(device(bare))
    expect(written(mappings)).toEqual(device({ ...bare, ...mappings }))
    for (const [name, value] of Object.entries(lists.attributes)) {
      expect(written({ attributes: { [name]: value } })).toEqual(device(lists))
    }
  })

  it('counts once for each of its capacity unless it says how often', () => {
    const mapped = slice({ devices: [device({ nodeAllocatableResourceMappings: { memory: { capacityKey: 'm' } } })] })
    expect(defaulted(resourceSlices, mapped).spec?.devices?.[0]?.nodeAllocatableResourceMappings).toEqual({
      memory: { capacityKey: 'm', allocationMultiplier: '1' },
    })
  })
})

describe('how much one may ask of a device that several may have', () => {
  const path = `${d0}.capacity[m].requestPolicy`
  const asking = (requestPolicy: object | undefined) =>
    ofDevice({
      allowMultipleAllocations: true,
      capacity: { m: { value: '10', ...(requestPolicy ? { requestPolicy } : {}) } },
    })
  const range = (validRange: object, byDefault = '4') => ({ default: byDefault, validRange })
  it.each<[string, object | undefined, string[]]>([
    ['nothing', undefined, []],
    ['nothing more', { default: '1' }, []],
    ['one of some values', { default: '5', validValues: ['1', '5', '10'] }, []],
    ['one of as many values as there may be', { default: '10', validValues: times(10, (i) => `${i + 1}`) }, []],
    [
      'one of more values',
      { default: '1', validValues: [...times(10, (i) => `${i + 1}`), '10'] },
      [
        `${path}.validValues: Too many: 11: must have at most 10 items`,
        `${path}.validValues: Invalid value: "1": default value is not valid according to the requestPolicy`,
      ],
    ],
    ['one value twice', { default: '1', validValues: ['1', '1'] }, [`${path}.validValues[1]: Duplicate value: "1"`]],
    [
      'both of values and in a range',
      { default: '1', validValues: ['1'], validRange: { min: '1' } },
      [
        `${path}: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time`,
      ],
    ],
    [
      'values without default',
      { validValues: ['1'] },
      [`${path}.default: Required value: required when validValues is defined`],
    ],
    [
      'a range without default',
      { validRange: { min: '1' } },
      [`${path}.default: Required value: required when validRange is defined`],
    ],
    ['at the least', range({ min: '4' }), []],
    ['at the most', range({ min: '4', max: '4' }), []],
    ['all of it', range({ min: '10', max: '10' }, '10'), []],
    ['in steps', range({ min: '1', max: '10', step: '3' }), []],
    ['in one step to the end', range({ min: '4', step: '6' }), []],
    [
      'without least',
      range({ max: '4' }),
      [`${path}.validRange.min: Required value: required when validRange is defined`],
    ],
    [
      'at the least more than there is',
      range({ min: '11' }, '11'),
      [`${path}.validRange.min: Invalid value: "11": min is larger than capacity value: 10`],
    ],
    [
      'at the least more than the default',
      range({ min: '5' }),
      [`${path}.validRange.min: Invalid value: "4": default is less than min: 5`],
    ],
    [
      'at the most less than at the least',
      range({ min: '4', max: '3' }),
      [
        `${path}.validRange.max: Invalid value: "4": min is larger than max: 3`,
        `${path}.validRange.max: Invalid value: "4": default is more than max: 3`,
      ],
    ],
    [
      'at the most more than there is',
      range({ min: '4', max: '11' }),
      [`${path}.validRange.max: Invalid value: "11": max is larger than capacity value: 10`],
    ],
    [
      'in steps that are too long',
      range({ min: '4', step: '7' }),
      [`${path}.validRange.step: Invalid value: "7": one step 11 is larger than capacity value: 10`],
    ],
    [
      'in steps that miss the end',
      range({ min: '1', max: '9', step: '3' }),
      [`${path}.validRange.step: Invalid value: "9": value is not a multiple of a given step (3) from (1)`],
    ],
  ])('%s', (_, policy, expected) => {
    expect(asking(policy)).toEqual(expected)
  })

  it('does not matter where there is no policy', () => {
    expect(ofDevice({ capacity: { m: { value: '10' } } })).toEqual([])
  })
})

it('a name that is too long is shown without its middle', () => {
  const long = `${'a'.repeat(60)}/${'b'.repeat(60)}`
  const [, fault] = ofDevice({ attributes: { [long]: {} } }).slice(-2)
  expect(fault).toBe(
    `${d0}.attributes[${'a'.repeat(47)}...${'b'.repeat(46)}]: Invalid value: "": exactly one value must be specified`,
  )
})
