import { podTotal } from '../../api/core/pod-total.ts'
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts'
import { quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import { isSidecar } from './types.ts'

/** Amounts by resource name: cpu in thousandths, all else in whole units. */
export type Amounts = Map<string, number>

type List = Record<string, string | number> | undefined

export const amountOf = (name: string, quantity: string | number): number =>
  name === 'cpu' ? quantityMilli(quantity) : quantityValue(quantity)

const amountsOf = (list: List): Amounts =>
  new Map(Object.entries(list ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]))

function add(into: Amounts, more: Amounts): Amounts {
  for (const [name, amount] of more) into.set(name, (into.get(name) ?? 0) + amount)
  return into
}

function max(into: Amounts, other: Amounts): Amounts {
  for (const [name, amount] of other) into.set(name, Math.max(into.get(name) ?? 0, amount))
  return into
}

/** What the whole pod asks for: its containers and sidecars together, or the dearest moment of initialisation. */
export function podRequests(spec: PodSpec): Amounts {
  return sumOver(spec, ({ resources }) => amountsOf(resources?.requests), amountsOf(spec.resources?.requests))
}

/** What the pod holds of the node: a container whose size changes counts with the most of what it has and is to have. */
export const heldRequests = (pod: Pod): Amounts => amountsOf(podTotal(pod, 'requests', { actual: true }))

/** The limits of the whole pod; a resource that some container may use without limit is absent. */
export function podLimits(spec: PodSpec): Amounts {
  const total = sumOver(spec, ({ resources }) => amountsOf(resources?.limits), amountsOf(spec.resources?.limits))
  const counted = [...spec.containers, ...(spec.initContainers ?? [])]
  for (const name of total.keys()) {
    const fromPod = spec.resources?.limits?.[name] !== undefined
    if (!fromPod && !counted.every(({ resources }) => resources?.limits?.[name] !== undefined)) total.delete(name)
  }
  return total
}

function sumOver(spec: PodSpec, of: (container: Container) => Amounts, ofPod: Amounts): Amounts {
  const running = spec.containers.reduce((total, container) => add(total, of(container)), new Map() as Amounts)
  const sidecars: Amounts = new Map()
  const initPeak: Amounts = new Map()
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      add(sidecars, of(container))
      max(initPeak, sidecars)
    } else {
      max(initPeak, add(new Map(sidecars), of(container)))
    }
  }
  const total = max(add(running, sidecars), initPeak)
  for (const [name, amount] of ofPod) total.set(name, amount)
  return add(total, amountsOf(spec.overhead))
}
