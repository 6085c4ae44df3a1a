import type { Container, ResourceRequirements } from '../../api/generated/types.ts'
import { canonicalQuantity, quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import type { RuntimeResources } from '../pods/observed.ts'

const minShares = 2
/** Thousandths of a core that the kernel's smallest quota stands for. */
const minQuotaMilli = 10

/**
 * The resources of a running container as its status shows them: what was granted, with the runtime's word on what the
 * kernel knows. Amounts below what the kernel can tell apart are shown as they were granted.
 */
export function reportedResources(
  { resources = {} }: Container,
  has: RuntimeResources | undefined,
): ResourceRequirements {
  if (!has) return resources
  const { requests, limits } = resources
  return {
    ...resources,
    ...(limits ? { limits: { ...limits, ...limitsOf(limits, has) } } : {}),
    ...(requests ? { requests: { ...requests, ...requestsOf(requests, has) } } : {}),
  }
}

type List = Record<string, string>

function limitsOf(granted: List, { cpuQuota, cpuPeriod, memoryLimitInBytes }: RuntimeResources): List {
  const milli = cpuQuota > 0 && cpuPeriod > 0 ? Math.floor((cpuQuota * 1000) / cpuPeriod) : 0
  return {
    ...cpuOf(granted, milli, minQuotaMilli),
    ...(memoryLimitInBytes > 0 && quantityValue(granted.memory) !== memoryLimitInBytes
      ? { memory: binary(memoryLimitInBytes) }
      : {}),
  }
}

function requestsOf(granted: List, { cpuShares }: RuntimeResources): List {
  return cpuOf(granted, cpuShares > 0 ? Math.ceil((cpuShares * 1000) / 1024) : 0, minShares)
}

function cpuOf(granted: List, milli: number, least: number): List {
  const told = milli > least || quantityMilli(granted.cpu) > least
  if (milli === 0 || !told || quantityMilli(granted.cpu) === milli) return {}
  return { cpu: canonicalQuantity(`${milli}m`) }
}

/** In the largest binary unit that takes it whole. */
function binary(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (unit < units.length - 1 && amount % 1024 === 0) {
    amount /= 1024
    unit++
  }
  return `${amount}${units[unit]}`
}

const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']
