import { podQOS } from '../../api/core/pod-qos.ts'
import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { admitPod } from '../pods/admit.ts'
import { amountOf, podRequests } from '../pods/resources.ts'
import type { BoundPod } from '../pods/types.ts'

/** Whether a pod may have the size it asks for: not now, or never on this node. */
export type Verdict = { fits: true } | { fits: false; reason: 'Deferred' | 'Infeasible'; message: string }

const resized = ['cpu', 'memory'] as const

/** Judges what `pod` asks for beside what `others` hold of the node. */
export function judgeResize(pod: BoundPod, others: readonly BoundPod[], node: Live<Node>): Verdict {
  const requests = podRequests(pod.spec)
  for (const name of resized) {
    const requested = requests.get(name) ?? 0
    const capacity = amountOf(name, node.status?.allocatable?.[name] ?? 0)
    if (requested <= capacity) continue
    const facts = `requested: ${requested}, capacity: ${capacity}`
    return { fits: false, reason: 'Infeasible', message: `Node didn't have enough capacity: ${name}, ${facts}` }
  }
  const rejection = admitPod(pod, others, node)
  return rejection ? { fits: false, reason: 'Deferred', message: rejection.message } : { fits: true }
}

/** A pod that waits for another size. */
export interface Waiting {
  /** As it asks to be. */
  pod: BoundPod
  /** As it may be. */
  granted: BoundPod
  /** Since when, in milliseconds since 1970; undefined: it has just asked. */
  since: number | undefined
}

/** Who is judged first: whoever asks for no more, then by priority, then guaranteed ones, then who waits longest. */
export function byTurn(a: Waiting, b: Waiting): number {
  return (
    Number(asksForMore(a)) - Number(asksForMore(b)) ||
    (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) ||
    Number(podQOS(b.pod) === 'Guaranteed') - Number(podQOS(a.pod) === 'Guaranteed') ||
    (a.since ?? Number.MAX_SAFE_INTEGER) - (b.since ?? Number.MAX_SAFE_INTEGER)
  )
}

function asksForMore({ pod, granted }: Waiting): boolean {
  const wanted = podRequests(pod.spec)
  const has = podRequests(granted.spec)
  return resized.some((name) => (wanted.get(name) ?? 0) > (has.get(name) ?? 0))
}
