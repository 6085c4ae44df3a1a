import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { gracePeriodAnnotation } from '../containers/labels.ts'
import { pressureRejection } from '../eviction/admission.ts'
import { byTurn, judgeResize } from '../resize/judge.ts'
import { admitPod } from './admit.ts'
import type { PodDeps } from './deps.ts'
import { rejectedStatus } from './status.ts'
import { type BoundPod, isStaticPod, isTerminalPhase } from './types.ts'
import { PodWorker } from './worker.ts'

/** All pods of this node, one worker each. */
export class PodWorkers {
  readonly #deps: PodDeps
  readonly #node: () => Live<Node> | undefined
  readonly #stop: AbortSignal
  readonly #workers = new Map<string, PodWorker>()
  readonly #rejected = new Set<string>()

  constructor(deps: PodDeps, node: () => Live<Node> | undefined, stop: AbortSignal) {
    this.#deps = deps
    this.#node = node
    this.#stop = stop
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  list(): PodWorker[] {
    return [...this.#workers.values()]
  }

  /** A pod has been bound to this node, or has changed. */
  set(pod: BoundPod): void {
    const { uid } = pod.metadata
    const known = this.#workers.get(uid)
    if (known) {
      known.update(pod)
      return
    }
    if (this.#rejected.has(uid)) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#start(pod)
      return
    }
    if (this.#isNew(pod) && this.#reject(pod)) return
    this.#start(pod)
  }

  /** The object is gone. */
  remove(uid: string): void {
    this.#rejected.delete(uid)
    this.#workers.get(uid)?.removed()
  }

  /** A pod that the runtime has and nobody knows: it is ended, by what its containers say of it. */
  async endOrphan(of: { uid: string; name: string; namespace: string }): Promise<void> {
    if (this.#workers.has(of.uid)) return
    const grace = await this.#graceOfOrphan(of.uid)
    const pod: BoundPod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...of },
      spec: { containers: [], terminationGracePeriodSeconds: grace },
    }
    this.#start(pod).removed()
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake()
  }

  /** Something of the pod has started. */
  started(uid: string, id: string): void {
    this.#workers.get(uid)?.started(id)
  }

  /** Something of the pod has ended. */
  ended(uid: string, id: string): void {
    this.#workers.get(uid)?.ended(id)
  }

  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake()
  }

  #start(pod: BoundPod): PodWorker {
    const { uid } = pod.metadata
    const worker = new PodWorker(this.#deps, pod, this.#stop, () => this.#judgeResizes())
    this.#workers.set(uid, worker)
    void worker.done.finally(() => {
      if (worker.stage === 'finished') this.#workers.delete(uid)
    })
    return worker
  }

  /** Never accepted by an agent of this node. */
  #isNew({ metadata, status }: BoundPod): boolean {
    return (
      metadata.deletionTimestamp === undefined && status?.startTime === undefined && !isTerminalPhase(status?.phase)
    )
  }

  #reject(pod: BoundPod): boolean {
    const node = this.#node()
    if (!node) return false
    const rejection = pressureRejection(pod, node) ?? admitPod(pod, this.#holders(), node)
    if (!rejection) return false
    const { clock, events, statuses } = this.#deps
    events.warning(pod, rejection.reason, rejection.message)
    if (!isStaticPod(pod)) {
      statuses.set(pod, rejectedStatus(pod, rejection.reason, rejection.message, clock.now()))
    }
    this.#rejected.add(pod.metadata.uid)
    return true
  }

  /** The pods that hold something of the node, and how much. */
  #holders(except?: PodWorker): BoundPod[] {
    return this.list()
      .filter((worker) => worker !== except && worker.active && !worker.hasEnded)
      .map((worker) => worker.held)
  }

  /** Lets pods have the sizes that they ask for, one after the other, as far as the node has room. */
  #judgeResizes(): void {
    const node = this.#node()
    if (!node) return
    const waiting = this.list().flatMap((worker) => {
      const waits = worker.waiting
      return waits ? [{ worker, ...waits }] : []
    })
    for (const { worker, pod } of waiting.sort(byTurn)) {
      worker.decideResize(judgeResize(pod, this.#holders(worker), node))
    }
  }

  async #graceOfOrphan(uid: string): Promise<number> {
    const containers = await this.#deps.cri.listContainers({ labelSelector: { 'io.kubernetes.pod.uid': uid } })
    const seconds = containers.map(({ annotations }) => Number(annotations[gracePeriodAnnotation] ?? 30))
    return seconds.length > 0 ? Math.max(...seconds) : 0
  }
}
