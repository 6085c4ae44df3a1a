import type { Node, Pod, Taint, Toleration } from '../../api/generated/types.ts'
import { formatTime, parseTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { nodes, pods as podRef } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { isTerminal } from '../pods/condition.ts'
import { podInformer } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'
import { podsByNode, podsOnNode } from './pods-on-node.ts'

/** Whether the toleration is one of the taint: upstream's rules. */
export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (key === '' && operator !== 'Exists') return false
  if (operator === 'Exists') return true
  const given = taint.value ?? ''
  if (operator === 'Lt' || operator === 'Gt') {
    const [a, b] = [Number(given), Number(value)]
    return Number.isFinite(a) && Number.isFinite(b) && (operator === 'Lt' ? a < b : a > b)
  }
  return given === value
}

/**
 * How long a pod may stay with these NoExecute taints, from when they were put on: 0, it must go; Infinity, it may stay;
 * else the shortest of what its tolerations allow, in seconds.
 */
export function mayStaySeconds(tolerations: readonly Toleration[], taints: readonly Taint[]): number {
  let shortest = Number.POSITIVE_INFINITY
  for (const taint of taints) {
    const fitting = tolerations.filter((toleration) => tolerates(toleration, taint))
    if (fitting.length === 0) return 0
    // Of several for one taint upstream takes the shortest, too.
    for (const { tolerationSeconds } of fitting)
      if (tolerationSeconds !== undefined) shortest = Math.min(shortest, Math.max(0, tolerationSeconds))
  }
  return shortest
}

/** Deletes pods from nodes with NoExecute taints, at once or when their toleration ends. */
export function newTaintEvictionController({ api, clock, events, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'noexec_taint_pod', baseDelayMs: 50, maxDelayMs: 10_000 })
  const all = informers.for<Node>(nodes)
  const pods = podInformer(informers)
  pods.addIndexers(podsByNode)
  /** When the pod was first seen under taints that do not tell since when they stand. */
  const since = new Map<string, number>()
  const scheduled = new Set<string>()

  const noExecute = (node: Live<Node> | undefined): Taint[] =>
    (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
  all.on({
    add: (node) => {
      if (noExecute(node).length > 0) for (const pod of podsOnNode(pods, node.metadata.name)) queue.add(keyOf(pod))
    },
    update: (before, after) => {
      if (JSON.stringify(noExecute(before)) === JSON.stringify(noExecute(after))) return
      for (const pod of podsOnNode(pods, after.metadata.name)) queue.add(keyOf(pod))
    },
  })
  pods.on({
    add: (pod) => void (pod.spec?.nodeName && queue.add(keyOf(pod))),
    update: (before, after) => {
      const [was, is] = [before.spec, after.spec]
      if (was?.nodeName !== is?.nodeName || JSON.stringify(was?.tolerations) !== JSON.stringify(is?.tolerations))
        queue.add(keyOf(after))
    },
    delete: (pod) => {
      since.delete(keyOf(pod))
      scheduled.delete(keyOf(pod))
    },
  })

  async function evict(pod: Live<Pod>, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    events.event(
      { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata },
      'Normal',
      'TaintManagerEviction',
      `Marking for deletion Pod ${keyOf(pod)}`,
    )
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: formatTime(clock.now()),
    }
    await api.patch<Pod>(
      podRef,
      { namespace, name },
      { type: 'strategic', body: { metadata: { uid }, status: { conditions: [condition] } } },
      { subresource: 'status', signal },
    )
    await api.delete(podRef, { namespace, name }, { ...(uid ? { preconditions: { uid } } : {}), signal })
  }

  return {
    name: 'taint-eviction',
    workers: 8,
    queue,
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key)
      const pod = pods.lister.get(namespace, name)
      if (!pod?.spec?.nodeName || isTerminal(pod) || pod.metadata.deletionTimestamp) return
      const taints = noExecute(all.lister.get(undefined, pod.spec.nodeName))
      const seconds = mayStaySeconds(pod.spec.tolerations ?? [], taints)
      if (taints.length === 0 || seconds === Number.POSITIVE_INFINITY) {
        since.delete(key)
        if (scheduled.delete(key))
          events.event(
            { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata },
            'Normal',
            'TaintManagerEviction',
            `Cancelling deletion of Pod ${key}`,
          )
        return
      }
      const now = clock.now()
      if (!since.has(key)) since.set(key, now)
      const put = taints.map(
        ({ timeAdded }) => (timeAdded ? parseTime(timeAdded) : undefined) ?? (since.get(key) as number),
      )
      // A time from another machine's clock may lie ahead.
      const fromMs = Math.min(now, Math.max(...put), since.get(key) as number)
      const dueMs = fromMs + seconds * 1000
      if (dueMs > now) {
        scheduled.add(key)
        return { requeueAfterMs: dueMs - now }
      }
      try {
        await evict(pod, signal)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      return
    },
  }
}
