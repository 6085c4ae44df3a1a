import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Pod } from '../../api/generated/types.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { InformerFactory } from '../../client/informer.ts'
import type { Logger } from '../../client/logger.ts'
import type { Api, Live } from '../../client/types.ts'
import type { RuntimeKind } from '../runtime/index.ts'

export interface NetworkOptions {
  api: Api
  informers: InformerFactory
  events: Pick<EventRecorder, 'event'>
  nodeName: string
  nodeIp: string
  runtimeKind: RuntimeKind
  cniConfDir: string
  cniBinDir: string
  /** Where pods' addresses come from: `10.244.0.0/16`. */
  clusterCidr: string
  serviceCidr: string
  /** The address at which pods ask for names: `10.96.0.10`. */
  clusterDns: string
  clusterDomain: string
  /** Whether services are routed here, or by another program. */
  proxy: boolean
  /** Whether names are answered here, or by pods. */
  dns: boolean
  /** The agent's own directory: names of devices and tables follow from it, so that clusters do not share them. */
  dataDir: string
  /** Whose servers answer all other names; /etc/resolv.conf. */
  resolvConf?: string
  log: Logger
  signal: AbortSignal
}

/** A port of the machine that leads to a pod. */
export interface HostPort {
  protocol: 'tcp' | 'udp'
  /** Empty: every address of the node. */
  hostIp: string
  hostPort: number
  containerPort: number
}

export interface NodeNetwork {
  /** Call with the node's range, once it is known and whenever it changes; pods can be started when it resolves. */
  podCidrChanged(cidr: string): Promise<void>
  /** What goes into a pod's resolv.conf. */
  readonly dnsAddress: string
  /**
   * Opens a pod's host ports where no plugin does that (the process runtime); no ports end it. With containerd it does
   * nothing: the ports go to the runtime with the sandbox.
   */
  setHostPorts(podUid: string, podIp: string, ports: readonly HostPort[]): Promise<void>
  /**
   * Call when a pod has its address, before anything runs in it: resolves when the network policies that select it hold.
   * Throws when they cannot be made to.
   */
  podStarts(pod: Live<Pod>, podIp: string): Promise<void>
  /** Call when nothing of a pod runs any more. */
  podEnded(podUid: string): void
  /** Ends the following of the cluster. Rules, routes and devices stay, so that pods keep their network meanwhile. */
  stop(): Promise<void>
}

/** What a cluster's devices and tables are called on this machine. At most 15 letters, as devices' names may have. */
export function networkNames(dataDir: string): { bridge: string; table: string } {
  const id = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 6)
  return { bridge: `gantry-${id}`, table: `gantry-${id}` }
}
