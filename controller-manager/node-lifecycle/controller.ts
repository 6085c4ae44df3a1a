import type { Lease, Node, Pod } from '../../api/generated/types.ts'
import { formatTime, parseTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { leases, nodes, pods as podRef } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { isReady } from '../pods/condition.ts'
import { podInformer } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'
import { conditionOf, readinessOf, silentConditions, wantedTaints } from './health.ts'
import { podsByNode, podsOnNode } from './pods-on-node.ts'
import { EvictionPace, evictionRates, zoneOf } from './zones.ts'

/**
 * Watches the heartbeats of nodes. One that falls silent is marked so, keeps new pods off by its taints, and after a while
 * gives up those it has. No clock but this machine's counts: what matters is when a heartbeat was seen to change.
 */
export function newNodeLifecycleController(deps: ControllerDeps): Controller {
  const { api, clock, events, informers, log, options } = deps
  const queue = new WorkQueue({ clock, name: 'node_lifecycle_controller', baseDelayMs: 50, maxDelayMs: 10_000 })
  const all = informers.for<Node>(nodes)
  const pods = podInformer(informers)
  pods.addIndexers(podsByNode)
  const beats = informers.own<Lease>(leases, { namespace: 'kube-node-lease' })
  const seenMs = new Map<string, number>()
  const pace = new EvictionPace()

  const heard = (name: string) => {
    seenMs.set(name, clock.now())
    // A node that speaks again is looked at once, another that goes on speaking only when it could have stopped.
    const node = all.lister.get(undefined, name)
    if (node && conditionOf(node, 'Ready')?.reason === 'NodeStatusUnknown') queue.add(name)
  }
  all.on({
    add: ({ metadata }) => {
      seenMs.set(metadata.name, clock.now())
      queue.add(metadata.name)
    },
    update: (before, after) => {
      const beat = (node: Live<Node>) => conditionOf(node, 'Ready')?.lastHeartbeatTime
      if (beat(before) !== beat(after)) heard(after.metadata.name)
      queue.add(after.metadata.name)
      // Others may now be emptied, or no longer.
      if (readinessOf(before) !== readinessOf(after)) lookAtUnready()
    },
    delete: ({ metadata }) => {
      seenMs.delete(metadata.name)
      lookAtUnready()
    },
  })
  beats.on({
    add: ({ metadata }) => heard(metadata.name),
    update: (before, after) => {
      if (before.spec?.renewTime !== after.spec?.renewTime) heard(after.metadata.name)
    },
  })

  function lookAtUnready(): void {
    for (const node of all.lister.list()) if (readinessOf(node) !== 'True') queue.add(node.metadata.name)
  }

  /** When the node counts as silent, in milliseconds since 1970. */
  function silentAtMs(node: Live<Node>): number {
    const seen = seenMs.get(node.metadata.name) ?? clock.now()
    if (conditionOf(node, 'Ready')) return seen + options.nodeMonitorGracePeriodMs
    const created = parseTime(node.metadata.creationTimestamp ?? '') ?? seen
    return Math.max(seen, created) + options.nodeStartupGracePeriodMs
  }

  async function markSilent(node: Live<Node>, signal: AbortSignal): Promise<Live<Node>> {
    const conditions = silentConditions(node, clock.now())
    if (!conditions) return node
    const was = readinessOf(node)
    const next = await api.update(
      nodes,
      { ...node, status: { ...node.status, conditions } },
      { subresource: 'status', signal },
    )
    log.warn({ node: node.metadata.name }, 'the node has fallen silent')
    if (was === 'True') {
      const about = { apiVersion: 'v1', kind: 'Node', metadata: node.metadata }
      events.event(about, 'Normal', 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`)
    }
    return next
  }

  /** Services must not lead to pods that nobody can vouch for. */
  async function markPodsNotReady(node: string, signal: AbortSignal): Promise<void> {
    for (const pod of podsOnNode(pods, node)) {
      if (!isReady(pod)) continue
      const { namespace, name, uid } = pod.metadata
      const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) }]
      try {
        await api.patch<Pod>(
          podRef,
          { namespace, name },
          { type: 'strategic', body: { metadata: { uid }, status: { conditions } } },
          { subresource: 'status', signal },
        )
        events.event(
          { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata },
          'Warning',
          'NodeNotReady',
          'Node is not ready',
        )
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error
      }
    }
  }

  /** Whether the node's pods are to leave, and when to look again if not yet. */
  function eviction(node: Live<Node>): { evict: boolean; againMs?: number } {
    if (readinessOf(node) === 'True') return { evict: false }
    const already = node.spec?.taints?.some(
      ({ key, effect }) => effect === 'NoExecute' && key.startsWith('node.kubernetes.io/'),
    )
    const rate = evictionRates(all.lister.list(), options).get(zoneOf(node)) ?? 0
    if (already) return { evict: rate > 0 }
    const waitMs = pace.turn(zoneOf(node), rate, clock.now())
    if (waitMs === undefined) return { evict: false }
    return waitMs === 0 ? { evict: true } : { evict: false, againMs: waitMs }
  }

  return {
    name: 'node-lifecycle',
    workers: 4,
    queue,
    start: (signal) => beats.start(signal),
    async reconcile(name, signal) {
      let node = all.lister.get(undefined, name)
      if (!node) return
      const silentAt = silentAtMs(node)
      const silent = silentAt <= clock.now()
      try {
        if (silent) node = await markSilent(node, signal)
        const { evict, againMs } = eviction(node)
        const taints = wantedTaints(node, evict, clock.now())
        if (taints) {
          const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } }
          await api.patch<Node>(nodes, { name }, { type: 'merge', body }, { signal })
        }
        if (readinessOf(node) === 'Unknown') await markPodsNotReady(name, signal)
        if (againMs !== undefined) return { requeueAfterMs: againMs }
      } catch (error) {
        if (isNotFound(error)) return
        if (isConflict(error)) return { requeueAfterMs: 20 }
        throw error
      }
      return silent ? undefined : { requeueAfterMs: silentAt - clock.now() + 1 }
    },
  }
}
