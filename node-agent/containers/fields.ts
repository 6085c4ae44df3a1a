import type { Container, ResourceFieldSelector } from '../../api/generated/types.ts'
import { parseQuantity, quantityToNumber } from '../../api/machinery/quantity.ts'
import type { BoundPod } from '../pods/types.ts'

/** What the downward API knows beside the pod's own object. */
export interface DownwardFacts {
  podIps: readonly string[]
  hostIps: readonly string[]
  nodeName: string
  /** What a container without limits may use: cpu in cores and memory in bytes, as quantities. */
  allocatable: Readonly<Record<string, string | number>>
}

/** The value of a `fieldRef`. Throws for a path it does not know. */
export function fieldValue(pod: BoundPod, fieldPath: string, facts: DownwardFacts): string {
  const subscript = /^(.+)\['(.*)'\]$/.exec(fieldPath)
  if (subscript) {
    const [, path, key = ''] = subscript
    if (path === 'metadata.annotations') return pod.metadata.annotations?.[key] ?? ''
    if (path === 'metadata.labels') return pod.metadata.labels?.[key] ?? ''
    throw new Error(`fieldPath "${fieldPath}" does not support subscript`)
  }
  const read = fields[fieldPath]
  if (!read) throw new Error(`unsupported fieldPath: ${fieldPath}`)
  return read(pod, facts)
}

const fields: Record<string, (pod: BoundPod, facts: DownwardFacts) => string> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace,
  'metadata.uid': ({ metadata }) => metadata.uid,
  'metadata.labels': ({ metadata }) => formatMap(metadata.labels ?? {}),
  'metadata.annotations': ({ metadata }) => formatMap(metadata.annotations ?? {}),
  'spec.nodeName': (_, { nodeName }) => nodeName,
  'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
  'status.hostIP': (_, { hostIps }) => hostIps[0] ?? '',
  'status.hostIPs': (_, { hostIps }) => hostIps.join(','),
  'status.podIP': (_, { podIps }) => podIps[0] ?? '',
  'status.podIPs': (_, { podIps }) => podIps.join(','),
}

/** `key="value"` lines in the order of the keys. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n')
}

/** The value of a `resourceFieldRef`, in units of its divisor, rounded up. Throws for a resource it does not know. */
export function resourceValue(
  selector: ResourceFieldSelector,
  container: Container,
  allocatable: DownwardFacts['allocatable'],
): string {
  const [side = '', ...rest] = selector.resource.split('.')
  const name = rest.join('.')
  const known = ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('hugepages-')
  if (!known || (side !== 'limits' && side !== 'requests')) {
    throw new Error(`unsupported container resource : ${selector.resource}`)
  }
  const { limits = {}, requests = {} } = container.resources ?? {}
  const quantity = side === 'requests' ? (requests[name] ?? limits[name]) : (limits[name] ?? allocatable[name])
  if (quantity === undefined) return '0'
  return divideUp(quantity, selector.divisor)
}

function divideUp(quantity: string | number, divisor: string | number | undefined): string {
  const by = divisor === undefined || quantityToNumber(divisor) === 0 ? '1' : String(divisor)
  const amount = parseQuantity(String(quantity)).nanos
  const unit = parseQuantity(by).nanos
  return String((amount + unit - 1n) / unit)
}
