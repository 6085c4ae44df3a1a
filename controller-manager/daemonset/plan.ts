import type { DaemonSet, Node, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isAvailable, isReady, isTerminal } from '../pods/condition.ts'
import { isCurrent, nodeTest, targetNode } from './daemon-pod.ts'
import { allowsSurge } from './sizes.ts'

export interface World {
  set: Live<DaemonSet>
  nodes: readonly Live<Node>[]
  pods: readonly Live<Pod>[]
  /** The hash of the present template's revision. */
  hash: string
  /** How long a failed pod of the node must stay before it may be replaced; 0: it may be now. */
  failedPodWaitMs(nodeName: string): number
  nowMs: number
}

/** What is to be created, on which nodes, and what is to be deleted. */
export interface Plan {
  create: string[]
  delete: { pod: Live<Pod>; why: 'failed' | 'succeeded' | 'other' }[]
  /** When a failed pod may be replaced. */
  requeueAfterMs: number | undefined
}

/** The pods of each node they are on or wait for. Those that ended and are being deleted count no more. */
export function podsByNode(pods: readonly Live<Pod>[]): Map<string, Live<Pod>[]> {
  const byNode = new Map<string, Live<Pod>[]>()
  for (const pod of pods) {
    const node = targetNode(pod)
    if (node === undefined || (isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined)) continue
    const standing = byNode.get(node)
    if (standing) standing.push(pod)
    else byNode.set(node, [pod])
  }
  return byNode
}

/** Gives every node that is to have one its pod, and takes away what is not to be: not an update of what runs. */
export function planDaemons(world: World): Plan {
  const { set, nodes, pods } = world
  const plan: Plan = { create: [], delete: [], requeueAfterMs: undefined }
  const test = nodeTest(set)
  const byNode = podsByNode(pods)
  for (const node of nodes) {
    const { name } = node.metadata
    const own = byNode.get(name)
    const { run, stay } = test(node)
    if (run && !own) plan.create.push(name)
    else if (stay) keepOne(world, plan, name, own ?? [], run)
    else remove(plan, (own ?? []).filter(isStaying))
  }
  const known = new Set(nodes.map(({ metadata }) => metadata.name))
  // Nobody will ever bind a pod that waits for a node that is gone.
  for (const [node, own] of byNode) {
    if (!known.has(node))
      remove(
        plan,
        own.filter(({ spec }) => !spec?.nodeName),
      )
  }
  return plan
}

function keepOne(world: World, plan: Plan, node: string, own: readonly Live<Pod>[], run: boolean): void {
  const { set, hash, nowMs } = world
  const running: Live<Pod>[] = []
  for (const pod of own.filter(isStaying)) {
    if (pod.status?.phase === 'Failed') {
      const wait = world.failedPodWaitMs(node)
      if (wait <= 0) plan.delete.push({ pod, why: 'failed' })
      else plan.requeueAfterMs = Math.min(wait, plan.requeueAfterMs ?? wait)
    } else if (pod.status?.phase === 'Succeeded') plan.delete.push({ pod, why: 'succeeded' })
    else running.push(pod)
  }
  running.sort(byAge)
  if (!allowsSurge(set)) {
    remove(plan, running.slice(1))
    return
  }
  if (running.length === 0 && run) plan.create.push(node)
  if (running.length <= 1) return
  const fresh = running.find((pod) => isCurrent(set, pod, hash))
  const old = running.find((pod) => !isCurrent(set, pod, hash))
  remove(
    plan,
    running.filter((pod) => pod !== fresh && pod !== old),
  )
  if (!fresh || !old) return
  // The old one goes when the new one can take over, or when it serves nobody any more.
  if (!isReady(old) || isAvailable(fresh, set.spec?.minReadySeconds ?? 0, nowMs)) remove(plan, [old])
}

function remove(plan: Plan, pods: readonly Live<Pod>[]): void {
  plan.delete.push(...pods.map((pod) => ({ pod, why: 'other' as const })))
}

const isStaying = ({ metadata }: Live<Pod>): boolean => metadata.deletionTimestamp === undefined

/** Those on their node first, then the oldest. */
export function byAge(a: Live<Pod>, b: Live<Pod>): number {
  const bound = Number(!a.spec?.nodeName) - Number(!b.spec?.nodeName)
  if (bound !== 0) return bound
  const [one = '', other = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp]
  if (one !== other) return one < other ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}
