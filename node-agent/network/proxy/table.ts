import type { IpFamily } from '../../../api/core/ip.ts'
import type { SetName } from './ruleset.ts'

export interface TableOptions {
  family: IpFamily
  /** One table a cluster: two clusters, or kube-proxy beside us, do not touch each other's. */
  table: string
  /** The pods' addresses; undefined when they cannot be told from others. */
  clusterCidr: string | undefined
  /** Services' addresses. What goes there and belongs to no service is dropped; empty: it is left alone. */
  serviceCidrs: readonly string[]
  /** The bridge of this node's pods; undefined when there is none of ours. */
  bridge: string | undefined
  /** The name of an empty chain that tells whose the table is. */
  owner?: string
}

/** What a rule does to a packet whose source must become this node's address on the way out. */
export const markForMasquerade = 'meta mark set meta mark or 0x4000'

/** What an element of a map does to a packet that nobody would answer. */
export const refuse = 'goto refuse'

/** Name and type of each shared set. Maps lead to a verdict. */
export function sharedSets(family: IpFamily): { name: SetName; kind: 'set' | 'map'; type: string }[] {
  const address = family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr'
  const place = `${address} . inet_proto . inet_service`
  return [
    { name: 'cluster-ips', kind: 'set', type: address },
    { name: 'node-ips', kind: 'set', type: address },
    { name: 'hairpin', kind: 'set', type: `${address} . ${place}` },
    { name: 'service-ips', kind: 'map', type: place },
    { name: 'service-nodeports', kind: 'map', type: 'inet_proto . inet_service' },
    { name: 'no-endpoint-services', kind: 'map', type: place },
    { name: 'no-endpoint-nodeports', kind: 'map', type: 'inet_proto . inet_service' },
    { name: 'firewall-ips', kind: 'map', type: place },
    { name: 'isolated-in', kind: 'map', type: address },
    { name: 'isolated-out', kind: 'map', type: address },
  ]
}

/** The table without any service, for `nft -f`: replaces whatever was there under that name. */
export function tableScript(options: TableOptions): string {
  const { family, table, clusterCidr, serviceCidrs, bridge, owner } = options
  const ip = family === 'IPv4' ? 'ip' : 'ip6'
  const loopback = family === 'IPv4' ? '127.0.0.0/8' : '::1'
  const sets = sharedSets(family).map(
    ({ name, kind, type }) => `  ${kind} ${name} { type ${type}${kind === 'map' ? ' : verdict' : ''}; }`,
  )
  const chain = (name: string, rules: readonly (string | false | undefined)[]) =>
    `  chain ${name} {\n${rules
      .filter((rule) => rule)
      .map((rule) => `    ${rule}\n`)
      .join('')}  }`
  const place = `${ip} daddr . meta l4proto . th dport`
  const nodePlace = `fib daddr type local ${ip} daddr != ${loopback} meta l4proto . th dport`
  const outside = clusterCidr && `${ip} saddr ${clusterCidr} ${ip} daddr != ${clusterCidr} ${ip} daddr != @node-ips`
  const chains = [
    ...(owner ? [chain(owner, [])] : []),
    // Without the reset, a connection that is refused while being forwarded only times out.
    chain('refuse', ['meta l4proto 6 reject with tcp reset', 'reject']),
    chain('services', [
      clusterCidr && `${ip} daddr @cluster-ips ${ip} saddr != ${clusterCidr} ${markForMasquerade}`,
      `${place} vmap @service-ips`,
      `${nodePlace} vmap @service-nodeports`,
    ]),
    chain('no-endpoints', [`${place} vmap @no-endpoint-services`, `${nodePlace} vmap @no-endpoint-nodeports`]),
    chain('stray', [
      `${ip} daddr @cluster-ips goto refuse`,
      serviceCidrs.length > 0 && `${ip} daddr { ${serviceCidrs.join(', ')} } drop`,
    ]),
    chain('sources-prerouting', [filter('prerouting', -110), `ct state new ${place} vmap @firewall-ips`]),
    chain('sources-output', [filter('output', -110), `ct state new ${place} vmap @firewall-ips`]),
    chain('nat-prerouting', ['type nat hook prerouting priority -100;', 'jump services']),
    chain('nat-output', ['type nat hook output priority -100;', 'jump services']),
    chain('filter-input', [filter('input', 0), 'ct state new jump no-endpoints']),
    chain('filter-forward', [filter('forward', 0), 'ct state new jump no-endpoints', 'ct state new jump stray']),
    // Behind the translation of addresses: network policies are about pods, not services. What is under way goes on.
    chain('policies', [
      filter('forward', 10),
      'ct state established,related accept',
      `${ip} saddr vmap @isolated-out`,
      `${ip} daddr vmap @isolated-in`,
    ]),
    chain('filter-output', [
      filter('output', 0),
      // A pod that is told to go straight to the endpoint would get past the translation of addresses.
      bridge && family === 'IPv4' && `oifname "${bridge}" icmp type redirect drop`,
      'ct state new jump no-endpoints',
      'ct state new jump stray',
    ]),
    chain('nat-postrouting', [
      'type nat hook postrouting priority 100;',
      // What stays on this node finds its way back.
      'oifname "lo" return',
      'meta mark and 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade fully-random',
      `ct status dnat ${ip} saddr . ${ip} daddr . meta l4proto . th dport @hairpin masquerade fully-random`,
      // The world outside has no routes to pods.
      outside && bridge && `${outside} oifname != "${bridge}" masquerade fully-random`,
    ]),
  ]
  const name = `${ip} ${table}`
  return `add table ${name}\ndelete table ${name}\ntable ${name} {\n${[...sets, ...chains].join('\n')}\n}\n`
}

const filter = (hook: string, priority: number): string => `type filter hook ${hook} priority ${priority};`
