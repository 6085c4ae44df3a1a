import { FakeClock } from '../../client/testing/fake-clock.ts'
import { Cache } from '../cache/cache.ts'
import type { ClusterEvent } from '../framework/cluster-events.ts'
import { CycleState } from '../framework/cycle-state.ts'
import { Framework } from '../framework/framework.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import { PodInfo } from '../framework/pod-info.ts'
import type { World } from '../framework/world.ts'
import { Nominations } from '../queue/nominations.ts'
import { emptyWorld, type NodeParts, node, type PodParts, pod } from './builders.ts'

export interface Scene {
  nodes?: readonly NodeParts[]
  /** Those that are on nodes already. */
  pods?: readonly PodParts[]
  world?: Partial<World>
}

export type Make = Plugin | ((cache: Cache, world: World) => Plugin)

/** One plugin in a scene, asked about one pod. */
export function tryPlugin(make: Make, { nodes = [], pods = [], world = {} }: Scene = {}) {
  const cache = new Cache(new FakeClock())
  for (const parts of nodes) cache.setNode(node(parts))
  for (const parts of pods) cache.setPod(new PodInfo(pod(parts)))
  const plugin = typeof make === 'function' ? make(cache, emptyWorld(world)) : make
  const framework = new Framework([{ plugin, weight: 1 }], new Nominations())
  return {
    cache,
    plugin,
    framework,
    /** For each node `fits` or why not; a text where the pod is refused as a whole. */
    verdicts(parts: PodParts): Record<string, string> | string {
      const info = new PodInfo(pod(parts))
      const state = new CycleState()
      const { refusal } = framework.preFilter(state, info, cache.nodes)
      if (refusal) return refusal.reasons.join(', ')
      return Object.fromEntries(
        cache.nodes.map((each) => [each.name, framework.filter(state, info, each)?.reasons.join(', ') ?? 'fits']),
      )
    },
    /** The code of the refusal of the first node. */
    code(parts: PodParts): string | undefined {
      const info = new PodInfo(pod(parts))
      const state = new CycleState()
      const { refusal } = framework.preFilter(state, info, cache.nodes)
      const [first] = cache.nodes
      return (refusal ?? (first && framework.filter(state, info, first)))?.code
    },
    /** The score of each node; all are taken to fit. */
    scores(parts: PodParts): Record<string, number> {
      const info = new PodInfo(pod(parts))
      const { totals } = framework.score(new CycleState(), info, cache.nodes)
      return Object.fromEntries(cache.nodes.map(({ name }, i) => [name, totals[i] as number]))
    },
    /** Whether the event would make it worth a try. */
    isWorthATry(parts: PodParts, event: ClusterEvent, objects: EventObjects): boolean {
      const info = new PodInfo(pod(parts))
      const hints = (plugin.hints ?? []).filter(({ on }) => on.includes(event))
      return hints.some(({ worthATry }) => !worthATry || worthATry(info, objects))
    },
  }
}

/** What an event says of a node. */
export const nodeEvent = (after?: NodeParts, before?: NodeParts): EventObjects => ({
  node: { ...(before ? { before: node(before) } : {}), ...(after ? { after: node(after) } : {}) },
})

/** What an event says of a pod. */
export const podEvent = (after?: PodParts, before?: PodParts): EventObjects => ({
  pod: {
    ...(before ? { before: new PodInfo(pod(before)) } : {}),
    ...(after ? { after: new PodInfo(pod(after)) } : {}),
  },
})
