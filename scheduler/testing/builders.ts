import type { Container, DeviceClass, Node, Pod, PodSpec, PodStatus, Taint } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Claim, DeviceWorld, Slice } from '../dra/device-world.ts'
import { TakenDevices } from '../dra/taken-devices.ts'
import { PodInfo } from '../framework/pod-info.ts'
import type { World } from '../framework/world.ts'

export interface PodParts extends Omit<Partial<PodSpec>, 'nodeName'> {
  name?: string
  namespace?: string
  uid?: string
  labels?: Record<string, string>
  /** The node it is on. */
  node?: string
  cpu?: string
  memory?: string
  requests?: Record<string, string>
  status?: PodStatus
  deletionTimestamp?: string
  metadata?: Partial<Live<Pod>['metadata']>
}

export function pod(parts: PodParts = {}): Live<Pod> {
  const { name = 'pod', namespace = 'default', uid, labels, node, cpu, memory, requests, status, ...rest } = parts
  const { deletionTimestamp, metadata, ...spec } = rest
  const asked = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}), ...requests }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: uid ?? `uid-of-${namespace}-${name}`,
      ...(labels ? { labels } : {}),
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
      ...metadata,
    },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [container(asked)],
      ...(node ? { nodeName: node } : {}),
      ...spec,
    },
    ...(status ? { status } : {}),
  }
}

export const container = (requests: Record<string, string> = {}, more: Partial<Container> = {}): Container => ({
  name: 'main',
  image: 'image',
  ...(Object.keys(requests).length > 0 ? { resources: { requests } } : {}),
  ...more,
})

export const podInfo = (parts: PodParts = {}): PodInfo => new PodInfo(pod(parts))

export interface NodeParts {
  name?: string
  labels?: Record<string, string>
  cpu?: string
  memory?: string
  pods?: string
  allocatable?: Record<string, string>
  taints?: Taint[]
  unschedulable?: boolean
  images?: { names: string[]; sizeBytes: number }[]
}

export function node(parts: NodeParts = {}): Live<Node> {
  const { name = 'node', labels = {}, cpu = '4', memory = '8Gi', pods = '110', allocatable, taints, images } = parts
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints ? { taints } : {}), ...(parts.unschedulable ? { unschedulable: true } : {}) },
    status: { allocatable: { cpu, memory, pods, ...allocatable }, ...(images ? { images } : {}) },
  }
}

/** A world in which there is nothing but what is named. */
export const emptyWorld = (parts: Partial<World> = {}): World => ({
  namespaceLabels: () => ({}),
  namespacesVersion: () => 0,
  serviceSelectors: () => [],
  controllerSelector: () => undefined,
  disruptionBudgets: () => [],
  claim: () => undefined,
  volume: () => undefined,
  volumesOfClass: () => [],
  storageClass: () => undefined,
  csiDriver: () => undefined,
  csiNode: () => undefined,
  storageCapacities: () => [],
  attachmentsOn: () => [],
  devices: deviceWorld(),
  onVolumeChange: () => () => {},
  ...parts,
})

/** Claims, classes and slices of devices, looked up in plain lists. */
export function deviceWorld({
  claims = [],
  classes = [],
  slices = [],
}: {
  claims?: readonly Claim[]
  classes?: readonly Live<DeviceClass>[]
  slices?: readonly Slice[]
} = {}): DeviceWorld {
  const taken = new TakenDevices()
  for (const claim of claims) taken.set(claim)
  return {
    claim: (namespace, name) =>
      claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
    deviceClass: (name) => classes.find(({ metadata }) => metadata.name === name),
    slices: {
      on: (name) => slices.filter(({ spec }) => spec.nodeName === name),
      shared: () => slices.filter(({ spec }) => spec.nodeName === undefined),
      ofPool: (driver, pool) => slices.filter(({ spec }) => spec.driver === driver && spec.pool.name === pool),
    },
    taken,
  }
}
