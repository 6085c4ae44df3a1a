import type { Node, Pod } from '../../api/generated/types.ts'
import { formatMicroTime, formatTime } from '../../api/machinery/time.ts'
import { isNotFound } from '../../client/errors.ts'
import { Informer } from '../../client/informer.ts'
import { leases, nodes, pods } from '../../client/resources.ts'
import type { Api, Live } from '../../client/types.ts'

const leaseSeconds = 40
const renewMs = 10_000
/** Writes under way at once: as many nodes would have, and no more than the server should be asked to hold. */
const writesAtOnce = 32
const madeAtOnce = 50

export interface HollowNodesOptions {
  count: number
  /** Told of each pod that is ready, and of each that is gone. */
  ready?: (pod: Live<Pod>) => void
  gone?: (pod: Live<Pod>) => void
}

/**
 * Many nodes without anything in them, all in this process, against any Kubernetes API server: each is registered and
 * keeps its lease, and its pods are reported ready as soon as they are bound, those of jobs as done. What a node costs the
 * server is what a real one costs: one status write a pod, one lease write in ten seconds.
 */
export class HollowNodes {
  readonly #api: Api
  readonly #options: HollowNodesOptions
  readonly #seen = new Map<string, 'started' | 'ending'>()
  readonly #turns: (() => void)[] = []
  #free = writesAtOnce
  #address = 0
  /** Pods of which a status was written. */
  written = 0

  constructor(api: Api, options: HollowNodesOptions) {
    this.#api = api
    this.#options = options
  }

  /** Resolves when all nodes are registered and their pods are followed. They live until the signal fires. */
  async start(signal: AbortSignal): Promise<void> {
    const names = Array.from({ length: this.#options.count }, (_, i) => `hollow-${i}`)
    for (let i = 0; i < names.length; i += madeAtOnce) {
      await Promise.all(names.slice(i, i + madeAtOnce).map((name) => this.#register(name)))
    }
    void this.#keepLeases(names, signal)
    const informer = new Informer<Pod>(this.#api, pods, { fieldSelector: 'spec.nodeName!=', transform: trimmed })
    informer.on({
      add: (pod) => this.#look(pod),
      update: (_, pod) => this.#look(pod),
      delete: (pod) => {
        this.#seen.delete(pod.metadata.uid ?? '')
        this.#options.gone?.(pod)
      },
    })
    await informer.start(signal)
  }

  #look(pod: Live<Pod>): void {
    if (!pod.spec?.nodeName?.startsWith('hollow-')) return
    const { uid = '', deletionTimestamp } = pod.metadata
    const state = this.#seen.get(uid)
    if (deletionTimestamp !== undefined && state !== 'ending') {
      this.#seen.set(uid, 'ending')
      void this.#turn(() => this.#api.delete(pods, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid } }))
    } else if (deletionTimestamp === undefined && state === undefined) {
      this.#seen.set(uid, 'started')
      void this.#turn(async () => {
        const written = await this.#api.patch<Pod>(
          pods,
          pod.metadata,
          { type: 'merge', body: { metadata: { uid }, status: this.#statusOf(pod) } },
          { subresource: 'status' },
        )
        this.written++
        this.#options.ready?.(written)
      })
    }
  }

  #statusOf({ spec }: Live<Pod>): object {
    const now = formatTime(Date.now())
    const done = spec?.restartPolicy !== undefined && spec.restartPolicy !== 'Always'
    const ready = done ? 'False' : 'True'
    const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: now })
    const at = this.#address++
    return {
      phase: done ? 'Succeeded' : 'Running',
      podIP: `10.${128 + ((at >> 16) & 127)}.${(at >> 8) & 255}.${at & 255}`,
      startTime: now,
      conditions: [
        condition('Initialized', 'True'),
        { ...condition('Ready', ready), ...(done ? { reason: 'PodCompleted' } : {}) },
        condition('ContainersReady', ready),
        condition('PodScheduled', 'True'),
      ],
      containerStatuses: (spec?.containers ?? []).map(({ name, image = '' }) => ({
        name,
        image,
        imageID: '',
        restartCount: 0,
        ready: !done,
        state: done
          ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } }
          : { running: { startedAt: now } },
      })),
    }
  }

  async #register(name: string): Promise<void> {
    const now = formatTime(Date.now())
    const capacity = { cpu: '64', memory: '256Gi', pods: '250', 'ephemeral-storage': '1Ti' }
    const conditions = [
      ['Ready', 'True', 'KubeletReady'],
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
    ].map(([type = '', status = '', reason = '']) => ({
      type,
      status,
      reason,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    }))
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'gantry.dev/hollow': 'true' }
    const node: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
      status: { capacity, allocatable: capacity, conditions },
    }
    await this.#api.create<Node>(nodes, node)
    await this.#renew(name, 'create')
  }

  async #keepLeases(names: readonly string[], signal: AbortSignal): Promise<void> {
    // Spread over the whole period, as the leases of real nodes are.
    const tickMs = 500
    const perTick = Math.ceil((names.length * tickMs) / renewMs)
    for (let at = 0; !signal.aborted; at = (at + perTick) % names.length) {
      const some = names.slice(at, at + perTick)
      await Promise.all(some.map((name) => this.#renew(name, 'patch').catch(() => undefined)))
      await new Promise((resolve) => setTimeout(resolve, tickMs).unref())
    }
  }

  async #renew(name: string, how: 'create' | 'patch'): Promise<void> {
    const key = { namespace: 'kube-node-lease', name }
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: leaseSeconds,
      renewTime: formatMicroTime(Date.now()),
    }
    if (how === 'create') await this.#api.create(leases, { metadata: key, spec })
    else await this.#api.patch(leases, key, { type: 'merge', body: { spec } })
  }

  /** Waits its turn; a pod that is gone meanwhile is no fault. */
  async #turn(work: () => Promise<unknown>): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#turns.push(resolve))
    try {
      await work()
    } catch (error) {
      if (!isNotFound(error)) process.stderr.write(`a hollow node: ${(error as Error).message}\n`)
    } finally {
      const next = this.#turns.shift()
      if (next) next()
      else this.#free++
    }
  }
}

/** What is asked of a pod here; the rest would be tens of thousands of copies of nothing. */
function trimmed({ metadata, spec, status }: Live<Pod>): Live<Pod> {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels } = metadata
  const kept = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(labels === undefined ? {} : { labels }),
  }
  const { nodeName, restartPolicy, containers = [] } = spec ?? {}
  return {
    metadata: kept,
    spec: {
      containers: containers.map((container) => ({ name: container.name, image: container.image ?? '' })),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(restartPolicy === undefined ? {} : { restartPolicy }),
    },
    status: { phase: status?.phase ?? '' },
  }
}
