import type { Node, Pod } from '../../api/generated/types.ts'
import { formatMicroTime, formatTime } from '../../api/machinery/time.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import type { Informer } from '../../client/informer.ts'
import { leases, nodes, pods } from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Clock, Live } from '../../client/types.ts'
import { podsByNode, podsOnNode } from '../../controller-manager/node-lifecycle/pods-on-node.ts'

/** How long a pod runs that ends by itself. */
export const runsForAnnotation = 'simulation/runs-for-ms'
export const zoneLabel = 'topology.kubernetes.io/zone'
export const hostLabel = 'kubernetes.io/hostname'

const renewMs = 10_000

export interface NodeSize {
  cpu: string
  memory: string
  pods: string
}

interface NodeState {
  isSilent: boolean
  renewAt: number
  /** What it would have done had it not been silent. */
  missed: (() => void)[]
}

/**
 * All nodes at once, on a clock that stands still between two looks: their pods become ready and end after a while, deleted
 * ones go after a while, and each renews its lease in ten seconds. One that falls silent does nothing until it is back.
 */
export class HollowNodes {
  readonly #api: MemoryApi
  readonly #clock: Clock
  readonly #random: () => number
  readonly #pods: Informer<Pod>
  readonly #nodes = new Map<string, NodeState>()
  /** By the moment it is due, rounded up to one at which somebody looks. */
  readonly #due = new Map<number, (() => void)[]>()
  readonly #going = new Set<string>()
  readonly #lookEveryMs: number

  constructor(api: MemoryApi, clock: Clock, random: () => number, all: Informer<Pod>, lookEveryMs: number) {
    this.#api = api
    this.#clock = clock
    this.#random = random
    this.#pods = all
    this.#lookEveryMs = lookEveryMs
    all.addIndexers(podsByNode)
    all.on({
      add: (pod) => this.#look(pod),
      update: (before, after) => {
        const isNews = before.spec?.nodeName !== after.spec?.nodeName
        if (isNews || before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) this.#look(after)
      },
      delete: ({ metadata }) => void this.#going.delete(metadata.uid ?? ''),
    })
  }

  get names(): string[] {
    return [...this.#nodes.keys()]
  }

  async add(name: string, zone: string, size: NodeSize): Promise<void> {
    const now = formatTime(this.#clock.now())
    const common = { status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }
    await this.#api.create<Node>(nodes, {
      metadata: { name, labels: { [hostLabel]: name, [zoneLabel]: zone } },
      spec: {},
      status: { allocatable: { ...size }, conditions: [{ type: 'Ready', ...common }] },
    })
    const renewTime = formatMicroTime(this.#clock.now())
    await this.#api.create(leases, { metadata: { namespace: 'kube-node-lease', name }, spec: { renewTime } })
    const renewAt = this.#clock.now() + this.#random() * renewMs
    this.#nodes.set(name, { isSilent: false, renewAt, missed: [] })
  }

  /** Somebody has given the node up: its object goes, and with it all that it was about to do. */
  async remove(name: string): Promise<void> {
    this.#nodes.delete(name)
    await this.#api.delete(nodes, { name })
    await this.#api.delete(leases, { namespace: 'kube-node-lease', name })
  }

  fallSilent(name: string): void {
    const node = this.#nodes.get(name)
    if (node) node.isSilent = true
  }

  /** The node is back, says so, and makes up for what it has missed. */
  speakAgain(name: string): void {
    const node = this.#nodes.get(name)
    if (!node) return
    node.isSilent = false
    const now = formatTime(this.#clock.now())
    const common = { status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }
    this.#api.edit(nodes, { name }, (live: Live<Node>) => {
      live.status = { ...live.status, conditions: [{ type: 'Ready', ...common }] }
    })
    // Meanwhile they have been marked as not ready.
    for (const { metadata, status } of podsOnNode(this.#pods, name)) {
      const { namespace, name, uid = '' } = metadata
      if (status?.phase === 'Running') this.#report({ namespace, name }, uid, 'Running', 'True')
    }
    for (const act of node.missed.splice(0)) act()
  }

  /** Does what is due. */
  async look(): Promise<void> {
    const now = this.#clock.now()
    for (const act of this.#due.get(now) ?? []) act()
    this.#due.delete(now)
    for (const [name, node] of this.#nodes) {
      if (node.isSilent || node.renewAt > now) continue
      node.renewAt = now + renewMs
      const body = { spec: { renewTime: formatMicroTime(now) } }
      await this.#api.patch(leases, { namespace: 'kube-node-lease', name }, { type: 'merge', body })
    }
  }

  #look({ metadata, spec, status }: Live<Pod>): void {
    const { nodeName } = spec ?? {}
    const { namespace, name, uid = '', deletionTimestamp, annotations } = metadata
    if (!nodeName) return
    const key = { namespace, name }
    if (deletionTimestamp !== undefined) {
      if (this.#going.has(uid)) return
      this.#going.add(uid)
      const preconditions = { uid }
      this.#after(nodeName, 200 + this.#random() * 1500, () => {
        void this.#api.delete(pods, key, { gracePeriodSeconds: 0, preconditions }).catch(unlessGone)
      })
    } else if (status?.phase === 'Pending') {
      const runsForMs = Number(annotations?.[runsForAnnotation] ?? 0)
      this.#after(nodeName, 500 + this.#random() * 2000, () => {
        this.#report(key, uid, 'Running', 'True')
        if (runsForMs > 0) this.#after(nodeName, runsForMs, () => this.#report(key, uid, 'Succeeded', 'False'))
      })
    }
  }

  #after(nodeName: string, ms: number, act: () => void): void {
    const at = Math.ceil((this.#clock.now() + ms) / this.#lookEveryMs) * this.#lookEveryMs
    const unlessSilent = () => {
      const node = this.#nodes.get(nodeName)
      if (node?.isSilent) node.missed.push(act)
      else if (node) act()
    }
    const others = this.#due.get(at)
    if (others) others.push(unlessSilent)
    else this.#due.set(at, [unlessSilent])
  }

  #report(key: { namespace: string | undefined; name: string }, uid: string, phase: string, ready: string): void {
    const standing = this.#pods.lister.get(key.namespace, key.name)
    if (standing?.metadata.uid !== uid || standing.metadata.deletionTimestamp !== undefined) return
    const conditions = [{ type: 'Ready', status: ready, lastTransitionTime: formatTime(this.#clock.now()) }]
    const body = { metadata: { uid }, status: { phase, conditions } }
    void this.#api.patch<Pod>(pods, key, { type: 'merge', body }, { subresource: 'status' }).catch(unlessGone)
  }
}

/** A pod may go, and another come under its name, at any time. */
function unlessGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error
}
