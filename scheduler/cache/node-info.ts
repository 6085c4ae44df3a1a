import type { Node, Taint } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { amountOf, isScalarResource } from '../framework/requests.ts'
import type { Columns } from './columns.ts'
import { UsedPorts } from './host-ports.ts'

/** An image and the nodes that hold it; shared by those nodes. */
export interface ImageState {
  sizeBytes: number
  readonly nodes: Set<string>
}

const noLabels: Labels = {}
const noTaints: readonly Taint[] = []

/** One node and the pods on it. Its numbers are in the row of the columns. */
export class NodeInfo {
  readonly name: string
  readonly row: number
  /** Undefined while pods are known to be on a node that is not. */
  node: Live<Node> | undefined
  labels: Labels = noLabels
  taints: readonly Taint[] = noTaints
  unschedulable = false
  readonly pods: PodInfo[] = []
  readonly usedPorts = new UsedPorts()
  /** By every name of the image. */
  images: ReadonlyMap<string, ImageState> = new Map()
  readonly #columns: Columns

  constructor(name: string, columns: Columns) {
    this.name = name
    this.#columns = columns
    this.row = columns.takeRow()
  }

  setNode(node: Live<Node> | undefined): void {
    this.node = node
    this.labels = node?.metadata.labels ?? noLabels
    this.taints = node?.spec?.taints ?? noTaints
    this.unschedulable = node?.spec?.unschedulable === true
    this.#setAllocatable(node?.status?.allocatable ?? {})
  }

  addPod(pod: PodInfo): void {
    this.pods.push(pod)
    for (const port of pod.hostPorts) this.usedPorts.add(port)
    this.#columns.count(this.row, pod.requests, 1)
  }

  /** Takes off the very pod that was put on. */
  removePod(pod: PodInfo): void {
    if (!dropFrom(this.pods, pod)) throw new Error(`pod ${pod.key} is not on node ${this.name}`)
    for (const port of pod.hostPorts) this.usedPorts.remove(port)
    this.#columns.count(this.row, pod.requests, -1)
  }

  /** Puts a pod in the place of one that was the same to all who count. */
  exchangePod(before: PodInfo, after: PodInfo): void {
    this.pods[this.pods.indexOf(before)] = after
  }

  #setAllocatable(allocatable: Record<string, string>): void {
    const { cpu, memory, storage, maxPods, scalars } = this.#columns
    for (const column of scalars.values()) column.allocatable[this.row] = 0
    const amount = (name: string) => amountOf(name, allocatable[name] ?? '0')
    cpu.allocatable[this.row] = amount('cpu')
    memory.allocatable[this.row] = amount('memory')
    storage.allocatable[this.row] = amount('ephemeral-storage')
    maxPods[this.row] = amount('pods')
    for (const name of Object.keys(allocatable)) {
      if (isScalarResource(name)) this.#columns.scalar(name).allocatable[this.row] = amount(name)
    }
  }
}

function dropFrom(pods: PodInfo[], pod: PodInfo): boolean {
  const at = pods.indexOf(pod)
  if (at < 0) return false
  const last = pods.pop()
  if (last !== undefined && at < pods.length) pods[at] = last
  return true
}
