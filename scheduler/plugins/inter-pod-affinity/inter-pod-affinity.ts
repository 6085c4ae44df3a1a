import type { Cache } from '../../cache/cache.ts'
import type { AffinityTerm, WeightedTerm } from '../../framework/affinity-terms.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { idOf } from '../../framework/identity.ts'
import { type EventObjects, maxScore, type Plugin } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { refusal } from '../../framework/refusal.ts'
import type { World } from '../../framework/world.ts'
import { defaultArgs, type PluginArgs } from '../args.ts'
import { AffinityState, matchesAll } from './affinity-state.ts'
import { kindsOf, type Look } from './kinds.ts'
import { TopologyCounts } from './topology-counts.ts'

const name = 'InterPodAffinity'
const nobodyNear = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match pod affinity rules")
const unwantedNear = refusal(name, 'Unschedulable', "node(s) didn't match pod anti-affinity rules")
const unwelcome = refusal(name, 'Unschedulable', "node(s) didn't satisfy existing pods anti-affinity rules")
const affinity = stateKey<AffinityState>(`${name} filter`)
const preferences = stateKey<TopologyCounts>(`${name} score`)

/** Pods that must be, or would rather be, near other pods or away from them. */
export const newInterPodAffinity = (cache: Cache, world: World, args = defaultArgs.InterPodAffinity): Plugin => ({
  name,
  basis: {
    filter: 'kind',
    score: 'kind',
    kinds(state, pod) {
      const looks: Look[] = state.skipsFilter.has(name) ? [] : [...state.read(affinity).looks()]
      const counts = ignores(pod, args) ? undefined : weights(pod, cache, world, args.hardPodAffinityWeight)
      if (counts && !counts.isUnused) {
        state.write(preferences, counts)
        for (const topology of counts.topologies) looks.push({ topology, at: (node) => counts.in(topology, node) })
      }
      return kindsOf(looks, `${pod.namespace} ${idOf(pod.labels)} ${world.namespacesVersion()}`)
    },
  },
  hints: [
    {
      on: ['Pod/Add', 'Pod/Delete', 'Pod/UpdateLabel'],
      worthATry: (pod, objects) => podMayHelp(pod, objects, world),
    },
    { on: ['Node/Add', 'Node/UpdateLabel'], worthATry: nodeMayHelp },
  ],
  preFilter(state, pod) {
    const near = AffinityState.of(pod, cache, world.namespaceLabels)
    if (near.isIdle) return 'skip'
    state.write(affinity, near)
    return undefined
  },
  addPod: (state, _pod, other, node) => state.read(affinity).count(other, node, 1),
  removePod: (state, _pod, other, node) => state.read(affinity).count(other, node, -1),
  filter(state, _pod, node) {
    const near = state.read(affinity)
    if (!near.findsWanted(node)) return nobodyNear
    if (near.findsUnwanted(node)) return unwantedNear
    return near.isUnwelcome(node) ? unwelcome : undefined
  },
  preScore(state, pod) {
    if (state.find(preferences)) return undefined
    if (ignores(pod, args)) return 'skip'
    const counts = weights(pod, cache, world, args.hardPodAffinityWeight)
    if (counts.isUnused) return 'skip'
    state.write(preferences, counts)
    return undefined
  },
  score: (state, _pod, node) => state.read(preferences).sum(node),
  normalize(_state, _pod, scores) {
    let least = Number.POSITIVE_INFINITY
    let most = Number.NEGATIVE_INFINITY
    for (const score of scores) {
      least = Math.min(least, score)
      most = Math.max(most, score)
    }
    for (let i = 0; i < scores.length; i++) {
      scores[i] = most > least ? Math.trunc(maxScore * (((scores[i] as number) - least) / (most - least))) : 0
    }
  },
})

/** Whether what others would like of a pod without wishes of its own does not count. */
const ignores = ({ terms }: PodInfo, { ignorePreferredTermsOfExistingPods }: PluginArgs['InterPodAffinity']): boolean =>
  ignorePreferredTermsOfExistingPods && terms.preferredAffinity.length + terms.preferredAntiAffinity.length === 0

/** What the pod thinks of having others near, and they of having it. */
function weights(
  pod: PodInfo,
  { podGroups: groups, topologies }: Cache,
  world: World,
  hardWeight: number,
): TopologyCounts {
  const counts = new TopologyCounts(topologies)
  const { preferredAffinity, preferredAntiAffinity } = pod.terms
  const wish = (term: WeightedTerm, sign: 1 | -1) => {
    for (const group of groups.in(term.namespaces)) {
      if (!term.matches(group.pod, world.namespaceLabels(group.pod.namespace))) continue
      counts.refer(term.topologyKey, group, sign * term.weight)
    }
  }
  for (const term of preferredAffinity) wish(term, 1)
  for (const term of preferredAntiAffinity) wish(term, -1)
  const own = world.namespaceLabels(pod.namespace)
  for (const group of groups.withTerms) {
    const { terms } = group.pod
    const wanted = (term: AffinityTerm, weight: number) => {
      if (term.matches(pod, own)) counts.refer(term.topologyKey, group, weight)
    }
    for (const term of terms.requiredAffinity) wanted(term, hardWeight)
    for (const term of terms.preferredAffinity) wanted(term, term.weight)
    for (const term of terms.preferredAntiAffinity) wanted(term, -term.weight)
  }
  return counts
}

function podMayHelp(pod: PodInfo, { pod: changed }: EventObjects, world: World): boolean {
  const { before, after } = changed ?? {}
  if (before && after && after.uid === pod.uid) return true
  const isPlaced = (other: PodInfo) => other.nodeName !== '' || other.nominatedNodeName !== ''
  if ((before && !isPlaced(before)) || (after && !isPlaced(after))) return false
  const { requiredAffinity, requiredAntiAffinity } = pod.terms
  const isWanted = (other: PodInfo) => matchesAll(requiredAffinity, other, world.namespaceLabels(other.namespace))
  const isUnwanted = (other: PodInfo) => matchesAll(requiredAntiAffinity, other, world.namespaceLabels(other.namespace))
  if (before && after) return (!isWanted(before) && isWanted(after)) || (isUnwanted(before) && !isUnwanted(after))
  if (after) return isWanted(after)
  if (!before) return true
  return isUnwanted(before) || matchesAll(before.terms.requiredAntiAffinity, pod, world.namespaceLabels(pod.namespace))
}

function nodeMayHelp({ terms }: PodInfo, { node }: EventObjects): boolean {
  const { before, after } = node ?? {}
  const domain = (of: typeof before, key: string) => of?.metadata.labels?.[key]
  const joins = terms.requiredAffinity.some(({ topologyKey }) => {
    const [was, is] = [domain(before, topologyKey), domain(after, topologyKey)]
    return is !== undefined && was !== is
  })
  const leaves = terms.requiredAntiAffinity.some(({ topologyKey }) => {
    const [was, is] = [domain(before, topologyKey), domain(after, topologyKey)]
    return !before || (was !== undefined && was !== is)
  })
  return joins || leaves
}
