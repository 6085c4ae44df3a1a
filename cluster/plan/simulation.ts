import type { Node, Pod } from '../../api/generated/types.ts'
import { systemClock } from '../../client/clock.ts'
import { InformerFactory } from '../../client/informer.ts'
import { nodes, pods } from '../../client/resources.ts'
import type { Api, Live } from '../../client/types.ts'
import { Cache } from '../../scheduler/cache/cache.ts'
import { Gangs, gangKey } from '../../scheduler/cache/gangs.ts'
import type { NodeInfo } from '../../scheduler/cache/node-info.ts'
import { gateOf, type Judged, judge } from '../../scheduler/decisions/judge.ts'
import { CycleState } from '../../scheduler/framework/cycle-state.ts'
import { Framework } from '../../scheduler/framework/framework.ts'
import { PodInfo } from '../../scheduler/framework/pod-info.ts'
import type { World } from '../../scheduler/framework/world.ts'
import { newInformerWorld } from '../../scheduler/informer-world.ts'
import { fitErrorOf, Placement } from '../../scheduler/placement.ts'
import { defaultProfile } from '../../scheduler/profile.ts'
import { Nominations } from '../../scheduler/queue/nominations.ts'

export type Outcome = { nodeName: string } | { why: string }

/**
 * The scheduler's own placement, on a cluster as it was when it was read: nothing is bound, evicted or written. What is
 * placed stays placed, so that pods can be tried one after the other.
 */
export class Simulation {
  readonly cache: Cache
  readonly world: World
  readonly #gangs: Gangs
  readonly #framework: Framework
  readonly #placement: Placement

  private constructor(cache: Cache, world: World, gangs: Gangs, framework: Framework, placement: Placement) {
    this.cache = cache
    this.world = world
    this.#gangs = gangs
    this.#framework = framework
    this.#placement = placement
  }

  /** Reads a cluster. `imagined` nodes take the place of its own, which are then empty. */
  static async of(api: Api, imagined?: readonly Live<Node>[]): Promise<Simulation> {
    const informers = new InformerFactory(api)
    const cache = new Cache(systemClock)
    const gangs = new Gangs()
    const world = newInformerWorld(informers)
    const read = new AbortController()
    await informers.start(read.signal)
    const nominations = new Nominations()
    const framework: Framework = new Framework(
      defaultProfile({
        api,
        cache,
        clock: systemClock,
        world,
        // Nothing is bound here.
        stopping: read.signal,
        framework: () => framework,
        evict: async () => {},
        activate: () => {},
        opened: () => {},
        onError: () => {},
        gangs,
        nominations,
        random: () => 0,
        onAttempt: () => {},
      }),
      nominations,
    )
    for (const node of imagined ?? (await api.list(nodes)).items) cache.setNode(node)
    if (!imagined) {
      for (const pod of (await api.list(pods)).items) {
        const info = new PodInfo(pod)
        const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
        if (!ended) gangs.set(info)
        if (info.nodeName !== '' && !ended) cache.setPod(info)
        if (info.nodeName === '' && info.nominatedNodeName !== '') nominations.set(info, info.nominatedNodeName)
      }
    }
    // What has been read stays; nothing has to be followed.
    read.abort()
    return new Simulation(cache, world, gangs, framework, new Placement(framework, cache, () => 0))
  }

  /** Places the pods one after the other, each seeing those before it, and keeps them there; gangs only as a whole. */
  place(pods: readonly Live<Pod>[]): Outcome[] {
    const infos = pods.map((pod) => new PodInfo(pod))
    for (const info of infos) this.#gangs.set(info)
    const outcomes = infos.map((info) => this.#place(info))
    return outcomes.map((outcome, i) => {
      const info = infos[i] as PodInfo
      const key = gangKey(info)
      if (!info.gang || key === undefined || 'why' in outcome) return outcome
      const members = [...this.#gangs.members(key).keys()]
      const placed = members.filter(
        (uid) => this.cache.pod(uid) || outcomes.some((other, j) => 'nodeName' in other && infos[j]?.uid === uid),
      )
      if (placed.length >= info.gang.minMembers) return outcome
      this.cache.forget(info.uid)
      return {
        why: `gang ${info.gang.name}: ${placed.length} of the ${info.gang.minMembers} pods it needs would find a node`,
      }
    })
  }

  #place(info: PodInfo): Outcome {
    if (this.cache.nodes.length === 0) return { why: 'there are no nodes' }
    const gate = gateOf(this.#framework, info)
    if (gate) return { why: gate.reasons.join(', ') }
    const placed = this.#placement.place(new CycleState(), info)
    if ('misfit' in placed) return { why: fitErrorOf(placed.misfit, this.cache.nodes.length).message }
    this.cache.assume(info.on(placed.nodeName))
    return { nodeName: placed.nodeName }
  }

  /**
   * Takes a pod off its node and places it anew, as its replacement would be. Where that is the same node, or one that is not
   * `wanted` with the pod on it, it stays where it is and the answer is undefined.
   */
  move(pod: PodInfo, wanted: (target: NodeInfo) => boolean): string | undefined {
    const { nodeName: from, ...spec } = { containers: [], ...pod.pod.spec }
    this.cache.removePod(pod.uid)
    const placed = this.#placement.place(new CycleState(), new PodInfo({ ...pod.pod, spec }, ''))
    if ('nodeName' in placed && placed.nodeName !== from) {
      const there = pod.on(placed.nodeName)
      this.cache.setPod(there)
      const target = this.cache.node(placed.nodeName)
      if (target && wanted(target)) return target.name
    }
    this.cache.setPod(pod)
    return undefined
  }

  /** Asks every plugin about every node. A pod that is on one is looked at as if it were not. */
  judge(pod: Live<Pod>): Judged {
    const { nodeName: _, ...spec } = { containers: [], ...pod.spec }
    const info = new PodInfo({ ...pod, spec })
    this.cache.removePod(info.uid)
    return judge(this.#framework, this.cache, info)
  }
}
