import type { EventRecorder } from '../../client/events.ts'
import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import { containerNameLabel, podUidLabel } from '../containers/labels.ts'
import { type LocalStorage, type LocalStorageDeps, localTotal, measureLocalStorage } from '../local-storage.ts'
import type { PodEvents } from '../pods/pod-events.ts'
import { type BoundPod, describePod } from '../pods/types.ts'
import type { PodWorkers } from '../pods/workers.ts'
import type { Cri } from '../runtime/cri.ts'
import { evictionMessage, evictionOrder } from './rank.ts'
import { resourceOf, type Shortage } from './thresholds.ts'

/** Upstream's immediateEvictionGracePeriodSeconds. */
const graceSeconds = 1
/** How long one that is being ended may take until the next is. */
const patienceMs = 30_000

export interface EvictorDeps extends LocalStorageDeps {
  cri: Pick<Cri, 'listContainerStats'>
  clock: Clock
  log: Logger
  workers: Pick<PodWorkers, 'list' | 'get'>
  nodeEvents: Pick<EventRecorder, 'event'>
  events: PodEvents
  nodeName: string
  /** Removes the images that nothing uses; how many bytes that has freed. */
  removeUnusedImages(): Promise<number>
  /** What is short now, looked at anew. */
  look(): Promise<readonly Shortage[]>
}

/** Ends pods, one at a time, when the node runs out of something; before that it frees what nobody uses. */
export class Evictor {
  readonly #deps: EvictorDeps
  #working = false
  #ending: { uid: string; since: number } | undefined

  constructor(deps: EvictorDeps) {
    this.#deps = deps
  }

  /** Called whenever the node was looked at. */
  async consider(short: readonly Shortage[]): Promise<void> {
    const worst = worstOf(short)
    if (!worst || this.#working || this.#isEnding()) return
    this.#working = true
    try {
      await this.#relieve(worst)
    } finally {
      this.#working = false
    }
  }

  async #relieve(first: Shortage): Promise<void> {
    const { nodeEvents, nodeName, log } = this.#deps
    const resource = resourceOf(first.signal)
    const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName }
    nodeEvents.event(about, 'Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`)
    let shortage = first
    if (resource !== 'memory') {
      const freed = await this.#deps.removeUnusedImages()
      log.info({ resource, bytes: freed }, 'images that nothing uses were removed, as the node is short')
      const again = worstOf(await this.#deps.look())
      if (!again) return
      shortage = again
    }
    await this.#evictOne(shortage)
  }

  async #evictOne(shortage: Shortage): Promise<void> {
    const { workers, events, log, clock } = this.#deps
    const resource = resourceOf(shortage.signal)
    const running = workers.list().flatMap(({ stage, pod }) => (stage === 'syncing' ? [pod] : []))
    const usage = await this.#measure(running, shortage)
    const totals = new Map([...usage].map(([uid, { total }]) => [uid, total]))
    const [first] = evictionOrder(running, totals, resource)
    if (!first) {
      log.warn({ resource }, 'the node is short, and runs no pod that may be ended')
      return
    }
    const { uid } = first.metadata
    const message = evictionMessage(first, shortage, usage.get(uid)?.containers ?? new Map())
    log.warn({ pod: describePod(first) }, `evicted: ${message.trim()}`)
    events.warning(first, 'Evicted', message)
    this.#ending = { uid, since: clock.now() }
    workers.get(uid)?.evict({ reason: 'Evicted', message, graceSeconds })
  }

  #isEnding(): boolean {
    if (!this.#ending) return false
    const { uid, since } = this.#ending
    const worker = this.#deps.workers.get(uid)
    const hasEnded = !worker || worker.hasEnded
    if (!hasEnded && this.#deps.clock.now() - since < patienceMs) return true
    this.#ending = undefined
    return false
  }

  async #measure(pods: readonly BoundPod[], { signal }: Shortage): Promise<Map<string, Usage>> {
    const resource = resourceOf(signal)
    if (resource === 'memory') return memoryUsage(this.#deps.cri)
    const local = await measureLocalStorage(this.#deps, pods)
    const unit = resource === 'inodes' ? 'inodes' : 'bytes'
    const of = (pod: BoundPod): [string, Usage][] => {
      const found = local.get(pod.metadata.uid)
      return found ? [[pod.metadata.uid, diskUsage(pod, found, unit)]] : []
    }
    return new Map(pods.flatMap(of))
  }
}

/** What is short of process numbers is told, but no pod is known to be to blame. */
const worstOf = (short: readonly Shortage[]): Shortage | undefined =>
  short.find(({ signal }) => signal !== 'pid.available')

/** What one pod uses of something. */
interface Usage {
  total: number
  containers: ReadonlyMap<string, number>
}

function diskUsage(pod: BoundPod, storage: LocalStorage, unit: 'bytes' | 'inodes'): Usage {
  return {
    total: localTotal(pod, storage)[unit],
    containers: new Map([...storage.containers].map(([name, written]) => [name, written[unit]])),
  }
}

async function memoryUsage(cri: Pick<Cri, 'listContainerStats'>): Promise<Map<string, Usage>> {
  const usage = new Map<string, { total: number; containers: Map<string, number> }>()
  for (const { attributes, memory } of await cri.listContainerStats()) {
    const { [podUidLabel]: uid = '', [containerNameLabel]: name = '' } = attributes.labels
    const of = usage.get(uid) ?? { total: 0, containers: new Map() }
    const bytes = memory?.workingSetBytes?.value ?? 0
    of.total += bytes
    of.containers.set(name, (of.containers.get(name) ?? 0) + bytes)
    usage.set(uid, of)
  }
  return usage
}
