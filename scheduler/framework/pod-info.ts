import { type ClaimedVolume, claimedVolumes } from '../../api/core/volume-claims.ts'
import { type Gang, gangOf } from '../../api/gantry/gang.ts'
import type { Pod, Toleration } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import { type AffinityTerms, affinityTerms } from './affinity-terms.ts'
import { podRequests, type Requests } from './requests.ts'

/** A port of the node that a pod wants for itself. */
export interface HostPort {
  readonly address: string
  readonly protocol: string
  readonly port: number
}

const noLabels: Labels = {}
const noTolerations: readonly Toleration[] = []
const noPorts: readonly HostPort[] = []
const noClaims: readonly ClaimedVolume[] = []

/** A pod as the plugins see it: what is asked again and again of it is worked out once. */
export class PodInfo {
  readonly pod: Live<Pod>
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly priority: number
  readonly terminating: boolean
  readonly tolerations: readonly Toleration[]
  readonly requests: Requests
  readonly hostPorts: readonly HostPort[]
  readonly claims: readonly ClaimedVolume[]
  /** Whether it has claims of devices: each pod has its own, so pods of one template are not alike. */
  readonly usesDevices: boolean
  /** With whom it is given a node, or not at all. */
  readonly gang: Gang | undefined
  /** Where it runs, or is about to; empty while it has no node. */
  readonly nodeName: string
  #terms: AffinityTerms | undefined

  constructor(pod: Live<Pod>, nodeName: string = pod.spec?.nodeName ?? '', like?: PodInfo) {
    this.pod = pod
    this.uid = pod.metadata.uid ?? ''
    this.namespace = pod.metadata.namespace ?? ''
    this.name = pod.metadata.name
    this.labels = pod.metadata.labels ?? noLabels
    this.priority = pod.spec?.priority ?? 0
    this.terminating = pod.metadata.deletionTimestamp !== undefined
    this.tolerations = pod.spec?.tolerations ?? noTolerations
    this.requests = like?.requests ?? podRequests(pod)
    this.hostPorts = like?.hostPorts ?? hostPorts(pod)
    this.claims = pod.spec?.volumes === undefined ? noClaims : (like?.claims ?? claimedVolumes(pod))
    this.usesDevices = (pod.spec?.resourceClaims?.length ?? 0) > 0
    this.gang = pod.metadata.annotations && gangOf(pod.metadata.annotations)
    this.nodeName = nodeName
    this.#terms = like?.terms
  }

  /** What it asks of, or against, other pods. */
  get terms(): AffinityTerms {
    this.#terms ??= affinityTerms(this.pod)
    return this.#terms
  }

  get key(): string {
    return `${this.namespace}/${this.name}`
  }

  get schedulerName(): string {
    return this.pod.spec?.schedulerName || 'default-scheduler'
  }

  get nominatedNodeName(): string {
    return this.pod.status?.nominatedNodeName ?? ''
  }

  /** The same pod with a node. */
  on(nodeName: string): PodInfo {
    return new PodInfo(this.pod, nodeName, this)
  }
}

function hostPorts(pod: Live<Pod>): readonly HostPort[] {
  const ports: HostPort[] = []
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (hostPort) ports.push({ address: hostIP || '0.0.0.0', protocol: protocol || 'TCP', port: hostPort })
    }
  }
  return ports.length === 0 ? noPorts : ports
}
