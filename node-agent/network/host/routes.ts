import { ipFamily } from '../../../api/core/ip.ts'
import type { Node } from '../../../api/generated/types.ts'
import { canonicalIp, inCidr } from '../addresses.ts'
import type { Run } from '../command.ts'

/** Ways to other nodes' pods: the range, and the node's address. */
export type Routes = ReadonlyMap<string, string>

/** The routes that `self` needs to reach the pods of all other nodes. Nodes without a range or an address have none yet. */
export function planRoutes(nodes: readonly Node[], self: string): Map<string, string> {
  const routes = new Map<string, string>()
  for (const node of nodes) {
    if (node.metadata?.name === self) continue
    const { podCIDRs, podCIDR } = node.spec ?? {}
    for (const range of podCIDRs ?? (podCIDR ? [podCIDR] : [])) {
      const via = nodeAddress(node, range.includes(':') ? 'IPv6' : 'IPv4')
      if (via !== undefined) routes.set(range, via)
    }
  }
  return routes
}

/** The internal address of a node, in one family. */
export function nodeAddress(node: Node, family: 'IPv4' | 'IPv6'): string | undefined {
  for (const { type, address } of node.status?.addresses ?? []) {
    const ip = type === 'InternalIP' ? canonicalIp(address, family) : undefined
    if (ip !== undefined) return ip
  }
  return undefined
}

/** What to add and what to remove so that `present` becomes `wanted`. Only ranges within `clusterCidrs` are ours to remove. */
export function routeChanges(
  present: Routes,
  wanted: Routes,
  clusterCidrs: readonly string[],
): { add: [string, string][]; remove: [string, string][] } {
  const ours = (range: string) => clusterCidrs.some((cidr) => inCidr(cidr, range.split('/')[0] as string))
  return {
    add: [...wanted].filter(([range, via]) => present.get(range) !== via),
    remove: [...present].filter(([range]) => !wanted.has(range) && ours(range)),
  }
}

/** Brings the kernel's routes to those wanted. What cannot be set (a node on no network of ours) comes back, to be told. */
export async function applyRoutes(
  wanted: Routes,
  clusterCidrs: readonly string[],
  run: Run,
): Promise<{ range: string; via: string; error: unknown }[]> {
  const failed: { range: string; via: string; error: unknown }[] = []
  const { add, remove } = routeChanges(await presentRoutes(wanted, clusterCidrs, run), wanted, clusterCidrs)
  for (const [range, via] of [...remove, ...add]) {
    const verb = wanted.has(range) ? 'replace' : 'del'
    try {
      await run('ip', ['route', verb, range, 'via', via, 'proto', protocol])
    } catch (error) {
      failed.push({ range, via, error })
    }
  }
  return failed
}

/** Sends what is meant for services to the bridge, so that the kernel lets it out far enough to be translated. */
export async function routeServices(serviceCidrs: readonly string[], bridge: string, run: Run): Promise<void> {
  for (const range of serviceCidrs) await run('ip', ['route', 'replace', range, 'dev', bridge, 'proto', protocol])
}

/** Takes the routes to other nodes' pods away. */
export async function removeRoutes(clusterCidrs: readonly string[], run: Run): Promise<void> {
  await applyRoutes(new Map(), clusterCidrs, run)
}

/** Marks our routes among others' in `ip route`. */
const protocol = '171'

async function presentRoutes(wanted: Routes, clusterCidrs: readonly string[], run: Run): Promise<Map<string, string>> {
  const families = new Set([...wanted.keys(), ...clusterCidrs].map((cidr) => ipFamily(cidr.split('/')[0] as string)))
  const present = new Map<string, string>()
  for (const family of families) {
    const flag = family === 'IPv6' ? '-6' : '-4'
    const listed = await run('ip', [flag, '-json', 'route', 'show', 'proto', protocol])
    for (const { dst, gateway } of JSON.parse(listed || '[]') as { dst: string; gateway?: string }[])
      if (gateway !== undefined) present.set(dst, gateway)
  }
  return present
}
