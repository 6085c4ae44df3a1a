import type { NodeInfo } from '../cache/node-info.ts'
import { allEvents } from '../framework/cluster-events.ts'
import { maxScore, type QueuePlugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { type Refusal, refusal } from '../framework/refusal.ts'
import type { Candidate } from '../plugins/default-preemption/victims.ts'
import type { Extender, ExtenderVictims } from './extender.ts'

const name = 'Extender'
const largestScore = 10

/** Stands for all extenders in the queue: nobody knows what changes their minds, so whatever happens may. */
export const extenderPlugin: QueuePlugin = { name, hints: [{ on: allEvents }] }

/** Told of failures that are passed over. */
export type OnFailure = (extender: Extender, error: Error) => void

/** The nodes that all extenders let pass; what is refused is added to `refusals`. Throws what one fails with that may not. */
export async function filterBy(
  extenders: readonly Extender[],
  pod: PodInfo,
  feasible: readonly NodeInfo[],
  refusals: Map<string, Refusal>,
  onFailure: OnFailure,
): Promise<readonly NodeInfo[]> {
  let left = feasible
  for (const extender of extenders) {
    if (left.length === 0) break
    if (!extender.filter) continue
    try {
      const { nodes, failed, hopeless } = await extender.filter(pod.pod, objectsOf(left))
      for (const node of left) {
        if (nodes.has(node.name)) continue
        const final = hopeless[node.name]
        const reason = final ?? failed[node.name] ?? ''
        refusals.set(
          node.name,
          refusal(name, final === undefined ? 'Unschedulable' : 'UnschedulableAndUnresolvable', reason),
        )
      }
      left = left.filter((node) => nodes.has(node.name))
    } catch (error) {
      if (!extender.isIgnorable) throw error
      onFailure(extender, error as Error)
    }
  }
  return left
}

const objectsOf = (nodes: readonly NodeInfo[]) => nodes.flatMap(({ node }) => node ?? [])

/** What the extenders give each node, weighted, in the nodes' order. An extender that fails gives nothing. */
export async function scoresBy(
  extenders: readonly Extender[],
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  onFailure: OnFailure,
): Promise<Float64Array> {
  const totals = new Float64Array(nodes.length)
  const ask = async (extender: Extender) => {
    try {
      const scores = await extender.prioritize?.(pod.pod, objectsOf(nodes))
      for (const [i, node] of nodes.entries()) {
        const score = scores?.get(node.name) ?? 0
        totals[i] = (totals[i] as number) + score * extender.weight * (maxScore / largestScore)
      }
    } catch (error) {
      onFailure(extender, error as Error)
    }
  }
  await Promise.all(extenders.map(ask))
  return totals
}

/** What the extenders leave of the candidates of a preemption, one after the other. Throws like {@link filterBy}. */
export async function preemptBy(
  extenders: readonly Extender[],
  pod: PodInfo,
  candidates: readonly Candidate[],
  onFailure: OnFailure,
): Promise<Candidate[]> {
  let left = [...candidates]
  for (const extender of extenders) {
    if (left.length === 0) break
    if (!extender.preempt) continue
    const victims = new Map(
      left.map(({ node, victims: pods, violations }): [string, ExtenderVictims] => [
        node.name,
        { pods: pods.map((victim) => victim.pod), violations },
      ]),
    )
    try {
      const kept = await extender.preempt(pod.pod, victims)
      left = left.flatMap(({ node }) => {
        const its = kept.get(node.name)
        return its
          ? [{ node, victims: its.uids.map((uid) => podOn(extender, node, uid)), violations: its.violations }]
          : []
      })
    } catch (error) {
      if (!extender.isIgnorable) throw error
      onFailure(extender, error as Error)
    }
  }
  return left
}

function podOn(extender: Extender, node: NodeInfo, uid: string): PodInfo {
  const pod = node.pods.find((each) => each.uid === uid)
  if (pod) return pod
  throw new Error(
    `extender: ${extender.name} claims to preempt pod (UID: ${uid}) on node: ${node.name}, but the pod is not found on that node`,
  )
}
