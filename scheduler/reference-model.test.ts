import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Node, Pod, PodStatus } from '../api/generated/types.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import type { Live } from '../client/types.ts'
import { Cache } from './cache/cache.ts'
import { Gangs } from './cache/gangs.ts'
import type { NodeInfo } from './cache/node-info.ts'
import type { BestNodes } from './decisions/decisions.ts'
import { CycleState } from './framework/cycle-state.ts'
import { Framework } from './framework/framework.ts'
import { PodInfo } from './framework/pod-info.ts'
import { type Misfit, Placement } from './placement.ts'
import { defaultProfile } from './profile.ts'
import { Nominations } from './queue/nominations.ts'
import { alikeStepsArbitrary, type Step, stepsArbitrary, surroundingsArbitrary } from './testing/arbitraries.ts'
import { node, type PodParts, pod } from './testing/builders.ts'
import { type ModelCluster, podsOn, worldOf } from './testing/model/cluster.ts'
import { model } from './testing/model/model.ts'
import { trimNode, trimPod } from './trim.ts'

/** A few hundred take seconds; GANTRY_MODEL_RUNS=10000 takes minutes. */
const runs = { numRuns: Number(process.env.GANTRY_MODEL_RUNS ?? 300) }

const clock = new FakeClock()

/** The scheduler's parts on a cluster of the model, which both follow. */
class Pair {
  readonly cluster: ModelCluster
  readonly cache = new Cache(clock)
  readonly nominations = new Nominations()
  readonly whole: Framework
  readonly placement: Placement
  /** Each plugin alone: in the profile, one that refuses the pod as a whole silences those after it. */
  readonly alone: ReadonlyMap<string, Framework>
  #made = 0

  constructor(surroundings: Omit<ModelCluster, 'nodes' | 'pods'>) {
    this.cluster = { ...surroundings, nodes: [], pods: [] }
    const profile = defaultProfile({
      // Nothing is bound or evicted here.
      api: undefined as never,
      clock,
      stopping: new AbortController().signal,
      evict: async () => {},
      activate: () => {},
      opened: () => {},
      onError: () => {},
      gangs: new Gangs(),
      nominations: this.nominations,
      onAttempt: () => {},
      random: Math.random,
      framework: () => this.whole,
      cache: this.cache,
      world: worldOf(this.cluster),
    })
    this.whole = new Framework(profile, this.nominations)
    this.placement = new Placement(this.whole, this.cache)
    const chosen = profile.filter(({ plugin }) => plugin.name in model)
    this.alone = new Map(chosen.map((one) => [one.plugin.name, new Framework([one], this.nominations)]))
  }

  /** Takes the step; for a pod to be placed, tells where the two differ. */
  take(step: Step): void {
    const { cluster, cache } = this
    switch (step.do) {
      case 'setNode': {
        const live = node(step.node)
        cluster.nodes = [...cluster.nodes.filter(({ metadata }) => metadata.name !== live.metadata.name), live]
        cache.setNode(trimNode(live))
        return
      }
      case 'removeNode':
        cluster.nodes = cluster.nodes.filter(({ metadata }) => metadata.name !== step.name)
        cache.removeNode(step.name)
        return
      case 'place':
        this.place(step.pod)
        return
      case 'delete': {
        const [gone] = cluster.pods.splice(step.at, 1)
        if (gone) cache.removePod(gone.metadata.uid ?? '')
        return
      }
      case 'terminate':
        this.change(step.at, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
        return
      case 'relabel':
        this.change(step.at, { metadata: { labels: step.labels } })
        return
      case 'resize':
        this.change(step.at, { status: step.status })
    }
  }

  change(at: number, { metadata, status }: { metadata?: Partial<Live<Pod>['metadata']>; status?: PodStatus }): void {
    const before = this.cluster.pods[at]
    if (!before) return
    const after = { ...before, metadata: { ...before.metadata, ...metadata }, ...(status ? { status } : {}) }
    this.cluster.pods[at] = after
    this.cache.setPod(new PodInfo(trimPod(after)))
  }

  make(parts: PodParts): Live<Pod> {
    this.#made++
    return pod({ ...parts, name: `pod-${this.#made}` })
  }

  place(parts: PodParts): void {
    const { cluster, cache } = this
    if (cluster.nodes.length === 0) return
    const live = this.make(parts)
    const info = new PodInfo(trimPod(live))
    const feasible = this.#compareFilters(live, info)
    this.#compareRemovals(live, info)
    const totals = this.#compareScores(live, info, feasible)
    const placed = this.placement.place(new CycleState(), info)
    if ('misfit' in placed) {
      expect(feasible.map(({ metadata }) => metadata.name)).toEqual([])
      this.#compareRefusals(info, placed.misfit)
      return
    }
    expect(placed.feasible).toBe(feasible.length)
    this.#compareBest(placed.best, totals)
    const best = Math.max(...totals.values())
    expect(totals.get(placed.nodeName), `${placed.nodeName} of ${JSON.stringify([...totals])}`).toBe(best)
    cluster.pods.push({ ...live, spec: { containers: [], ...live.spec, nodeName: placed.nodeName } })
    cache.assume(info.on(placed.nodeName))
  }

  /** What is told of the nodes that refuse the pod is what each of them says. */
  #compareRefusals(info: PodInfo, { diagnosis: { perNode, others }, preFilter }: Misfit): void {
    if (preFilter) return
    const { cache, whole } = this
    const state = new CycleState()
    const first = whole.preFilter(state, info, cache.nodes)
    if (first.refusal) throw new Error('the pod is refused as a whole')
    const refused = (each: NodeInfo) =>
      first.nodes?.has(each.name) === false ? others : whole.filter(state, info, each)
    const told = cache.nodes.map(({ name }) => [name, perNode.get(name) ?? others])
    expect(told).toEqual(cache.nodes.map((each) => [each.name, refused(each)]))
    const counts = [...perNode.alike()].map(({ nodes, examples }) => [nodes, examples(nodes).length])
    expect(counts.reduce((sum, [nodes = 0]) => sum + nodes, 0)).toBe(perNode.size)
    for (const [nodes, examples] of counts) expect(examples).toBe(nodes)
  }

  /** A plugin that gives all nodes the same may be left out, so it is differences that count. */
  #compareBest(best: BestNodes | undefined, totals: ReadonlyMap<string, number>): void {
    if (!best) return
    const width = best.plugins.length + 1
    const sums = best.nodes.map((name, i) => [best.scores[i * width] as number, totals.get(name) as number])
    const [first = [0, 0]] = sums
    const behind = sums.map(([given = 0, expected = 0]) => [
      (first[0] as number) - given,
      (first[1] as number) - expected,
    ])
    for (const [given, expected] of behind) expect(given, JSON.stringify([best, [...totals]])).toBe(expected)
    const highest = [...totals.values()].sort((a, b) => b - a).slice(0, best.nodes.length)
    expect(sums.map(([, expected]) => expected)).toEqual(highest)
  }

  #compareFilters(live: Live<Pod>, info: PodInfo): Live<Node>[] {
    const { cluster, cache } = this
    for (const [name, framework] of this.alone) {
      const { fits = () => true } = model[name] ?? {}
      const expected = cluster.nodes.filter((each) => fits(live, each, cluster)).map(({ metadata }) => metadata.name)
      const state = new CycleState()
      const first = framework.preFilter(state, info, cache.nodes)
      const passing = first.refusal
        ? []
        : cache.nodes.filter((each) => first.nodes?.has(each.name) !== false && !framework.filter(state, info, each))
      expect({ plugin: name, nodes: passing.map((each) => each.name).sort() }).toEqual({
        plugin: name,
        nodes: expected.sort(),
      })
    }
    return cluster.nodes.filter((each) => Object.values(model).every(({ fits }) => fits?.(live, each, cluster) ?? true))
  }

  /** What would be without the pods of one node: preemption rests on it. */
  #compareRemovals(live: Live<Pod>, info: PodInfo): void {
    const { cluster, cache } = this
    // Upstream takes off what it has not counted: pods that are about to go, and those that an empty selector selects.
    const isExact = (name: string) =>
      name !== 'PodTopologySpread' ||
      !(
        cluster.pods.some(({ metadata }) => metadata.deletionTimestamp) ||
        live.spec?.topologySpreadConstraints?.some(({ labelSelector }) => labelSelector && isEmpty(labelSelector))
      )
    for (const each of cluster.nodes) {
      const there = podsOn(cluster, each)
      const onNode = cache.node(each.metadata.name)
      if (there.length === 0 || !onNode) continue
      const without = { ...cluster, pods: cluster.pods.filter((other) => !there.includes(other)) }
      for (const [name, framework] of this.alone) {
        if (!isExact(name)) continue
        const state = new CycleState()
        // Claims that others use, too, are used still; what one pod uses twice counts twice, as upstream has it.
        if (name === 'VolumeRestrictions' || framework.preFilter(state, info, cache.nodes).refusal) continue
        const fits = model[name]?.fits?.(live, each, without) ?? true
        expect({
          plugin: name,
          without: each.metadata.name,
          fits: this.#fitsWithout(framework, state, info, onNode),
        }).toEqual({ plugin: name, without: each.metadata.name, fits })
      }
    }
  }

  #fitsWithout(framework: Framework, cycle: CycleState, info: PodInfo, onNode: NodeInfo): boolean {
    const state = cycle.copy()
    const off = [...onNode.pods]
    for (const other of off) framework.removePod(state, info, other, onNode)
    try {
      return framework.filter(state, info, onNode) === undefined
    } finally {
      for (const other of off) onNode.addPod(other)
    }
  }

  /** The sums of all scores, by node. */
  #compareScores(live: Live<Pod>, info: PodInfo, feasible: readonly Live<Node>[]): Map<string, number> {
    const { cluster, cache } = this
    const totals = new Map(feasible.map(({ metadata }) => [metadata.name, 0]))
    if (feasible.length === 0) return totals
    const infos = feasible.flatMap(({ metadata }) => cache.node(metadata.name) ?? [])
    for (const [name, framework] of this.alone) {
      const { weight = 0, scores } = model[name] ?? {}
      const expected = scores?.(live, feasible, cluster) ?? feasible.map(() => 0)
      const [part] = framework.score(new CycleState(), info, infos).parts
      const given = part && [...part.scores].map((score) => weight * score)
      // A plugin may leave out its score where it would give all nodes the same.
      if (!given && expected.every((score) => score === expected[0])) continue
      expect({ plugin: name, scores: given }).toEqual({ plugin: name, scores: expected.map((score) => weight * score) })
      for (const [i, { metadata }] of feasible.entries()) {
        totals.set(metadata.name, (totals.get(metadata.name) ?? 0) + weight * (expected[i] as number))
      }
    }
    return totals
  }
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: { matchLabels?: object; matchExpressions?: unknown[] }) =>
  Object.keys(matchLabels).length + matchExpressions.length === 0

test('every plugin filters and scores as the reference model does, and the best node is chosen', {
  timeout: 1_800_000,
}, () => {
  fc.assert(
    fc.property(surroundingsArbitrary, stepsArbitrary, (surroundings, steps) => {
      const pair = new Pair(surroundings)
      for (const step of steps) pair.take(step)
    }),
    runs,
  )
})

test('so it is when pods are alike, and what is known of one is used for the next', { timeout: 1_800_000 }, () => {
  fc.assert(
    fc.property(surroundingsArbitrary, alikeStepsArbitrary, (surroundings, steps) => {
      const pair = new Pair(surroundings)
      for (const step of steps) pair.take(step)
    }),
    runs,
  )
})
