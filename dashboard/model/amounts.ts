import { podTotal } from '../../api/core/pod-total.ts'
import type { Node, Pod } from '../../api/generated/types.ts'
import { quantityToNumber } from '../../api/machinery/quantity.ts'

/** An amount of what nodes have and pods ask for. */
export interface Amounts {
  cpuCores: number
  memoryBytes: number
}

const asked = new WeakMap<object, Amounts>()

/** What a pod asks for; worked out once for each version of it. */
export function requestsOf(pod: Pod): Amounts {
  let amounts = asked.get(pod)
  if (!amounts) {
    amounts = amountsIn(podTotal(pod, 'requests'))
    asked.set(pod, amounts)
  }
  return amounts
}

/** What a node has for pods. */
export const allocatableOf = (node: Node): Amounts => amountsIn(node.status?.allocatable ?? node.status?.capacity ?? {})

function amountsIn(list: Record<string, string>): Amounts {
  return { cpuCores: quantityToNumber(list.cpu), memoryBytes: quantityToNumber(list.memory) }
}

/** `1.5 cores`, `250m`. */
export function cpuText(cores: number): string {
  if (cores === 0) return '0'
  if (cores < 1) return `${cores < 0.01 ? Math.max(1, Math.round(cores * 1000)) : Math.round(cores * 100) * 10}m`
  return cores < 10 ? String(Math.round(cores * 10) / 10) : String(Math.round(cores))
}

const steps = ['B', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']

/** `512 Mi`. */
export function memoryText(bytes: number): string {
  let value = bytes
  let step = 0
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024
    step++
  }
  return `${value < 10 && step > 0 ? Math.round(value * 10) / 10 : Math.round(value)} ${steps[step]}`
}
