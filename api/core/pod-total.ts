import type { Container, ContainerStatus, Pod } from '../generated/types.ts'
import { addQuantity, compareQuantity } from '../machinery/quantity.ts'

export type Quantities = Record<string, string>

type Field = 'requests' | 'limits'
type Statuses = ReadonlyMap<string, ContainerStatus>

/**
 * What a pod needs at its worst moment: all containers and sidecars together, or an init container with the sidecars
 * started before it; pod-level amounts take their place, and overhead, if wanted, comes on top. With `actual`, a container
 * that is being resized counts with the most of what it has and what it wants.
 */
export function podTotal({ spec, status }: Pod, field: Field, { actual = false, overhead = true } = {}): Quantities {
  const total: Quantities = {}
  if (!spec) return total
  const statuses: Statuses = new Map(
    actual
      ? [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((each) => [
          each.name,
          each,
        ])
      : [],
  )
  const infeasible = status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  const of = (container: Container) => containerAmounts(container, statuses.get(container.name), field, infeasible)

  const sidecars: Quantities = {}
  const initPeak: Quantities = {}
  for (const container of spec.containers) addInto(total, of(container))
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addInto(total, of(container))
      addInto(sidecars, of(container))
      raiseTo(initPeak, sidecars)
    } else {
      const peak = { ...sidecars }
      addInto(peak, container.resources?.[field])
      raiseTo(initPeak, peak)
    }
  }
  raiseTo(total, initPeak)
  for (const [name, own] of Object.entries(spec.resources?.[field] ?? {})) {
    if (isPodLevelResource(name)) total[name] = own
  }
  for (const [name, more] of Object.entries((overhead && spec.overhead) || {})) {
    // Where nothing limits the containers, nothing limits what surrounds them.
    if (field === 'requests' || compareQuantity(total[name] ?? '0', '0') > 0) {
      total[name] = addQuantity(total[name], more)
    }
  }
  return total
}

/** Whether the resource can be asked for by a pod as a whole. */
export const isPodLevelResource = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

function containerAmounts(
  { resources }: Container,
  status: ContainerStatus | undefined,
  field: Field,
  infeasible: boolean,
): Quantities | undefined {
  if (!status?.resources) return resources?.[field]
  const most = { ...status.resources[field] }
  if (field === 'requests') raiseTo(most, status.allocatedResources)
  if (!infeasible) raiseTo(most, resources?.[field])
  return most
}

function addInto(total: Quantities, more: Quantities = {}): void {
  for (const [name, quantity] of Object.entries(more)) total[name] = addQuantity(total[name], quantity)
}

function raiseTo(total: Quantities, floor: Quantities = {}): void {
  for (const [name, quantity] of Object.entries(floor)) {
    const own = total[name]
    if (own === undefined || compareQuantity(quantity, own) > 0) total[name] = quantity
  }
}
