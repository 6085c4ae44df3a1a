import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { ControllerOptions } from '../types.ts'
import { readinessOf } from './health.ts'

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

type Limits = Pick<
  ControllerOptions,
  'nodeEvictionRate' | 'secondaryNodeEvictionRate' | 'unhealthyZoneThreshold' | 'largeClusterSizeThreshold'
>

/** Region and zone of a node: nodes of one fail together. */
export function zoneOf({ metadata: { labels = {} } }: Live<Node>): string {
  const region = labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? ''
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? ''
  return `${region}:\u0000:${zone}`
}

/**
 * How many nodes a second may be emptied in each zone. Where most nodes fail at once the fault is rather with the network
 * or with this controller, and pods are left where they are: slower, or not at all.
 */
export function evictionRates(nodes: readonly Live<Node>[], limits: Limits): Map<string, number> {
  const counts = new Map<string, { ready: number; notReady: number }>()
  for (const node of nodes) {
    const zone = zoneOf(node)
    const count = counts.get(zone) ?? { ready: 0, notReady: 0 }
    if (readinessOf(node) === 'True') count.ready++
    else count.notReady++
    counts.set(zone, count)
  }
  const states = new Map([...counts].map(([zone, count]) => [zone, stateOf(count, limits)]))
  const allDown = [...states.values()].every((state) => state === 'FullDisruption')
  return new Map(
    [...states].map(([zone, state]): [string, number] => {
      if (allDown) return [zone, 0]
      if (state !== 'PartialDisruption') return [zone, limits.nodeEvictionRate]
      const { ready, notReady } = counts.get(zone) ?? { ready: 0, notReady: 0 }
      const large = ready + notReady > limits.largeClusterSizeThreshold
      return [zone, large ? limits.secondaryNodeEvictionRate : 0]
    }),
  )
}

function stateOf({ ready, notReady }: { ready: number; notReady: number }, limits: Limits): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption'
  if (notReady > 2 && notReady / (ready + notReady) >= limits.unhealthyZoneThreshold) return 'PartialDisruption'
  return 'Normal'
}

/** One node now, and then as fast as the zone's rate allows. */
export class EvictionPace {
  readonly #lastMs = new Map<string, number>()

  /** Milliseconds to wait before the next node of the zone; 0 takes the turn; undefined: not while it is so. */
  turn(zone: string, rate: number, nowMs: number): number | undefined {
    if (rate <= 0) return undefined
    const last = this.#lastMs.get(zone)
    const waitMs = last === undefined ? 0 : last + 1000 / rate - nowMs
    if (waitMs > 0) return waitMs
    this.#lastMs.set(zone, nowMs)
    return 0
  }
}
