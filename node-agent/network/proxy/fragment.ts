import type { IpFamily } from '../../../api/core/ip.ts'
import { inCidr } from '../addresses.ts'
import type { Backend } from '../services/backends.ts'
import type { Protocol, RoutedPort } from '../services/routes.ts'
import type { Chain, Element, Fragment, OwnSet, SetName } from './ruleset.ts'
import { markForMasquerade, refuse } from './table.ts'

/** Names of protocols need /etc/protocols, which small systems lack; their numbers do not. */
export const protocolNumber: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 }

export interface FragmentOptions {
  family: IpFamily
  /** The pods' addresses; undefined when they cannot be told from others. */
  clusterCidr: string | undefined
  /** This node's address. */
  nodeIp: string
}

/** The rules for the ports of one service. */
export function fragmentOf(ports: readonly RoutedPort[], options: FragmentOptions): Fragment {
  const parts = ports.map((port) => portFragment(port, options))
  const elements = new Map<string, Element>()
  for (const part of parts) for (const element of part.elements) elements.set(`${element.set} ${element.key}`, element)
  return {
    elements: [...elements.values()],
    chains: parts.flatMap((part) => part.chains),
    sets: parts.flatMap((part) => part.sets),
  }
}

function portFragment(routed: RoutedPort, options: FragmentOptions): Fragment {
  const { cluster, local, hasAny, internalLocal, externalLocal } = routed
  const number = protocolNumber[routed.protocol]
  const base = `${routed.service}/${routed.protocol}/${routed.portName || '-'}`
  const names = {
    cluster: `cluster/${base}`,
    local: `local/${base}`,
    external: `external/${base}`,
    firewall: `sources/${base}`,
  }
  const hasInternal = hasAny && (!internalLocal || local.length > 0)
  const hasExternal = hasAny && (!externalLocal || local.length > 0)
  const elements: Element[] = [{ set: 'cluster-ips', key: routed.clusterIp }]
  const lead = (set: SetName, key: string, verdict: string) => elements.push({ set, key, verdict })

  const internalKey = `${routed.clusterIp} . ${number} . ${routed.port}`
  if (hasInternal) lead('service-ips', internalKey, `goto ${internalLocal ? names.local : names.cluster}`)
  // Refused where nobody serves; dropped where the policy says "only here" and somebody serves elsewhere.
  else lead('no-endpoint-services', internalKey, hasAny ? 'drop' : refuse)

  const externalKeys = [...routed.externalIps, ...routed.loadBalancerIps].map(
    (ip) => `${ip} . ${number} . ${routed.port}`,
  )
  for (const key of externalKeys) {
    if (hasAny) lead('service-ips', key, `goto ${names.external}`)
    if (!hasExternal) lead('no-endpoint-services', key, hasAny ? 'drop' : refuse)
  }
  if (routed.nodePort !== undefined) {
    const key = `${number} . ${routed.nodePort}`
    if (hasAny) lead('service-nodeports', key, `goto ${names.external}`)
    if (!hasExternal) lead('no-endpoint-nodeports', key, hasAny ? 'drop' : refuse)
  }

  const chains: Chain[] = []
  const fenced = routed.sourceRanges.length > 0 && routed.loadBalancerIps.length > 0
  if (fenced) {
    for (const ip of routed.loadBalancerIps)
      lead('firewall-ips', `${ip} . ${number} . ${routed.port}`, `goto ${names.firewall}`)
    chains.push({ name: names.firewall, rules: [sourceRule(routed, options)] })
  }
  const external = routed.nodePort !== undefined || externalKeys.length > 0
  if (external && hasAny)
    chains.push({ name: names.external, rules: externalRules(routed, names, hasExternal, options) })

  const reachable = new Map([...cluster, ...local].map((backend) => [`${backend.ip}/${backend.port}`, backend]))
  for (const { ip, port, local: here } of reachable.values())
    if (here) elements.push({ set: 'hairpin', key: `${ip} . ${ip} . ${number} . ${port}` })

  const sets: OwnSet[] = []
  const balance = (backends: readonly Backend[]) =>
    routed.affinitySeconds === undefined ? [spread(backends, number, options)] : stick(backends, routed, base, options)
  if (cluster.length > 0) chains.push({ name: names.cluster, rules: balance(cluster) })
  if (local.length > 0) chains.push({ name: names.local, rules: balance(local) })
  if (routed.affinitySeconds !== undefined) {
    for (const backend of reachable.values()) {
      const clients = { name: clientsOf(routed, base, backend), timeoutSeconds: routed.affinitySeconds }
      sets.push(clients)
      const remember = `update @${clients.name} { ${ip(options)} saddr }`
      chains.push({ name: endpointChain(base, backend), rules: [remember, spread([backend], number, options)] })
    }
  }
  return { elements, chains, sets }
}

interface Names {
  cluster: string
  local: string
}

function externalRules(routed: RoutedPort, names: Names, hasExternal: boolean, options: FragmentOptions): string[] {
  // The endpoint may be on another node, whose answer must come back through this one.
  if (!routed.externalLocal) return [markForMasquerade, `goto ${names.cluster}`]
  // Pods and this node's own processes reach any endpoint, as if they had gone out to the load balancer and come in again.
  const fromPods = options.clusterCidr ? [`${ip(options)} saddr ${options.clusterCidr} goto ${names.cluster}`] : []
  const fromNode = [`fib saddr type local ${markForMasquerade}`, `fib saddr type local goto ${names.cluster}`]
  return [...fromPods, ...fromNode, ...(hasExternal ? [`goto ${names.local}`] : [])]
}

function sourceRule(routed: RoutedPort, options: FragmentOptions): string {
  const { sourceRanges, loadBalancerIps } = routed
  // Where the balancer's address is also this node's own, what the node sends there comes from that address.
  const own = sourceRanges.some((range) => inCidr(range, options.nodeIp))
    ? loadBalancerIps.filter((address) => !sourceRanges.some((range) => inCidr(range, address)))
    : []
  return `${ip(options)} saddr != { ${[...sourceRanges, ...own].join(', ')} } drop`
}

/** Each new connection to an endpoint by chance. */
function spread(backends: readonly Backend[], number: number, options: FragmentOptions): string {
  const [only] = backends
  if (backends.length === 1 && only) return `meta l4proto ${number} dnat to ${withPort(only)}`
  const slots = backends.map((backend, i) => `${i} : ${backend.ip} . ${backend.port}`)
  const pick = `numgen random mod ${backends.length} map { ${slots.join(', ')} }`
  return `meta l4proto ${number} dnat ${ip(options)} addr . port to ${pick}`
}

/** A client that an endpoint remembers goes there; a new one goes by chance. */
function stick(backends: readonly Backend[], routed: RoutedPort, base: string, options: FragmentOptions): string[] {
  const remembered = backends.map(
    (backend) => `${ip(options)} saddr @${clientsOf(routed, base, backend)} goto ${endpointChain(base, backend)}`,
  )
  const slots = backends.map((backend, i) => `${i} : goto ${endpointChain(base, backend)}`)
  return [...remembered, `numgen random mod ${backends.length} vmap { ${slots.join(', ')} }`]
}

const ip = ({ family }: FragmentOptions): string => (family === 'IPv4' ? 'ip' : 'ip6')

const clientsOf = ({ affinitySeconds }: RoutedPort, base: string, backend: Backend): string =>
  `clients/${affinitySeconds}/${endpointName(base, backend)}`

const endpointChain = (base: string, backend: Backend): string => `endpoint/${endpointName(base, backend)}`

/** Names of chains cannot hold a colon. */
const endpointName = (base: string, { ip, port }: Backend): string => `${base}/${ip.replaceAll(':', '.')}/${port}`

const withPort = ({ ip, port }: Backend): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)
