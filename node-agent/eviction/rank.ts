import { podRequests } from '../pods/resources.ts'
import { type BoundPod, isStaticPod } from '../pods/types.ts'
import { amountInWords, resourceOf, type Shortage, type StarvedResource } from './thresholds.ts'

const systemCriticalPriority = 2_000_000_000

/** Whom the node itself never ends: what the cluster stands on, and what would not come back. */
export const isCriticalPod = (pod: BoundPod): boolean =>
  isStaticPod(pod) || (pod.spec.priority ?? 0) >= systemCriticalPriority

/** What each pod uses of what is short, by uid. */
export type UsageByPod = ReadonlyMap<string, number>

/** Who goes first: what uses more than it asked for, then the lower priority, then who uses most beyond its request. */
export function evictionOrder(pods: readonly BoundPod[], usage: UsageByPod, resource: StarvedResource): BoundPod[] {
  const excess = (pod: BoundPod): number => (usage.get(pod.metadata.uid) ?? 0) - requested(pod, resource)
  return pods
    .filter((pod) => !isCriticalPod(pod))
    .sort(
      (a, b) =>
        Number(excess(b) > 0) - Number(excess(a) > 0) ||
        (a.spec.priority ?? 0) - (b.spec.priority ?? 0) ||
        excess(b) - excess(a),
    )
}

const requested = ({ spec }: BoundPod, resource: StarvedResource): number => podRequests(spec).get(resource) ?? 0

/** Why a pod is ended, in upstream's words. `usage`: what each of its containers uses, where that is known. */
export function evictionMessage(
  { spec }: BoundPod,
  { signal, threshold, available }: Shortage,
  usage: ReadonlyMap<string, number>,
): string {
  const resource = resourceOf(signal)
  const amount = (of: number): string => amountInWords(resource, of)
  const greedy = spec.containers.flatMap(({ name, resources }) => {
    const asked = podRequests({ containers: [{ name, ...(resources ? { resources } : {}) }] }).get(resource) ?? 0
    const used = usage.get(name) ?? 0
    if (used <= asked) return []
    return `Container ${name} was using ${amount(used)}, request is ${amount(asked)}, has larger consumption of ${resource}. `
  })
  const facts = `Threshold quantity: ${amount(threshold)}, available: ${amount(available)}. `
  return `The node was low on resource: ${resource}. ${facts}${greedy.join('')}`
}
