import type { Container, Secret, Service } from '../../api/generated/types.ts'
import type { Logger } from '../../client/logger.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import type { PodCgroups } from '../containers/cgroups.ts'
import type { DnsDefaults } from '../containers/dns.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { DownwardFacts } from '../containers/fields.ts'
import type { PodDevices } from '../devices/pod-devices.ts'
import type { KeptLogs } from '../logs/kept-logs.ts'
import type { HostPort } from '../network/index.ts'
import type { Probes } from '../probes/manager.ts'
import type { Cri } from '../runtime/cri.ts'
import type { Volumes } from '../volumes/manager.ts'
import type { BackOff } from './backoff.ts'
import type { PodEvents } from './pod-events.ts'
import type { RuntimeView } from './runtime-view.ts'
import type { StatusWriter } from './status-writer.ts'
import type { BoundPod } from './types.ts'

/** Gets images; tells of it by events itself. Throws an Error with the `reason` a waiting container shows. */
export interface Images {
  ensure(
    pod: BoundPod,
    /** Without a name: a volume of the pod. */
    container: Pick<Container, 'name' | 'image' | 'imagePullPolicy'>,
    secrets: readonly Live<Secret>[],
  ): Promise<{ imageRef: string; imageId: string }>
  /** When an image that could not be had is tried for again, in milliseconds since 1970; undefined: now. */
  nextTry(podUid: string, image: string): number | undefined
}

/** What the pods of one node are run with. */
export interface PodDeps {
  api: Api
  clock: Clock
  log: Logger
  cri: Cri
  runtimeName: string
  view: RuntimeView
  images: Images
  /** Devices that pods claim. */
  devices: Pick<PodDevices, 'prepare' | 'cdiDevices' | 'release'>
  volumes: Pick<Volumes, 'prepare' | 'prepareImage' | 'refresh' | 'teardown'>
  objects: ReferencedObjects & { retain(pod: BoundPod): void; release(uid: string): void }
  tokens: { forget(uid: string): void }
  probes: Probes
  backOff: BackOff
  cgroups: PodCgroups | undefined
  events: PodEvents
  statuses: StatusWriter
  /** Gets the logs of pods that are gone. */
  keptLogs: Pick<KeptLogs, 'takeOver'>
  network: PodNetwork
  node: NodeFacts
}

/** What the node's network does for single pods; see `NodeNetwork`. */
export interface PodNetwork {
  /** Opens the pod's host ports where the runtime does not; none: closes them. */
  setHostPorts(podUid: string, podIp: string, ports: readonly HostPort[]): Promise<void>
  /** Resolves when the network policies that select the pod hold. */
  podStarts(pod: BoundPod, podIp: string): Promise<void>
  podEnded(podUid: string): Promise<void>
}

export interface NodeFacts {
  nodeName: string
  hostIps: readonly string[]
  dns: DnsDefaults
  logRoot: string
  podsDirectory: string
  /** Whether this process may mount file systems. */
  mayMount: boolean
  /** Whether the runtime can make everything below a mount read-only. */
  recursiveReadOnly(): boolean
  /** Whether the runtime looks up devices by the names that drivers give them. */
  resolvesCdi(): boolean
  seccompRoot: string
  memoryCapacity: number
  facts(podIps: readonly string[]): DownwardFacts
  services(): readonly Live<Service>[]
  /** Why pods cannot have a network now; undefined: they can. */
  networkFault(): string | undefined
  readHostsFile(): Promise<string>
}
