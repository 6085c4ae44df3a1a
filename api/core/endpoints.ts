import type { CoreV1EndpointPort, EndpointAddress, Endpoints } from '../generated/types.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { dnsLabel, portNumber, portProtocols, qualifiedName } from './field-formats.ts'
import { endpointIpFaults, ipFaults, ipWarnings } from './ip.ts'

export type EndpointsObject = Stored<Endpoints>

export const endpoints = defineResource<EndpointsObject>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  storagePrefix: '/services/endpoints',
  schema: builtinSchema('io.k8s.api.core.v1.Endpoints'),
  defaults({ subsets = [] }) {
    for (const { ports = [] } of subsets) for (const port of ports) port.protocol ||= 'TCP'
  },
  validate(object, old) {
    const errors = validateSubsets(object)
    // What was accepted once, and has not changed, still is.
    return errors.length > 0 && old && semanticEqual(object.subsets, old.subsets) ? [] : errors
  },
  warnings({ metadata, subsets = [] }) {
    // The controller writes canonical addresses: spare the parsing.
    if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return []
    return subsets.flatMap((subset, i) =>
      (['addresses', 'notReadyAddresses'] as const).flatMap((field) =>
        (subset[field] ?? []).flatMap(({ ip }, j) => ipWarnings(`subsets[${i}].${field}[${j}].ip`, ip)),
      ),
    )
  },
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  strategy: { createOnUpdate: true },
  columns: [
    nameColumn,
    { name: 'Endpoints', type: 'string', description: 'The addresses and ports.', value: endpointsText },
    ageColumn,
  ],
})

const shownEndpoints = 3

function validateSubsets({ subsets = [] }: EndpointsObject): FieldError[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const path = index('subsets', i)
    const at = (field: string, j: number) => index(child(path, field), j)
    return [
      ...(addresses.length + notReadyAddresses.length === 0
        ? [required(path, 'must specify `addresses` or `notReadyAddresses`')]
        : []),
      ...addresses.flatMap((address, j) => validateAddress(address, at('addresses', j))),
      ...notReadyAddresses.flatMap((address, j) => validateAddress(address, at('notReadyAddresses', j))),
      ...ports.flatMap((port, j) => validatePort(port, ports.length > 1, at('ports', j))),
    ]
  })
}

function validateAddress({ ip = '', hostname, nodeName }: EndpointAddress, path: string): FieldError[] {
  return [
    ...ipFaults(child(path, 'ip'), ip),
    ...(hostname ? dnsLabel(child(path, 'hostname'), hostname) : []),
    ...(nodeName === undefined
      ? []
      : nameIsDNSSubdomain(nodeName, false).map((fault) => invalid(child(path, 'nodeName'), nodeName, fault))),
    ...endpointIpFaults(child(path, 'ip'), ip),
  ]
}

function validatePort(port: CoreV1EndpointPort, needsName: boolean, path: string): FieldError[] {
  const { name = '', protocol = '', appProtocol } = port
  const errors: FieldError[] = []
  if (name !== '') errors.push(...dnsLabel(child(path, 'name'), name))
  else if (needsName) errors.push(required(child(path, 'name')))
  errors.push(...portNumber(child(path, 'port'), port.port ?? 0))
  if (!portProtocols.includes(protocol)) errors.push(notSupported(child(path, 'protocol'), protocol, portProtocols))
  if (appProtocol !== undefined) errors.push(...qualifiedName(child(path, 'appProtocol'), appProtocol))
  return errors
}

function endpointsText({ subsets = [] }: EndpointsObject): string {
  if (subsets.length === 0) return '<none>'
  const shown: string[] = []
  let count = 0
  for (const { addresses = [], ports = [] } of subsets) {
    // A headless service may have no ports.
    for (const port of ports.length > 0 ? ports : [undefined]) {
      count += addresses.length
      for (const { ip } of addresses.slice(0, shownEndpoints - shown.length))
        shown.push(!port ? ip : ip.includes(':') ? `[${ip}]:${port.port}` : `${ip}:${port.port}`)
    }
  }
  const text = shown.join(',')
  return count > shownEndpoints ? `${text} + ${count - shownEndpoints} more...` : text
}
