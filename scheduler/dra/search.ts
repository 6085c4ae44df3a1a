import type { MatchAttribute } from './constraints.ts'
import { type Alternatives, type Demand, isKeptAway } from './demands.ts'
import type { OfferedDevice } from './pools.ts'

/** A claim to be given devices. */
export interface Want {
  readonly requests: readonly Alternatives[]
  readonly constraints: readonly MatchAttribute[]
}

/** A device for a request, or one of its alternatives. */
export interface Choice {
  readonly demand: Demand
  readonly offered: OfferedDevice
}

/** As many devices can be written into one claim. */
export const mostDevices = 32

/** To look at the clock costs more than to try a device. */
const triesPerLook = 1024

/** `tooMany`: whatever is chosen before, the claim would have more devices than can be written into it. */
type Outcome = 'found' | 'none' | 'tooMany'

/**
 * Devices for each claim, request by request in their order, the first that work: whoever comes later makes those before
 * choose otherwise, until all have what they need or everything has been tried. Undefined where there is no way. Throws an
 * Error when it is late.
 */
export function search(
  wants: readonly Want[],
  isTaken: (device: string) => boolean,
  isLate: () => boolean,
): Choice[][] | undefined {
  const chosen: Choice[][] = wants.map(() => [])
  /** The claims that a device has been chosen for so far. */
  const choosers = new Map<string, Set<number>>()
  let tries = 0

  return claim(0) === 'found' ? chosen : undefined

  function claim(c: number): Outcome {
    if (c >= wants.length) return 'found'
    const outcome = request(c, 0)
    // Others before it may leave room for a smaller alternative.
    return outcome === 'tooMany' ? 'none' : outcome
  }

  function request(c: number, r: number): Outcome {
    const alternatives = wants[c]?.requests[r]
    if (!alternatives) return claim(c + 1)
    let isAlwaysTooMany = true
    for (const demand of alternatives) {
      const outcome = devices(c, r, demand, 0, 0)
      if (outcome === 'found') return outcome
      if (outcome === 'none') isAlwaysTooMany = false
    }
    return isAlwaysTooMany ? 'tooMany' : 'none'
  }

  /** The devices of a demand from its `nth` on, of those from `from` on: in which order they are chosen does not matter. */
  function devices(c: number, r: number, demand: Demand, nth: number, from: number): Outcome {
    if (demand.all && demand.count === 0) return 'none'
    if (nth >= demand.count) return request(c, r + 1)
    if ((chosen[c]?.length ?? 0) + demand.count - nth > mostDevices) return 'tooMany'
    const last = demand.all ? from + 1 : demand.devices.length - (demand.count - nth) + 1
    for (let i = from; i < last; i++) {
      if (++tries % triesPerLook === 0 && isLate()) throw new Error('timed out trying to allocate devices')
      const offered = demand.devices[i]
      if (!offered || !take(c, demand, offered)) continue
      const outcome = devices(c, r, demand, nth + 1, i + 1)
      if (outcome === 'found') return outcome
      giveBack(c, demand, offered)
      if (outcome === 'tooMany') return outcome
    }
    return 'none'
  }

  function take(c: number, demand: Demand, offered: OfferedDevice): boolean {
    const { id, device } = offered
    const its = choosers.get(id)
    if (demand.adminAccess ? its?.has(c) : isTaken(id) || (its?.size ?? 0) > 0) return false
    if (device.consumesCounters?.length || isKeptAway(device, demand.tolerations)) return false
    const added: MatchAttribute[] = []
    for (const constraint of wants[c]?.constraints ?? []) {
      if (constraint.add(demand, offered)) added.push(constraint)
      else {
        for (const before of added) before.remove(demand)
        return false
      }
    }
    choosers.set(id, (its ?? new Set()).add(c))
    chosen[c]?.push({ demand, offered })
    return true
  }

  function giveBack(c: number, demand: Demand, { id }: OfferedDevice): void {
    for (const constraint of wants[c]?.constraints ?? []) constraint.remove(demand)
    choosers.get(id)?.delete(c)
    chosen[c]?.pop()
  }
}
