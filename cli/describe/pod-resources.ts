import type { Container, Pod, Quantity } from '../../api/generated/types.ts'
import { addQuantity, compareQuantity } from '../../api/machinery/quantity.ts'

type Amounts = Record<string, Quantity>
type Side = 'requests' | 'limits'

/**
 * What a pod asks for, or is limited to, as a whole: its containers and sidecars together, or the most that an init
 * container needs beside the sidecars before it; amounts for the pod take their place, and overhead comes on top.
 * With `held`, what its containers hold already counts where it is more.
 */
export function podAmounts({ spec, status }: Pod, side: Side, { held = false } = {}): Amounts {
  const statuses = new Map(
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((one) => [one.name, one]),
  )
  const of = (container: Container): Amounts => {
    const wanted = container.resources?.[side] ?? {}
    const has = held ? statuses.get(container.name) : undefined
    return has
      ? most(most(wanted, has.resources?.[side]), side === 'requests' ? has.allocatedResources : undefined)
      : wanted
  }
  let total: Amounts = {}
  for (const container of spec?.containers ?? []) total = sum(total, of(container))
  let sidecars: Amounts = {}
  let atStart: Amounts = {}
  for (const container of spec?.initContainers ?? []) {
    const isSidecar = container.restartPolicy === 'Always'
    if (isSidecar) {
      total = sum(total, of(container))
      sidecars = sum(sidecars, of(container))
    }
    atStart = most(atStart, isSidecar ? sidecars : sum(of(container), sidecars))
  }
  total = { ...most(total, atStart), ...spec?.resources?.[side] }
  const { overhead = {} } = spec ?? {}
  // Only what is limited at all is limited to more.
  const extra =
    side === 'requests' ? overhead : Object.fromEntries(Object.entries(overhead).filter(([name]) => name in total))
  return sum(total, extra)
}

/** The sum of two lists of amounts. */
export function sum(a: Amounts, b: Amounts): Amounts {
  const both = { ...a }
  for (const [name, amount] of Object.entries(b)) both[name] = name in both ? addQuantity(both[name], amount) : amount
  return both
}

function most(a: Amounts, b: Amounts = {}): Amounts {
  const larger = { ...a }
  for (const [name, amount] of Object.entries(b)) {
    const other = larger[name]
    if (other === undefined || compareQuantity(amount, other) > 0) larger[name] = amount
  }
  return larger
}
