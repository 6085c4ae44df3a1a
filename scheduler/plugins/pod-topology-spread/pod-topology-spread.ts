import type { Labels } from '../../../api/machinery/labels.ts'
import type { Cache } from '../../cache/cache.ts'
import { same } from '../../framework/cluster-events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import type { EventObjects, Plugin } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { refusal } from '../../framework/refusal.ts'
import type { World } from '../../framework/world.ts'
import { defaultArgs } from '../args.ts'
import { hasAllKeys, type Spread, spreadsOf } from './constraints.ts'
import { EligibleCountsIndex } from './eligible-counts.ts'
import {
  normalizeSpread,
  prepareSpreadScore,
  type SpreadContext,
  type SpreadScore,
  softKinds,
  softSpreads,
  spreadScore,
} from './score.ts'
import { SpreadCounts } from './spread-counts.ts'

const name = 'PodTopologySpread'
const message = "node(s) didn't match pod topology spread constraints"
const uneven = refusal(name, 'Unschedulable', message)
const noDomain = refusal(name, 'UnschedulableAndUnresolvable', `${message} (missing required label)`)
const counts = stateKey<SpreadCounts>(`${name} counts`)
const softOnes = stateKey<readonly Spread[]>(`${name} soft constraints`)
const soft = stateKey<SpreadScore>(`${name} score`)

/** Spreads pods that are alike over the domains (hosts, zones) that node labels tell apart. */
export function newPodTopologySpread(cache: Cache, world: World, args = defaultArgs.PodTopologySpread): Plugin {
  const context: SpreadContext = { cache, world, args, eligible: new EligibleCountsIndex(cache) }
  return {
    name,
    basis: {
      filter: 'kind',
      score: 'kind',
      kinds(state, pod) {
        const hard = state.skipsFilter.has(name) ? undefined : state.read(counts)
        const spreads = softSpreads(pod, context)
        state.write(softOnes, spreads)
        const rather = softKinds(spreads, pod, context)
        if (!hard && !rather) return undefined
        return {
          key: `${pod.namespace} ${hard?.kindsKey ?? ''};${rather?.key ?? ''}`,
          of: (node) => `${hard?.kindOf(node) ?? ''};${rather?.of(node) ?? ''}`,
        }
      },
    },
    hints: [
      {
        on: ['Pod/Add', 'Pod/Delete', 'Pod/UpdateLabel', 'Pod/UpdateToleration'],
        worthATry: (pod, objects) => podMayHelp(pod, objects, spreadsOf(pod, 'DoNotSchedule', world, args)),
      },
      {
        on: ['Node/Add', 'Node/Delete', 'Node/UpdateLabel', 'Node/UpdateTaint'],
        worthATry: (pod, { node }) => nodeMayHelp(node, spreadsOf(pod, 'DoNotSchedule', world, args)),
      },
    ],
    preFilter(state, pod) {
      const spreads = spreadsOf(pod, 'DoNotSchedule', world, args)
      if (spreads.length === 0) return 'skip'
      state.write(counts, SpreadCounts.of(spreads, pod, cache, context.eligible))
      return undefined
    },
    addPod: (state, pod, other, node) => state.read(counts).count(pod, other, node, 1),
    removePod: (state, pod, other, node) => state.read(counts).count(pod, other, node, -1),
    filter(state, _pod, node) {
      const spread = state.read(counts)
      for (let i = 0; i < spread.spreads.length; i++) {
        const skew = spread.skew(i, node)
        if (skew === undefined) return noDomain
        if (skew > (spread.spreads[i] as Spread).maxSkew) return uneven
      }
      return undefined
    },
    preScore(state, pod, nodes, standFor) {
      const spreads = state.find(softOnes) ?? softSpreads(pod, context)
      if (spreads.length === 0) return 'skip'
      state.write(soft, prepareSpreadScore(spreads, pod, nodes, context, standFor))
      return undefined
    },
    score: (state, _pod, node) => spreadScore(state.read(soft), node),
    normalize: (state, _pod, scores, nodes) => normalizeSpread(state.read(soft), scores, nodes),
  }
}

function podMayHelp(pod: PodInfo, { pod: changed }: EventObjects, spreads: readonly Spread[]): boolean {
  const { before, after } = changed ?? {}
  const isInvolved = (other: PodInfo) =>
    other.uid === pod.uid ||
    ((other.nodeName !== '' || other.nominatedNodeName !== '') && other.namespace === pod.namespace)
  if ((before && !isInvolved(before)) || (after && !isInvolved(after))) return false
  const matchesAny = (labels: Labels) => spreads.some(({ matches }) => matches(labels))
  if (before && after) {
    if (after.uid === pod.uid && before.tolerations.length !== after.tolerations.length) return true
    return spreads.some(({ matches }) => matches(before.labels) !== matches(after.labels))
  }
  const one = before ?? after
  return one !== undefined && matchesAny(one.labels)
}

function nodeMayHelp(node: EventObjects['node'], spreads: readonly Spread[]): boolean {
  const { before, after } = node ?? {}
  const had = before !== undefined && hasAllKeys(before.metadata.labels ?? {}, spreads)
  const has = after !== undefined && hasAllKeys(after.metadata.labels ?? {}, spreads)
  if (!before || !after || had !== has) return had || has
  if (!has) return false
  const moved = spreads.some(
    ({ topologyKey }) => before.metadata.labels?.[topologyKey] !== after.metadata.labels?.[topologyKey],
  )
  return moved || !same(before.spec?.taints, after.spec?.taints)
}
