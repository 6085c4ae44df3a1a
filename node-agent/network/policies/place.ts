import type { Pod } from '../../../api/generated/types.ts'
import type { Labels } from '../../../api/machinery/labels.ts'
import type { Live } from '../../../client/types.ts'
import { isTerminalPhase } from '../../pods/types.ts'
import { canonicalIp } from '../addresses.ts'

/** What network policies ask of a pod. */
export interface PodPlace {
  uid: string
  namespace: string
  labels: Labels
  nodeName: string
  /** Undefined while it has none of its own: not yet, no more, or because it has its node's. */
  ip: string | undefined
  /** Those that have names. */
  ports: readonly { name: string; protocol: string; port: number }[]
}

/** Of a pod what policies ask, with the address that it is known to have here before its status tells. */
export function placeOf({ metadata, spec, status }: Live<Pod>, known?: string): PodPlace {
  const { uid = '', namespace = '', labels = {} } = metadata
  const ips = status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP]
  const ip = ips.map((one) => canonicalIp(one, 'IPv4')).find((one) => one !== undefined)
  // Sidecars have ports, too.
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  return {
    uid,
    namespace,
    labels,
    nodeName: spec?.nodeName ?? '',
    ip: isTerminalPhase(status?.phase) || spec?.hostNetwork ? undefined : (ip ?? known),
    ports: containers.flatMap(({ ports = [] }) =>
      ports.flatMap(({ name, containerPort, protocol = 'TCP' }) =>
        name ? [{ name, protocol, port: containerPort }] : [],
      ),
    ),
  }
}

/** The pod with nothing but that, for those who hold all pods of a cluster. */
export function onlyPlace({ apiVersion, kind, metadata, spec, status }: Live<Pod>): Live<Pod> {
  const { name, namespace, uid, resourceVersion, labels } = metadata
  const withPorts = (containers: NonNullable<Pod['spec']>['containers'] = []) =>
    containers.flatMap(({ name, ports }) => (ports?.some((port) => port.name) ? [{ name, ports }] : []))
  return {
    ...(apiVersion ? { apiVersion } : {}),
    ...(kind ? { kind } : {}),
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(labels ? { labels } : {}),
    },
    spec: {
      containers: withPorts(spec?.containers),
      initContainers: withPorts(spec?.initContainers),
      ...(spec?.nodeName ? { nodeName: spec.nodeName } : {}),
      ...(spec?.hostNetwork ? { hostNetwork: true } : {}),
    },
    status: {
      ...(status?.phase ? { phase: status.phase } : {}),
      ...(status?.podIP ? { podIP: status.podIP } : {}),
      ...(status?.podIPs ? { podIPs: status.podIPs } : {}),
    },
  }
}
