import type { Container, PodSpec, Quantity } from '../../generated/types.ts'
import { addQuantity, canonicalQuantity, compareQuantity } from '../../machinery/quantity.ts'
import { isHugePages } from '../resource-names.ts'
import { isSidecar } from './containers-of.ts'

/** Amounts by resource name, as in `resources.requests`. */
export type ResourceList = Record<string, Quantity>

/** Rounds amounts finer than a thousandth up to thousandths, in place. Amounts must be canonical. */
export function roundUpResources(list: ResourceList): void {
  for (const name in list) {
    const amount = list[name] as string
    const unit = amount.charCodeAt(amount.length - 1)
    if (unit === micro || unit === nano) list[name] = roundUpToMilli(amount, unit)
  }
}

const micro = 'u'.charCodeAt(0)
const nano = 'n'.charCodeAt(0)

function roundUpToMilli(amount: string, unit: number): Quantity {
  const parts = Number(amount.slice(0, -1)) / (unit === micro ? 1e3 : 1e6)
  return canonicalQuantity(`${parts < 0 ? Math.floor(parts) : Math.ceil(parts)}m`)
}

/** Resources that may be asked for at the level of the pod. */
export const isPodLevelResource = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name)

/**
 * What the containers of a pod ask for together: the sum of all that run side by side, or the largest need while
 * starting, whichever is more.
 */
export function aggregateContainers(spec: PodSpec, kind: 'requests' | 'limits'): ResourceList {
  const of = (container: Container) => container.resources?.[kind] ?? {}
  const total: ResourceList = {}
  for (const container of spec.containers ?? []) addTo(total, of(container))
  const sidecars: ResourceList = {}
  const starting: ResourceList = {}
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      addTo(total, of(container))
      addTo(sidecars, of(container))
      raiseTo(starting, sidecars)
    } else {
      const now = { ...of(container) }
      addTo(now, sidecars)
      raiseTo(starting, now)
    }
  }
  raiseTo(total, starting)
  return total
}

function addTo(total: ResourceList, more: ResourceList): void {
  for (const [name, amount] of Object.entries(more)) {
    const before = total[name]
    total[name] = before === undefined ? amount : addQuantity(before, amount)
  }
}

function raiseTo(total: ResourceList, floor: ResourceList): void {
  for (const [name, amount] of Object.entries(floor)) {
    const before = total[name]
    if (before === undefined || compareQuantity(amount, before) > 0) total[name] = amount
  }
}
