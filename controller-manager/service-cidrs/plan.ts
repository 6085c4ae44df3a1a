import { BlockList, isIPv6 } from 'node:net'
import type { Condition, IPAddress, ServiceCIDR } from '../../api/generated/types.ts'
import { formatTime, parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'

export const cidrFinalizer = 'networking.k8s.io/service-cidr-finalizer'
const managedByLabel = 'ipaddress.kubernetes.io/managed-by'
/** API servers must have seen that no address is to be taken any more. */
const graceMs = 10_000

/** What is to be done about a range of service addresses. */
export type CidrPlan =
  | { do: 'protect' }
  | { do: 'say'; condition: Condition }
  | { do: 'wait'; ms: number }
  | { do: 'release' }
  | { do: 'nothing' }

/** Decides on a range, given all there are and the addresses that are taken. */
export function planCidr(
  cidr: Live<ServiceCIDR>,
  all: readonly Live<ServiceCIDR>[],
  addresses: readonly Live<IPAddress>[],
  nowMs: number,
): CidrPlan {
  const { deletionTimestamp, finalizers = [] } = cidr.metadata
  const isProtected = finalizers.includes(cidrFinalizer)
  if (deletionTimestamp === undefined) {
    return isProtected ? say(cidr, 'True', '', 'Kubernetes Service CIDR is ready', nowMs) : { do: 'protect' }
  }
  if (isNeeded(cidr, all, addresses)) {
    const message =
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'
    return say(cidr, 'False', 'Terminating', message, nowMs)
  }
  if (!isProtected) return { do: 'nothing' }
  const waitMs = (parseTime(deletionTimestamp) ?? nowMs) + graceMs - nowMs
  return waitMs > 0 ? { do: 'wait', ms: waitMs } : { do: 'release' }
}

function say({ status }: Live<ServiceCIDR>, holds: string, reason: string, message: string, nowMs: number): CidrPlan {
  const standing = status?.conditions?.find(({ type }) => type === 'Ready')
  if (standing && standing.status === holds && standing.reason === reason && standing.message === message) {
    return { do: 'nothing' }
  }
  return {
    do: 'say',
    condition: { type: 'Ready', status: holds, reason, message, lastTransitionTime: formatTime(nowMs) },
  }
}

/** Whether there is an address that would be in no range without this one. */
function isNeeded(
  cidr: Live<ServiceCIDR>,
  all: readonly Live<ServiceCIDR>[],
  addresses: readonly Live<IPAddress>[],
): boolean {
  const own = cidr.spec?.cidrs ?? []
  const others = all
    .filter(({ metadata }) => metadata.name !== cidr.metadata.name && metadata.deletionTimestamp === undefined)
    .flatMap(({ spec }) => spec?.cidrs ?? [])
  return addresses.some(
    ({ metadata }) =>
      metadata.labels?.[managedByLabel] === 'ipallocator.k8s.io' &&
      own.some((range) => isIn(range, metadata.name)) &&
      !others.some((range) => isIn(range, metadata.name)),
  )
}

/** Whether the address, an object's name, lies in the range. */
export function isIn(range: string, address: string): boolean {
  const [network = '', bits = ''] = range.split('/')
  if (isIPv6(network) !== isIPv6(address)) return false
  const family = isIPv6(network) ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family)
  return list.check(address, family)
}
