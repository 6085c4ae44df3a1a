import { isDeepStrictEqual } from 'node:util'
import type { ContainerImage, Node, NodeStatus, Taint } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { keptBack, type Threshold } from '../eviction/thresholds.ts'
import type { Image } from '../runtime/cri.ts'
import type { Machine } from './machine.ts'

export const kubeletVersion = 'v1.36.1'

export interface NodeIdentity {
  name: string
  hostname: string
  addresses: string[]
  labels: Readonly<Record<string, string>>
  taints: readonly Taint[]
  maxPods: number
  /** Where the agent answers; 0: nowhere. */
  port: number
  runtime: { name: string; version: string }
}

/** The part of the status that hardly ever changes. */
export function standingStatus(
  machine: Machine,
  diskBytes: number,
  identity: NodeIdentity,
  thresholds: readonly Threshold[],
): NodeStatus {
  const { cores, memoryBytes, info } = machine
  const { addresses, hostname, maxPods, port, runtime } = identity
  const memoryKi = Math.floor(memoryBytes / 1024)
  const keptKi = Math.floor(keptBack(thresholds, 'memory.available', memoryBytes) / 1024)
  const common = { cpu: String(cores), pods: String(maxPods), 'hugepages-1Gi': '0', 'hugepages-2Mi': '0' }
  return {
    addresses: [
      ...addresses.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: hostname },
    ],
    capacity: {
      ...common,
      memory: `${memoryKi}Ki`,
      'ephemeral-storage': `${Math.floor(diskBytes / 1024)}Ki`,
    },
    allocatable: {
      ...common,
      memory: `${Math.max(0, memoryKi - keptKi)}Ki`,
      'ephemeral-storage': String(Math.floor(diskBytes - keptBack(thresholds, 'nodefs.available', diskBytes))),
    },
    ...(port > 0 ? { daemonEndpoints: { kubeletEndpoint: { Port: port } } } : {}),
    nodeInfo: {
      ...info,
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`,
      kubeletVersion,
      kubeProxyVersion: '',
    },
  }
}

/** The node as it registers itself. */
export function newNode(identity: NodeIdentity, status: NodeStatus): Node {
  const { name, taints } = identity
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: nodeLabels(identity, status),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    ...(taints.length > 0 ? { spec: { taints: [...taints] } } : {}),
    status,
  }
}

/** The labels every node has, and those it was told to have. */
export function nodeLabels({ hostname, labels }: NodeIdentity, status: NodeStatus): Record<string, string> {
  const { operatingSystem = 'linux', architecture = '' } = status.nodeInfo ?? {}
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': operatingSystem,
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': hostname,
    'kubernetes.io/os': operatingSystem,
    ...labels,
  }
}

const maxImages = 50
const maxNames = 5

/** The largest images of the node, as the scheduler likes to know them. */
export function imageList(images: readonly Image[]): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.size - a.size)
    .slice(0, maxImages)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, maxNames),
      sizeBytes: size,
    }))
}

/** The patch that brings a node's status to `wanted`; heartbeats alone do not count unless `beat`. */
export function nodeStatusPatch(node: Live<Node>, wanted: NodeStatus, beat: boolean): NodeStatus | undefined {
  const before = (node.status ?? {}) as Record<string, unknown>
  const patch: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(wanted)) {
    const same = name === 'conditions' ? sameConditions(node, wanted) && !beat : isDeepStrictEqual(before[name], value)
    if (!same) patch[name] = value
  }
  if (Object.keys(patch).length === 0) return undefined
  // Addresses are merged by type and address: one that is gone must be named.
  if (patch.addresses) patch.addresses = [{ $patch: 'replace' }, ...(patch.addresses as object[])]
  return patch as NodeStatus
}

function sameConditions(node: Live<Node>, wanted: NodeStatus): boolean {
  return (wanted.conditions ?? []).every(({ lastHeartbeatTime: _, ...condition }) => {
    const old = node.status?.conditions?.find(({ type }) => type === condition.type)
    if (!old) return false
    const { lastHeartbeatTime: __, ...rest } = old
    return isDeepStrictEqual(rest, condition)
  })
}
