import type { AllocationResult } from '../../../api/generated/types.ts'
import type { Claim } from '../../dra/device-world.ts'

const mostAlternatives = 8

/** How far at the front of their lists the alternatives are that a claim got: the first of each counts the most. */
export function preferenceOf({ spec }: Claim, allocation: AllocationResult | undefined): number {
  const met = new Set((allocation?.devices?.results ?? []).map(({ request }) => request))
  let score = 0
  for (const { name, firstAvailable = [] } of spec.devices?.requests ?? []) {
    const rank = firstAvailable.findIndex((alternative) => met.has(`${name}/${alternative.name}`))
    if (rank >= 0) score += mostAlternatives - rank
  }
  return score
}
