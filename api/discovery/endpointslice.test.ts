import { describe, expect, it } from 'vitest'
import type { DiscoveryV1EndpointPort, Endpoint } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type EndpointSliceObject, endpointSlices } from './endpointslice.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function slice(addressType: string, endpoints: Endpoint[], ports: DiscoveryV1EndpointPort[] = []): EndpointSliceObject {
  const made: EndpointSliceObject = {
    metadata: { name: 's', generation: 3 },
    addressType,
    endpoints,
    ports: structuredClone(ports),
  }
  endpointSlices.defaults?.(made)
  return made
}

const faults = (made: EndpointSliceObject, old?: EndpointSliceObject) =>
  endpointSlices.validate?.(made, old, ctx).map(formatFieldError)
const one = (...addresses: string[]): Endpoint[] => [{ addresses }]
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`)

describe('an endpoint slice', () => {
  it('names its ports, if only with nothing, and means TCP', () => {
    expect(slice('IPv4', [], [{ port: 80 }]).ports).toEqual([{ port: 80, name: '', protocol: 'TCP' }])
  })

  const at = 'endpoints[0].addresses'
  it.each<[string, EndpointSliceObject, string[]]>([
    ['IPv4', slice('IPv4', one('10.0.0.1'), [{ port: 80 }]), []],
    ['IPv6', slice('IPv6', one('2001:db8::1')), []],
    ['names', slice('FQDN', one('a.example.com.')), []],
    ['hints', slice('IPv4', [{ addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'a' }, { name: 'b' }] } }]), []],
    ['no type', slice('', []), ['addressType: Required value']],
    [
      'an unknown type',
      slice('IPX', []),
      ['addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    ['no address', slice('IPv4', one()), [`${at}: Required value: must contain at least 1 address`]],
    [
      'too many addresses',
      slice('IPv4', one(...numbered(101).map((ip) => ip.replace('10.0.0.0', '10.0.9.9')))),
      [`${at}: Too many: 101: must have at most 100 items`],
    ],
    [
      'too many endpoints',
      slice(
        'IPv4',
        numbered(1001).map((ip) => ({ addresses: [ip] })),
      ),
      ['endpoints: Too many: 1001: must have at most 1000 items'],
    ],
    [
      'the other family',
      slice('IPv4', one('2001:db8::1')),
      [`${at}: Invalid value: "2001:db8::1": must be an IPv4 address`],
    ],
    [
      'an odd spelling',
      slice('IPv6', one('2001:DB8::1')),
      [`${at}[0]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")`],
    ],
    [
      'loopback',
      slice('IPv4', one('127.0.0.1')),
      [`${at}[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`],
    ],
    [
      'a bare name',
      slice('FQDN', one('localhost')),
      [`${at}[0]: Invalid value: "localhost": should be a domain with at least two segments separated by dots`],
    ],
    ['a port name twice', slice('IPv4', [], [{ name: 'a' }, { name: 'a' }]), ['ports[1].name: Duplicate value: "a"']],
    [
      'an unknown protocol',
      slice('IPv4', [], [{ protocol: 'X' }]),
      ['ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'a zone twice',
      slice('IPv4', [{ addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }]),
      ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
    ],
    [
      'too many node hints',
      slice('IPv4', [{ addresses: ['10.0.0.1'], hints: { forNodes: numbered(9).map((name) => ({ name })) } }]),
      ['endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items'],
    ],
  ])('with %s', (_, made, expected) => {
    expect(faults(made)).toEqual(expected)
  })

  it('keeps its type, and endpoints that were accepted once', () => {
    expect(faults(slice('IPv6', []), slice('IPv4', []))).toEqual([
      'addressType: Invalid value: "IPv6": field is immutable',
    ])
    expect(faults(slice('IPv4', one('127.0.0.1')), slice('IPv4', one('127.0.0.1')))).toEqual([])
  })

  it('loses the topology of old, but not a node name that stood there', () => {
    const topology = { deprecatedTopology: { 'kubernetes.io/hostname': 'n' } }
    const made = slice('IPv4', [{ addresses: ['10.0.0.1'], ...topology }])
    const old = structuredClone(made)
    endpointSlices.strategy.prepareForCreate?.(made, ctx)
    expect(made.endpoints).toEqual(one('10.0.0.1'))
    const next = slice('IPv4', [{ addresses: ['10.0.0.2'], ...topology }])
    endpointSlices.strategy.prepareForUpdate?.(next, old, ctx)
    expect(next.endpoints).toEqual([{ addresses: ['10.0.0.2'], nodeName: 'n' }])
  })

  it('counts another label as another content', () => {
    const next = slice('IPv4', [])
    next.metadata.labels = { a: 'b' }
    endpointSlices.strategy.prepareForUpdate?.(next, slice('IPv4', []), ctx)
    expect(next.metadata.generation).toBe(4)
  })

  it('warns of names, and of odd addresses that no controller wrote', () => {
    expect(endpointSlices.warnings?.(slice('FQDN', []), undefined)).toEqual([
      'spec.addressType: FQDN endpoints are deprecated',
    ])
    const made = slice('IPv6', one('FE80::1'))
    expect(endpointSlices.warnings?.(made, made)).toHaveLength(1)
    made.metadata.labels = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }
    expect(endpointSlices.warnings?.(made, made)).toEqual([])
  })

  it.each<[EndpointSliceObject, string[]]>([
    [slice('IPv4', []), ['<unset>', '<unset>']],
    [
      slice('IPv4', one('10.0.0.1', '10.0.0.2'), [{ port: 80, name: 'a' }, { name: 'b' }]),
      ['80,b', '10.0.0.1,10.0.0.2'],
    ],
    [slice('IPv4', [...one('1', '2'), ...one('3', '4', '5')]), ['<unset>', '1,2,3 + 2 more...']],
  ])('prints the first few', (made, expected) => {
    expect(endpointSlices.columns?.slice(2, 4).map(({ value }) => value(made, 0))).toEqual(expected)
  })
})
