import type { Node } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Clock, Live } from '../../client/types.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { type AlikePods, AlikePodsIndex } from './alike-pods.ts'
import { Changes } from './changes.ts'
import { Columns } from './columns.ts'
import { type ImageState, NodeInfo } from './node-info.ts'
import { byZonesInTurn, zoneOf } from './node-order.ts'
import { type PodGroup, PodGroups } from './pod-groups.ts'
import { Topologies } from './topology.ts'

interface PodState {
  info: PodInfo
  /** Placed by us; the API server has not yet told us so. */
  assumed: boolean
  alike?: AlikePods | undefined
  group?: PodGroup
  /** Milliseconds since 1970: when an assumed pod whose binding is done is no longer believed in. */
  expiresAt?: number
}

/** After this long without a word of a pod that was bound, what became of it is read anew by forgetting it. */
const defaultAssumedForMs = 15 * 60_000

/**
 * The nodes and their pods as of now. A cycle runs without a pause, so what it sees does not change under it: there is no
 * copy to take. A pod is assumed to be on its node from the moment it is chosen, long before the API server confirms it.
 */
export class Cache {
  readonly columns = new Columns()
  /** Of nodes and the pods on them, by row. */
  readonly changes = new Changes()
  readonly alikePods = new AlikePodsIndex()
  readonly podGroups = new PodGroups()
  readonly topologies = new Topologies(() => this.#nodes.values())
  readonly #nodes = new Map<string, NodeInfo>()
  readonly #byRow: (NodeInfo | undefined)[] = []
  readonly #pods = new Map<string, PodState>()
  /** How many pods on nodes use the claim `namespace/name`. */
  readonly #claims = new Map<string, number>()
  /** How many pods on nodes have each priority. There are few priorities. */
  readonly #priorities = new Map<number, number>()
  readonly #images = new Map<string, ImageState>()
  readonly #clock: Clock
  readonly #assumedForMs: number
  #order: NodeInfo[] | undefined
  #assumed = 0
  /** Assumed pods whose binding is done, those first that are doubted first. */
  readonly #unconfirmed = new Map<string, PodState>()

  constructor(clock: Clock, assumedForMs = defaultAssumedForMs) {
    this.#clock = clock
    this.#assumedForMs = assumedForMs
  }

  /** The nodes that exist, zones in turn. */
  get nodes(): readonly NodeInfo[] {
    this.#order ??= byZonesInTurn([...this.#nodes.values()].filter(({ node }) => node !== undefined))
    return this.#order
  }

  get podCount(): number {
    return this.#pods.size
  }

  get assumedCount(): number {
    return this.#assumed
  }

  /** Of all pods on nodes; infinite where there are none. */
  get lowestPriority(): number {
    return Math.min(...this.#priorities.keys())
  }

  /** How many pods that have a node use the claim. */
  usersOfClaim(namespace: string, claim: string): number {
    return this.#claims.get(`${namespace}/${claim}`) ?? 0
  }

  /** An image by one of its names, with tag; undefined where no node has it. */
  image(name: string): ImageState | undefined {
    return this.#images.get(name)
  }

  /** Undefined for a node that does not exist. */
  node(name: string): NodeInfo | undefined {
    const info = this.#nodes.get(name)
    return info?.node ? info : undefined
  }

  /** The node of a row of the columns; undefined where it does not exist. */
  nodeAt(row: number): NodeInfo | undefined {
    const info = this.#byRow[row]
    return info?.node ? info : undefined
  }

  setNode(node: Live<Node>): NodeInfo {
    const info = this.#nodeOrNew(node.metadata.name)
    const before = info.node && zoneOf(info)
    this.#relabel(info, node)
    this.#setImages(info)
    if (before !== zoneOf(info)) this.#order = undefined
    return info
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info?.node) return
    this.#relabel(info, undefined)
    this.#setImages(info)
    this.#order = undefined
    this.#dropIfEmpty(info)
  }

  pod(uid: string): PodInfo | undefined {
    return this.#pods.get(uid)?.info
  }

  isAssumed(uid: string): boolean {
    return this.#pods.get(uid)?.assumed === true
  }

  /** Puts a pod on the node chosen for it, before anybody else knows. Throws an Error for a pod that is on one. */
  assume(pod: PodInfo): void {
    if (this.#pods.has(pod.uid)) throw new Error(`pod ${pod.key} is on a node already: it cannot be assumed again`)
    this.#put(pod, { info: pod, assumed: true })
    this.#assumed++
  }

  /** Its binding has been accepted: from now on it is only a matter of time until it is confirmed. */
  bindingFinished(uid: string): void {
    const state = this.#pods.get(uid)
    if (!state?.assumed) return
    state.expiresAt = this.#clock.now() + this.#assumedForMs
    this.#unconfirmed.set(uid, state)
  }

  /** Takes back what was assumed of a pod. Does nothing where it has been confirmed. */
  forget(uid: string): boolean {
    const state = this.#pods.get(uid)
    if (!state?.assumed) return false
    this.#remove(state)
    return true
  }

  /** A pod that has a node, as the API server tells it: new, changed, or what was assumed and is now confirmed. */
  setPod(pod: PodInfo): void {
    const state = this.#pods.get(pod.uid)
    if (state && isSameToNode(state.info, pod)) {
      this.#exchange(state, pod)
      return
    }
    if (state) this.#remove(state)
    this.#put(pod, { info: pod, assumed: false })
  }

  /** What has become of the pod changes nothing for its node, as when it is confirmed to be where it was assumed to be. */
  #exchange(state: PodState, pod: PodInfo): void {
    this.#nodes.get(pod.nodeName)?.exchangePod(state.info, pod)
    if (state.assumed) this.#assumed--
    this.#unconfirmed.delete(pod.uid)
    state.info = pod
    state.assumed = false
    delete state.expiresAt
  }

  removePod(uid: string): void {
    const state = this.#pods.get(uid)
    if (state) this.#remove(state)
  }

  /** Forgets the pods that were bound and never confirmed; answers them. */
  expireAssumed(): PodInfo[] {
    const expired: PodState[] = []
    for (const state of this.#unconfirmed.values()) {
      if ((state.expiresAt ?? 0) > this.#clock.now()) break
      expired.push(state)
    }
    for (const state of expired) this.#remove(state)
    return expired.map(({ info }) => info)
  }

  #put(pod: PodInfo, state: PodState): void {
    this.#pods.set(pod.uid, state)
    const node = this.#nodeOrNew(pod.nodeName)
    node.addPod(pod)
    this.changes.mark(node.row)
    state.alike = this.alikePods.add(pod, node)
    state.group = this.podGroups.add(pod, node)
    this.#countClaims(pod, 1)
    this.#countPriority(pod, 1)
  }

  #remove(state: PodState): void {
    const { info, assumed, alike, group } = state
    this.#pods.delete(info.uid)
    this.#countClaims(info, -1)
    this.#countPriority(info, -1)
    if (assumed) this.#assumed--
    this.#unconfirmed.delete(info.uid)
    const node = this.#nodes.get(info.nodeName)
    if (!node) return
    node.removePod(info)
    this.changes.mark(node.row)
    if (alike) this.alikePods.remove(alike, node)
    if (group) this.podGroups.remove(group, node)
    this.#dropIfEmpty(node)
  }

  #relabel(info: NodeInfo, node: Live<Node> | undefined): void {
    const { labels } = info
    info.setNode(node)
    this.topologies.set(info)
    this.changes.mark(info.row)
    if (info.pods.length === 0 || sameLabels(labels, info.labels)) return
    this.podGroups.forgetDomains()
    this.alikePods.forgetDomains()
  }

  #countClaims({ namespace, claims }: PodInfo, change: number): void {
    for (const { claim } of claims) {
      const key = `${namespace}/${claim}`
      const count = (this.#claims.get(key) ?? 0) + change
      if (count > 0) this.#claims.set(key, count)
      else this.#claims.delete(key)
    }
  }

  #countPriority({ priority }: PodInfo, change: number): void {
    const count = (this.#priorities.get(priority) ?? 0) + change
    if (count > 0) this.#priorities.set(priority, count)
    else this.#priorities.delete(priority)
  }

  #nodeOrNew(name: string): NodeInfo {
    let info = this.#nodes.get(name)
    if (!info) {
      info = new NodeInfo(name, this.columns)
      this.#nodes.set(name, info)
      this.#byRow[info.row] = info
    }
    return info
  }

  #dropIfEmpty(info: NodeInfo): void {
    if (info.node || info.pods.length > 0) return
    this.#nodes.delete(info.name)
    this.#byRow[info.row] = undefined
    this.columns.releaseRow(info.row)
  }

  #setImages(info: NodeInfo): void {
    const images = new Map<string, ImageState>()
    for (const { names = [], sizeBytes = 0 } of info.node?.status?.images ?? []) {
      for (const name of names) {
        let state = this.#images.get(name)
        if (!state) {
          state = { sizeBytes, nodes: new Set() }
          this.#images.set(name, state)
        }
        state.sizeBytes = sizeBytes
        state.nodes.add(info.name)
        images.set(name, state)
      }
    }
    for (const [name, state] of info.images) {
      if (images.has(name)) continue
      state.nodes.delete(info.name)
      if (state.nodes.size === 0) this.#images.delete(name)
    }
    info.images = images
  }
}

/** Pods that were trimmed share the parts that are alike. */
const isSameToNode = (before: PodInfo, after: PodInfo): boolean =>
  before.nodeName === after.nodeName &&
  before.requests === after.requests &&
  before.labels === after.labels &&
  before.terminating === after.terminating &&
  before.priority === after.priority &&
  before.pod.status?.startTime === after.pod.status?.startTime &&
  partsOfSpec.every((part) => before.pod.spec?.[part] === after.pod.spec?.[part])

const partsOfSpec = ['containers', 'initContainers', 'affinity', 'volumes'] as const

function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
