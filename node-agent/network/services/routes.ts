import type { IpFamily } from '../../../api/core/ip.ts'
import type { EndpointSlice, Service, ServicePort, ServiceSpec } from '../../../api/generated/types.ts'
import { canonicalIp, disjointCidrs } from '../addresses.ts'
import { type Backend, backendsOf, type Choice, chooseBackends, type Here } from './backends.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** All a node does with the traffic of one port of a service, in one family of addresses. */
export interface RoutedPort extends Choice {
  /** `namespace/name` of the service. */
  service: string
  portName: string
  protocol: Protocol
  port: number
  clusterIp: string
  nodePort: number | undefined
  externalIps: readonly string[]
  loadBalancerIps: readonly string[]
  /** Who may use the load balancer's addresses; empty: everyone. */
  sourceRanges: readonly string[]
  /** How long a client stays with its endpoint; undefined: not at all. */
  affinitySeconds: number | undefined
  internalLocal: boolean
  externalLocal: boolean
}

export interface ServiceRoutes {
  ports: readonly RoutedPort[]
  healthCheckNodePort: number | undefined
  /** Endpoints of this node that are ready, each address counted once. */
  localReady: number
}

/** The service as `here` routes it; undefined where this proxy leaves it alone: headless, external, or another's. */
export function routesOf(service: Service, slices: readonly EndpointSlice[], here: Here): ServiceRoutes | undefined {
  const spec = service.spec ?? {}
  const clusterIp = clusterIpOf(spec, here.family)
  if (clusterIp === undefined || service.metadata?.labels?.[proxyNameLabel] !== undefined) return undefined
  const ports = (spec.ports ?? []).map((port) => routePort(service, spec, port, clusterIp, slices, here))
  const localReady = new Set<string>()
  for (const port of ports)
    for (const backend of port.backends) if (backend.local && backend.ready) localReady.add(backend.ip)
  const checked = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && spec.healthCheckNodePort
  return { ports, healthCheckNodePort: checked || undefined, localReady: localReady.size }
}

/** A service with this label is another proxy's. */
const proxyNameLabel = 'service.kubernetes.io/service-proxy-name'

const defaultAffinitySeconds = 10_800

function routePort(
  service: Service,
  spec: ServiceSpec,
  port: ServicePort,
  clusterIp: string,
  slices: readonly EndpointSlice[],
  here: Here,
): RoutedPort & { backends: readonly Backend[] } {
  const portName = port.name ?? ''
  const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
  const externalIps = addresses(spec.externalIPs, here.family)
  const ingress = service.status?.loadBalancer?.ingress ?? []
  const vips = ingress.filter(({ ipMode }) => ipMode === undefined || ipMode === 'VIP')
  const loadBalancerIps =
    spec.type === 'LoadBalancer'
      ? addresses(
          vips.map(({ ip }) => ip),
          here.family,
        )
      : []
  const nodePort = port.nodePort || undefined
  const external = nodePort !== undefined || externalIps.length > 0 || loadBalancerIps.length > 0
  const internalLocal = spec.internalTrafficPolicy === 'Local'
  const externalLocal = external && spec.externalTrafficPolicy === 'Local'
  const backends = backendsOf(slices, portName, protocol, here)
  return {
    service: `${service.metadata?.namespace}/${service.metadata?.name}`,
    portName,
    protocol,
    port: port.port,
    clusterIp,
    nodePort,
    externalIps,
    loadBalancerIps,
    sourceRanges: disjointCidrs(spec.loadBalancerSourceRanges ?? [], here.family),
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
        : undefined,
    internalLocal,
    externalLocal,
    backends,
    // External traffic with a Local policy still needs the endpoints of the cluster: for what comes from this node's own pods.
    ...chooseBackends(backends, { cluster: !internalLocal || external, local: internalLocal || externalLocal }, here),
  }
}

function clusterIpOf(spec: ServiceSpec, family: IpFamily): string | undefined {
  if (spec.type === 'ExternalName') return undefined
  for (const address of spec.clusterIPs ?? [spec.clusterIP]) {
    const ip = canonicalIp(address, family)
    if (ip !== undefined) return ip
  }
  return undefined
}

function addresses(texts: readonly (string | undefined)[] | undefined, family: IpFamily): string[] {
  const known = new Set<string>()
  for (const text of texts ?? []) {
    const ip = canonicalIp(text, family)
    if (ip !== undefined) known.add(ip)
  }
  return [...known]
}
