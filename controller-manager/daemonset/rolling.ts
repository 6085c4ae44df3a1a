import type { Node, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isAvailable } from '../pods/condition.ts'
import { isCurrent, nodeTest } from './daemon-pod.ts'
import { podsByNode, type World } from './plan.ts'
import { surgeOf, unavailableOf } from './sizes.ts'

/** One step of a rolling update: which old pods go, and which nodes get a second one. Asked when each node has its pod. */
export function planUpdate(world: World): { create: string[]; delete: Live<Pod>[] } {
  const { set, nodes, pods } = world
  if (set.spec?.updateStrategy?.type !== 'RollingUpdate') return { create: [], delete: [] }
  const test = nodeTest(set)
  const byNode = podsByNode(pods)
  const desired = nodes.filter((node) => test(node).run)
  for (const { metadata } of desired) if (!byNode.has(metadata.name)) byNode.set(metadata.name, [])
  const surge = surgeOf(set, desired.length)
  const unavailable = unavailableOf(set, desired.length)
  const pairs = [...byNode]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([node, own]) => ({ node, pair: pairOf(world, own) }))
  if (surge > 0) return withSurge(world, pairs, surge, desired)
  return { create: [], delete: replaceInPlace(world, pairs, Math.max(unavailable, 1)) }
}

interface Pair {
  fresh: Live<Pod> | undefined
  old: Live<Pod> | undefined
}

/** Undefined where a node has more than it should: that must be put right first. */
function pairOf({ set, hash }: World, own: readonly Live<Pod>[]): Pair | undefined {
  const staying = own.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const fresh = staying.filter((pod) => isCurrent(set, pod, hash))
  const old = staying.filter((pod) => !isCurrent(set, pod, hash))
  return fresh.length > 1 || old.length > 1 ? undefined : { fresh: fresh[0], old: old[0] }
}

/** Old pods that are not available go at once, others as long as no more than `most` nodes are without. */
function replaceInPlace(world: World, pairs: readonly { pair: Pair | undefined }[], most: number): Live<Pod>[] {
  const broken: Live<Pod>[] = []
  const working: Live<Pod>[] = []
  let missing = 0
  for (const { pair } of pairs) {
    if (!pair || (pair.old === undefined) === (pair.fresh === undefined)) missing++
    else if (pair.fresh) missing += available(world, pair.fresh) ? 0 : 1
    else if (pair.old && !available(world, pair.old)) {
      broken.push(pair.old)
      missing++
    } else if (pair.old) working.push(pair.old)
  }
  return [...broken, ...working.slice(0, Math.max(0, most - missing))]
}

/** New pods come beside the old ones, and take over when they are available. */
function withSurge(
  world: World,
  pairs: readonly { node: string; pair: Pair | undefined }[],
  most: number,
  desired: readonly Live<Node>[],
): { create: string[]; delete: Live<Pod>[] } {
  const wanted = new Set(desired.map(({ metadata }) => metadata.name))
  const plan = { create: [] as string[], delete: [] as Live<Pod>[] }
  const candidates: string[] = []
  const outside: Live<Pod>[] = []
  let surging = 0
  let availableNodes = 0
  for (const { node, pair } of pairs) {
    if (!pair) {
      surging++
      continue
    }
    const { fresh, old } = pair
    const serving = old ?? fresh
    if (serving && available(world, serving)) availableNodes++
    if (!old) continue
    if (fresh) {
      if (available(world, fresh)) plan.delete.push(old)
      else surging++
    } else if (!wanted.has(node)) {
      if (available(world, old)) outside.push(old)
      else plan.delete.push(old)
    } else if (available(world, old)) candidates.push(node)
    else plan.create.push(node)
  }
  plan.delete.push(...outside.slice(0, Math.max(0, availableNodes - desired.length)))
  plan.create.push(...candidates.slice(0, Math.max(0, most - surging)))
  return plan
}

const available = ({ set, nowMs }: World, pod: Live<Pod>): boolean =>
  isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
