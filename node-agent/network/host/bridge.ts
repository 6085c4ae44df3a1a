import { parseIp } from '../../../api/core/ip.ts'
import { nthAddress, prefixOf } from '../addresses.ts'
import { CommandError, type Run } from '../command.ts'

export interface BridgeOptions {
  bridge: string
  podCidr: string
  mtu: number
}

/** The address of the node in its own pod range: pods' gateway. */
export const gatewayOf = (podCidr: string): string => nthAddress(podCidr, 1)

/**
 * Makes the bridge of this node's pods, or brings the one that is there to this range. The CNI plugin would make it with the
 * first pod, but DNS and the services' addresses are needed before.
 */
export async function ensureBridge({ bridge, podCidr, mtu }: BridgeOptions, run: Run): Promise<void> {
  const address = `${gatewayOf(podCidr)}/${prefixOf(podCidr)}`
  const [link] = await show(bridge, run)
  if (!link) await run('ip', ['link', 'add', 'name', bridge, 'address', macOf(podCidr), 'type', 'bridge'])
  await run('ip', ['link', 'set', 'dev', bridge, 'mtu', `${mtu}`, 'up'])
  for (const { local, prefixlen, scope } of link?.addr_info ?? []) {
    const old = `${local}/${prefixlen}`
    if (scope === 'global' && old !== address) await run('ip', ['addr', 'del', old, 'dev', bridge])
  }
  await run('ip', ['addr', 'replace', address, 'dev', bridge])
}

/** Takes the bridge away; nothing to do when it is not there. */
export async function removeBridge(bridge: string, run: Run): Promise<void> {
  if ((await show(bridge, run)).length > 0) await run('ip', ['link', 'del', 'dev', bridge])
}

/** The largest packet the node's way out carries, in bytes: of the device that holds `nodeIp`, or of the default route. */
export async function uplinkMtu(nodeIp: string, run: Run): Promise<number> {
  const links: Link[] = JSON.parse(await run('ip', ['-json', 'addr', 'show']))
  const holder = links.find(({ addr_info }) => addr_info.some(({ local }) => local === nodeIp))
  if (holder && holder.ifname !== 'lo') return holder.mtu
  const routes: { dev?: string }[] = JSON.parse((await run('ip', ['-json', 'route', 'show', 'default'])) || '[]')
  return links.find(({ ifname }) => ifname === routes[0]?.dev)?.mtu ?? defaultMtu
}

interface Link {
  ifname: string
  mtu: number
  addr_info: { local: string; prefixlen: number; scope: string }[]
}

const defaultMtu = 1500

async function show(bridge: string, run: Run): Promise<Link[]> {
  try {
    return JSON.parse(await run('ip', ['-json', 'addr', 'show', 'dev', bridge]))
  } catch (error) {
    if (error instanceof CommandError && error.stderr.includes('does not exist')) return []
    throw error
  }
}

/** A bridge without one takes its first port's, and changes it as ports come and go: pods would lose their gateway. */
function macOf(podCidr: string): string {
  const bytes = parseIp(gatewayOf(podCidr))?.bytes.slice(-4) ?? []
  return ['0a', '58', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}
