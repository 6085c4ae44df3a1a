import { readFile } from 'node:fs/promises'
import { canonicalIp } from '../addresses.ts'

/** The servers of a resolv.conf, in order. Zones of link-local addresses are kept: `fe80::1%eth0`. */
export function nameservers(text: string): string[] {
  const servers: string[] = []
  for (const line of text.split('\n')) {
    const [word, address = ''] = line.trim().split(/\s+/)
    const [bare, zone] = address.split('%')
    const ip = canonicalIp(bare, 'IPv4') ?? canonicalIp(bare, 'IPv6')
    if (word === 'nameserver' && ip !== undefined) servers.push(zone ? `${ip}%${zone}` : ip)
  }
  return servers
}

/**
 * The servers to pass other names on to. systemd-resolved puts itself on a loopback address, where only its own namespace
 * reaches it: then its list of the real ones is read. `own` addresses are left out: questions would go round in a circle.
 */
export async function upstreamServers(path: string, own: readonly string[]): Promise<string[]> {
  const read = async (file: string) => nameservers(await readFile(file, 'utf8').catch(() => ''))
  let servers = await read(path)
  if (servers.every((server) => server === '127.0.0.53')) {
    const real = await read('/run/systemd/resolve/resolv.conf')
    if (real.length > 0) servers = real
  }
  return servers.filter((server) => !own.includes(server))
}
