import { dnsLabel, portProtocols, qualifiedName } from '../core/field-formats.ts'
import { canonicalIpFaults, endpointIpFaults, ipFamily, ipFaults, ipWarnings } from '../core/ip.ts'
import type { DiscoveryV1EndpointPort, Endpoint, EndpointHints, EndpointSlice } from '../generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  index,
  invalid,
  notSupported,
  required,
  tooMany,
} from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { isDNS1123Label, isDNS1123Subdomain, isValidLabelValue, nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type EndpointSliceObject = Stored<EndpointSlice>

export const endpointSlices = defineResource<EndpointSliceObject>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.discovery.v1.EndpointSlice'),
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  validate(slice, old) {
    const { addressType, ports = [], endpoints = [] } = slice
    const errors = [...validateAddressType(addressType), ...validatePorts(ports)]
    const faults = validateEndpoints(endpoints, addressType)
    // What was accepted once, and has not changed, still is.
    if (faults.length > 0 && !(old && semanticEqual(endpoints, old.endpoints))) errors.push(...faults)
    return old ? [...errors, ...immutable(addressType, old.addressType, 'addressType')] : errors
  },
  warnings({ metadata, addressType, endpoints = [] }, old) {
    const deprecated = !old && addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []
    // The controllers write canonical addresses: spare the parsing.
    if (knownWriters.has(metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return deprecated
    const odd = endpoints.flatMap(({ addresses = [] }, i) =>
      addresses.flatMap((address, j) => ipWarnings(`endpoints[${i}].addresses[${j}]`, address)),
    )
    return [...deprecated, ...odd]
  },
  strategy: {
    generation: 'outsideMetadata',
    prepareForCreate: (slice) => dropTopology(slice, undefined),
    prepareForUpdate(slice, old) {
      dropTopology(slice, old)
      // Labels say which service the slice is of: they count as content.
      if (!semanticEqual(slice.metadata.labels, old.metadata.labels))
        slice.metadata.generation = (old.metadata.generation ?? 0) + 1
    },
  },
  columns: [
    nameColumn,
    {
      name: 'AddressType',
      type: 'string',
      description: 'What its addresses are.',
      value: ({ addressType }) => addressType ?? '',
    },
    {
      name: 'Ports',
      type: 'string',
      description: 'The ports of every endpoint in it.',
      value: ({ ports }) =>
        firstFew((ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port)))),
    },
    {
      name: 'Endpoints',
      type: 'string',
      description: 'The addresses.',
      value: ({ endpoints }) => firstFew((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    },
    ageColumn,
  ],
})

const knownWriters = new Set(['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'])
const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const maxEndpoints = 1000
const maxAddresses = 100
const maxPorts = 20_000
const maxHints = 8
const shown = 3
const hostnameLabel = 'kubernetes.io/hostname'

function validateAddressType(type: string | undefined): FieldError[] {
  if (!type) return [required('addressType')]
  return addressTypes.includes(type) ? [] : [notSupported('addressType', type, addressTypes)]
}

function validatePorts(ports: readonly DiscoveryV1EndpointPort[]): FieldError[] {
  if (ports.length > maxPorts) return [tooMany('ports', ports.length, maxPorts)]
  const names = new Set<string>()
  return ports.flatMap(({ name = '', protocol, appProtocol }, i) => {
    const path = index('ports', i)
    const errors = name === '' ? [] : dnsLabel(child(path, 'name'), name)
    if (names.has(name)) errors.push(duplicate(child(path, 'name'), name))
    names.add(name)
    if (protocol === undefined) errors.push(required(child(path, 'protocol')))
    else if (!portProtocols.includes(protocol))
      errors.push(notSupported(child(path, 'protocol'), protocol, portProtocols))
    if (appProtocol !== undefined) errors.push(...qualifiedName(child(path, 'appProtocol'), appProtocol))
    return errors
  })
}

function validateEndpoints(endpoints: readonly Endpoint[], addressType: string): FieldError[] {
  if (endpoints.length > maxEndpoints) return [tooMany('endpoints', endpoints.length, maxEndpoints)]
  const errors: FieldError[] = []
  for (const [i, { addresses = [], nodeName, hostname, hints }] of endpoints.entries()) {
    const path = index('endpoints', i)
    const addressesPath = child(path, 'addresses')
    if (addresses.length === 0) errors.push(required(addressesPath, 'must contain at least 1 address'))
    else if (addresses.length > maxAddresses) errors.push(tooMany(addressesPath, addresses.length, maxAddresses))
    for (const [j, address] of addresses.entries())
      errors.push(...addressFaults(address, addressType, addressesPath, j))
    if (nodeName !== undefined) errors.push(...nodeNameFaults(child(path, 'nodeName'), nodeName))
    if (hostname !== undefined) errors.push(...dnsLabel(child(path, 'hostname'), hostname))
    if (hints) errors.push(...validateHints(hints, child(path, 'hints')))
  }
  return errors
}

function addressFaults(address: string, type: string, path: string, i: number): FieldError[] {
  const at = index(path, i)
  if (type === 'FQDN') return fqdnFaults(at, address)
  if (type !== 'IPv4' && type !== 'IPv6') return []
  const faults = type === 'IPv4' ? ipFaults(at, address) : canonicalIpFaults(at, address)
  if (faults.length > 0) return faults
  return [
    ...(ipFamily(address) === type ? [] : [invalid(path, address, `must be an ${type} address`)]),
    ...endpointIpFaults(at, address),
  ]
}

function fqdnFaults(path: string, address: string): FieldError[] {
  if (address === '') return [required(path)]
  const name = address.replace(/\.$/, '')
  const faults = isDNS1123Subdomain(name)
  if (faults.length > 0) return [invalid(path, name, faults.join(','))]
  const labels = name.split('.')
  if (labels.length < 2) return [invalid(path, name, 'should be a domain with at least two segments separated by dots')]
  for (const label of labels) {
    const labelFaults = isDNS1123Label(label)
    if (labelFaults.length > 0) return [invalid(path, label, labelFaults.join(','))]
  }
  return []
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, path: string): FieldError[] {
  const zonesPath = child(path, 'forZones')
  if (forZones.length > maxHints) return [tooMany(zonesPath, forZones.length, maxHints)]
  const zoneFaults = (at: string, name: string) => isValidLabelValue(name).map((fault) => invalid(at, name, fault))
  const errors = validateHintNames(forZones, zonesPath, zoneFaults)
  const nodesPath = child(path, 'forNodes')
  if (forNodes.length > maxHints) return [...errors, tooMany(nodesPath, forNodes.length, maxHints)]
  return [...errors, ...validateHintNames(forNodes, nodesPath, nodeNameFaults)]
}

function validateHintNames(
  hints: readonly { name: string }[],
  path: string,
  faults: (path: string, name: string) => FieldError[],
): FieldError[] {
  const seen = new Set<string>()
  return hints.flatMap(({ name = '' }, i) => {
    const at = child(index(path, i), 'name')
    const doubled = seen.has(name)
    seen.add(name)
    return [...(doubled ? [duplicate(at, name)] : []), ...faults(at, name)]
  })
}

const nodeNameFaults = (path: string, name: string): FieldError[] =>
  nameIsDNSSubdomain(name, false).map((fault) => invalid(path, name, fault))

/**
 * deprecatedTopology cannot be written through v1. A node name that stood only there moves to its own field, so that a
 * partial update does not lose it.
 */
function dropTopology(slice: EndpointSliceObject, old: EndpointSliceObject | undefined): void {
  if (!slice.endpoints?.some(({ deprecatedTopology }) => deprecatedTopology)) return
  if (old && semanticEqual(slice.endpoints, old.endpoints)) return
  const known = new Set((old?.endpoints ?? []).map(({ deprecatedTopology }) => deprecatedTopology?.[hostnameLabel]))
  for (const endpoint of slice.endpoints) {
    const node = endpoint.deprecatedTopology?.[hostnameLabel]
    if (endpoint.nodeName === undefined && node && known.has(node) && nameIsDNSSubdomain(node, false).length === 0)
      endpoint.nodeName = node
    delete endpoint.deprecatedTopology
  }
}

function firstFew(parts: readonly string[]): string {
  const text = parts.slice(0, shown).join(',')
  return parts.length > shown ? `${text} + ${parts.length - shown} more...` : text || '<unset>'
}
