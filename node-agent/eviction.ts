import type { EventRecorder } from '../client/events.ts'
import type { Logger } from '../client/logger.ts'
import type { Clock } from '../client/types.ts'
import { podUidLabel } from './containers/labels.ts'
import type { Pressures } from './node/conditions.ts'
import { podRequests } from './pods/resources.ts'
import { type BoundPod, isStaticPod } from './pods/types.ts'
import type { PodWorkers } from './pods/workers.ts'
import type { Cri } from './runtime/cri.ts'

const pauseMs = 10_000
const systemCriticalPriority = 2_000_000_000

export interface EvictorDeps {
  cri: Cri
  clock: Clock
  log: Logger
  workers: PodWorkers
  events: Pick<EventRecorder, 'event'>
  nodeName: string
}

/** Ends pods, one at a time, when the node runs out of memory: those first that use most beyond what they asked for. */
export class Evictor {
  readonly #deps: EvictorDeps
  #lastAt = 0

  constructor(deps: EvictorDeps) {
    this.#deps = deps
  }

  /** Called whenever the node was looked at. */
  async consider({ memory }: Pressures): Promise<void> {
    const { clock, cri, log, workers, events, nodeName } = this.#deps
    if (!memory || clock.now() - this.#lastAt < pauseMs) return
    this.#lastAt = clock.now()
    const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName }
    events.event(about, 'Warning', 'EvictionThresholdMet', 'Attempting to reclaim memory')
    const usage = new Map<string, number>()
    for (const { attributes, memory: used } of await cri.listContainerStats()) {
      const uid = attributes.labels[podUidLabel] ?? ''
      usage.set(uid, (usage.get(uid) ?? 0) + (used?.workingSetBytes?.value ?? 0))
    }
    const running = workers.list().filter(({ stage }) => stage === 'syncing')
    const [first] = evictionOrder(
      running.map(({ pod }) => pod),
      usage,
    )
    if (!first) return
    const { name, namespace, uid } = first.metadata
    log.warn({ pod: `${namespace}/${name}` }, 'evicted: the node is low on memory')
    workers.get(uid)?.evict({ reason: 'Evicted', message: 'The node was low on resource: memory. ', graceSeconds: 0 })
  }
}

/** Whom the node itself never ends: what the cluster stands on, and what would not come back. */
export const isCriticalPod = (pod: BoundPod): boolean =>
  isStaticPod(pod) || (pod.spec.priority ?? 0) >= systemCriticalPriority

/** Who goes first: what uses more than it asked for, then the lower priority, then who uses most beyond its request. */
export function evictionOrder(pods: readonly BoundPod[], usage: ReadonlyMap<string, number>): BoundPod[] {
  const excess = (pod: BoundPod): number =>
    (usage.get(pod.metadata.uid) ?? 0) - (podRequests(pod.spec).get('memory') ?? 0)
  return pods
    .filter((pod) => !isCriticalPod(pod))
    .sort(
      (a, b) =>
        Number(excess(b) > 0) - Number(excess(a) > 0) ||
        (a.spec.priority ?? 0) - (b.spec.priority ?? 0) ||
        excess(b) - excess(a),
    )
}
