import type { Pod, PodSpec, ResourceRequirements } from '../generated/types.ts'
import { compareQuantity } from '../machinery/quantity.ts'

export type QOSClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** The class the pod's requests and limits put it in, whatever its status says. Amounts must be canonical. */
export function computePodQOS(spec: PodSpec): QOSClass {
  // Amounts for the pod as a whole rule alone.
  if (spec.resources) return classOf([spec.resources])
  const all: ResourceRequirements[] = []
  for (const { resources = {} } of spec.containers ?? []) all.push(resources)
  for (const { resources = {} } of spec.initContainers ?? []) all.push(resources)
  return classOf(all)
}

/** The class recorded in the status, or computed where there is none yet. */
export const podQOS = (pod: Pod): QOSClass =>
  (pod.status?.qosClass as QOSClass | undefined) || computePodQOS(pod.spec ?? { containers: [] })

/**
 * Upstream compares sums over all containers. A request never exceeds its limit, so the sums are equal exactly when
 * each pair is.
 */
function classOf(all: readonly ResourceRequirements[]): QOSClass {
  let any = false
  let guaranteed = true
  for (const { requests, limits } of all) {
    for (const name of ['cpu', 'memory'] as const) {
      const request = positive(requests?.[name])
      const limit = positive(limits?.[name])
      if (request !== undefined || limit !== undefined) any = true
      if (limit === undefined || request === undefined) guaranteed = false
      else if (request !== limit && compareQuantity(request, limit) !== 0) guaranteed = false
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

const positive = (amount: string | undefined): string | undefined =>
  amount === undefined || amount === '0' || amount.startsWith('-') ? undefined : amount
