import { afterEach, describe, expect, it } from 'vitest'
import { tooComplex, useCompilers } from '../machinery/compilers.ts'
import { defaulted, faults } from '../machinery/kind-testing.ts'
import { deviceClasses, resourceClaims, resourceClaimTemplates } from './index.ts'

const exactly = (more: object = {}, name = 'gpu') => ({ name, exactly: { deviceClassName: 'gpus', ...more } })
const either = (...alternatives: object[]) => ({
  name: 'gpu',
  firstAvailable: alternatives.map((alternative) => ({ deviceClassName: 'gpus', ...alternative })),
})
const claim = (requests: object[], more: object = {}) => ({
  metadata: { name: 'c', namespace: 'n' },
  spec: { devices: { requests, ...more } },
})
const told = (requests: object[], more: object = {}) => faults(resourceClaims, claim(requests, more))
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const request0 = 'spec.devices.requests[0]'
const notARequest =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

describe('a request', () => {
  it.each<[string, object, string[]]>([
    [
      'of both kinds',
      { ...exactly(), ...either({ name: 'a' }) },
      [
        `${request0}: Invalid value: null: exactly one of \`exactly\` or \`firstAvailable\` is required, but multiple fields are set`,
      ],
    ],
    ['of one kind, the other empty', { ...exactly(), firstAvailable: [] }, []],
    [
      'without name',
      { exactly: { deviceClassName: 'gpus' } },
      [`${request0}.name: Invalid value: "": a lowercase RFC 1123 label must consist of`],
    ],
    ['with alternatives', either({ name: 'a' }, { name: 'b' }), []],
    [
      'with an alternative twice',
      either({ name: 'a' }, { name: 'a' }),
      [`${request0}.firstAvailable[1]: Duplicate value: "a"`],
    ],
    [
      'with an alternative of a bad name and of no class',
      either({ name: 'A', deviceClassName: '' }),
      [
        `${request0}.firstAvailable[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of`,
        `${request0}.firstAvailable[0].deviceClassName: Required value`,
      ],
    ],
    [
      'for fewer than one',
      exactly({ count: -1 }),
      [`${request0}.exactly.count: Invalid value: -1: must be greater than zero`],
    ],
    [
      'of a class that has no name',
      exactly({ deviceClassName: 'G_' }),
      [`${request0}.exactly.deviceClassName: Invalid value: "G_": a lowercase RFC 1123 subdomain must consist of`],
    ],
    ['for all', exactly({ allocationMode: 'All' }), []],
    ['that tolerates all taints', exactly({ tolerations: [{ operator: 'Exists' }] }), []],
    [
      'that tolerates an effect',
      exactly({ tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute' }] }),
      [],
    ],
    [
      'that tolerates by no operator',
      exactly({ tolerations: [{ key: 'a', effect: 'NoSchedule' }] }),
      [`${request0}.exactly.tolerations[0].operator: Required value`],
    ],
    [
      'that tolerates what is there, with a value',
      exactly({ tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] }),
      [`${request0}.exactly.tolerations[0].value: Invalid value: "b": must be empty for operator \`Exists\``],
    ],
    [
      'that tolerates what no taint can say',
      exactly({ tolerations: [{ key: '-', operator: 'Equal', value: '-' }] }),
      [
        `${request0}.exactly.tolerations[0].key: Invalid value: "-": name part must consist of`,
        `${request0}.exactly.tolerations[0].value: Invalid value: "-": a valid label must be an empty string or consist of`,
      ],
    ],
  ])('%s', (_, request, expected) => {
    expect(told([request]).map((fault, i) => fault.slice(0, expected[i]?.length))).toEqual(expected)
  })

  it('is made for one device only where it counts them', () => {
    expect(defaulted(resourceClaims, claim([exactly({ allocationMode: 'All' })])).spec).toEqual({
      devices: { requests: [exactly({ allocationMode: 'All' })] },
    })
    const both = { ...exactly(), ...either({ name: 'a' }) }
    expect(defaulted(resourceClaims, claim([both])).spec).toMatchObject({
      devices: { requests: [{ exactly: { count: 1 }, firstAvailable: [{ count: 1 }] }] },
    })
    const template = { metadata: { name: 't', namespace: 'n' }, spec: { spec: { devices: { requests: [exactly()] } } } }
    expect(defaulted(resourceClaimTemplates, template).spec).toMatchObject({
      spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } },
    })
  })
})

describe('what a claim can hold', () => {
  const constraint = { matchAttribute: 'd.example.com/numa' }
  const config = { opaque: { driver: 'd.example.com', parameters: {} } }
  it.each<[string, number, string, (count: number) => string[]]>([
    ['requests', 32, 'spec.devices.requests', (count) => told(times(count, (i) => exactly({}, `g${i}`)))],
    [
      'constraints',
      32,
      'spec.devices.constraints',
      (count) => told([exactly()], { constraints: times(count, () => constraint) }),
    ],
    ['configurations', 32, 'spec.devices.config', (count) => told([exactly()], { config: times(count, () => config) })],
    [
      'selectors of a request',
      32,
      `${request0}.exactly.selectors`,
      (count) => told([exactly({ selectors: times(count, () => ({ cel: { expression: 'true' } })) })]),
    ],
    [
      'tolerations of a request',
      16,
      `${request0}.exactly.tolerations`,
      (count) => told([exactly({ tolerations: times(count, () => ({ operator: 'Exists' })) })]),
    ],
    [
      'alternatives of a request',
      8,
      `${request0}.firstAvailable`,
      (count) => told([either(...times(count, (i) => ({ name: `a${i}` })))]),
    ],
  ])('are so many %s: %i', (_, most, path, toldOf) => {
    expect(toldOf(most)).toEqual([])
    expect(toldOf(most + 1)).toEqual([`${path}: Too many: ${most + 1}: must have at most ${most} items`])
  })

  it('are expressions of so many bytes', () => {
    const selecting = (bytes: number) =>
      told([exactly({ selectors: [{ cel: { expression: `"" != "${'é'.repeat(bytes / 2 - 4)}"` } }] })])
    expect(selecting(10_240)).toEqual([])
    expect(selecting(10_242)).toEqual([
      `${request0}.exactly.selectors[0].cel.expression: Too long: may not be more than 10240 bytes`,
    ])
  })

  it('are parameters of so many bytes, and of one form', () => {
    const parameters = (value: unknown) =>
      told([exactly()], { config: [{ opaque: { driver: 'd.example.com', parameters: value } }] })
    const path = 'spec.devices.config[0].opaque.parameters'
    expect(parameters({ a: 'x'.repeat(10_240 - 8) })).toEqual([])
    expect(parameters({ a: 'x'.repeat(10_240 - 7) })).toEqual([`${path}: Too long: may not be more than 10240 bytes`])
    expect(parameters(undefined)).toEqual([`${path}: Required value`])
    expect(parameters(null)).toEqual([`${path}: Required value`])
    expect(parameters([])).toEqual([`${path}: Invalid value: "<value omitted>": must be a valid JSON object`])
  })
})

describe('what is said about requests', () => {
  const about = (...requests: string[]) =>
    told([exactly(), { ...either({ name: 'a' }), name: 'any' }], {
      config: [{ requests, opaque: { driver: 'd.example.com', parameters: {} } }],
    })
  const at = 'spec.devices.config[0].requests'
  it.each<[string, string[], string[]]>([
    ['is about one, or about an alternative of one', ['gpu', 'any', 'any/a'], []],
    ['is not about alternatives that are not there', ['gpu/a'], [`${at}[0]: Invalid value: "gpu/a": ${notARequest}`]],
    ['is about each once', ['gpu', 'gpu'], [`${at}[1]: Duplicate value: "gpu"`]],
    ['has two parts at most', ['any/a/b'], [`${at}[0]: Invalid value: "any/a/b": ${notARequest}`]],
    [
      'has parts that are names',
      ['A'],
      [`${at}[0]: Invalid value: "A": a lowercase RFC 1123 label`, `${at}[0]: Invalid value: "A": must be the name`],
    ],
  ])('%s', (_, requests, expected) => {
    expect(about(...requests).map((fault, i) => fault.slice(0, expected[i]?.length))).toEqual(expected)
  })

  it.each<[string, object, string[]]>([
    ['by different values', { distinctAttribute: 'd.example.com/numa' }, []],
    [
      'by different values of a bare name',
      { distinctAttribute: 'numa' },
      [
        '.distinctAttribute: Invalid value: "numa": a fully qualified name must be a domain and a name separated by a slash',
      ],
    ],
    [
      'by nothing',
      {},
      [
        ': Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      ],
    ],
    [
      'by a name of no domain',
      { matchAttribute: '/numa' },
      ['.matchAttribute: Invalid value: "": the domain must not be empty'],
    ],
    [
      'by a domain of no name',
      { matchAttribute: 'd.example.com/' },
      ['.matchAttribute: Invalid value: "": the name must not be empty'],
    ],
    [
      'by neither domain nor name',
      { matchAttribute: '/' },
      [
        '.matchAttribute: Invalid value: "": the domain must not be empty',
        '.matchAttribute: Invalid value: "": the name must not be empty',
      ],
    ],
    ['by a name of 32 bytes', { matchAttribute: `d.example.com/${'a'.repeat(32)}` }, []],
    [
      'by a name that is too long',
      { matchAttribute: `d.example.com/${'a'.repeat(33)}` },
      ['.matchAttribute: Too long: may not be more than 32 bytes'],
    ],
    [
      'by what is no name',
      { matchAttribute: 'd.example.com/a-b' },
      ['.matchAttribute: Invalid value: "a-b": a valid C identifier must start with'],
    ],
    [
      'by what is no domain',
      { matchAttribute: '-/a' },
      ['.matchAttribute: Invalid value: "-": a lowercase RFC 1123 subdomain must consist of'],
    ],
  ])('constrains %s', (_, constraint, expected) => {
    const full = expected.map((each) => `spec.devices.constraints[0]${each}`)
    const found = told([exactly()], { constraints: [constraint] })
    expect(found.map((fault, i) => fault.slice(0, full[i]?.length))).toEqual(full)
  })
})

describe('a class', () => {
  afterEach(() => useCompilers({}))
  const deviceClass = (spec: object) => ({ metadata: { name: 'c' }, spec })
  it('has selectors and parameters like a claim', () => {
    const bad = { selectors: [{}], config: [{}] }
    expect(faults(deviceClasses, deviceClass(bad))).toEqual([
      'spec.selectors[0].cel: Required value',
      'spec.config[0].opaque: Required value',
    ])
    const config = times(33, () => ({ opaque: { driver: 'd.example.com', parameters: {} } }))
    expect(faults(deviceClasses, deviceClass({ config }))).toEqual([
      'spec.config: Too many: 33: must have at most 32 items',
    ])
  })

  it('keeps what it has when the rules have changed', () => {
    const compiles = { selectors: [{ cel: { expression: 'bad' } }] }
    const long = (a: string) => ({
      config: [{ opaque: { driver: 'd.example.com', parameters: { a: a.repeat(20_000) } } }],
    })
    useCompilers({ expression: () => 'what?' })
    expect(faults(deviceClasses, deviceClass(compiles), deviceClass(compiles))).toEqual([])
    expect(faults(deviceClasses, deviceClass(compiles), deviceClass({}))).toHaveLength(1)
    expect(faults(deviceClasses, deviceClass(long('a')), deviceClass(long('a')))).toEqual([])
    expect(faults(deviceClasses, deviceClass(long('a')), deviceClass(long('b')))).toHaveLength(1)
    expect(faults(deviceClasses, deviceClass(long('a')))).toHaveLength(1)
  })

  it('refuses selectors that take too long', () => {
    useCompilers({ expression: () => tooComplex })
    expect(faults(deviceClasses, deviceClass({ selectors: [{ cel: { expression: 'x' } }] }))).toEqual([
      `spec.selectors[0].cel.expression: Forbidden: ${tooComplex}`,
    ])
  })
})

describe('a template', () => {
  const template = (metadata: object, requests: object[] = [exactly()]) => ({
    metadata: { name: 't', namespace: 'n' },
    spec: { metadata, spec: { devices: { requests } } },
  })
  it.each<[string, object, string[]]>([
    [
      'has the rules of claims',
      template({}, [exactly({ deviceClassName: '' })]),
      ['spec.spec.devices.requests[0].exactly.deviceClassName: Required value'],
    ],
    ['has labels that are labels', template({ labels: { '-': 'a' } }), ['spec.metadata.labels: Invalid value: "-": ']],
    [
      'has annotations that are annotations',
      template({ annotations: { '-': 'a' } }),
      ['spec.metadata.annotations: Invalid value: "-": '],
    ],
    ['may leave other metadata empty', template({ name: '', ownerReferences: [], finalizers: [] }), []],
  ])('%s', (_, object, expected) => {
    const found = faults(resourceClaimTemplates, object)
    expect(found.map((fault, i) => fault.slice(0, expected[i]?.length))).toEqual(expected)
  })
})
