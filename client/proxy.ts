import type { Agent } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * The proxy that leads to a server by the environment: HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY names the server. As in
 * Go's programs, whatever is on this machine is asked directly; NO_PROXY has names (of a domain and all in it), addresses,
 * ranges of addresses and `*`, each with a port or without.
 */
export function proxyFromEnvironment(server: string, env: NodeJS.ProcessEnv): string | undefined {
  const { protocol, hostname, port } = new URL(server)
  const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const proxy = env[name] || env[name.toLowerCase()]
  if (!proxy) return undefined
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const without = (env.NO_PROXY || env.no_proxy || '').split(/[\s,]+/).filter((word) => word !== '')
  const to = { host, port: port || (protocol === 'https:' ? '443' : '80') }
  if (isHere(host) || without.some((word) => isMeant(word.toLowerCase(), to))) return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

const isHere = (host: string) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

function isMeant(word: string, { host, port }: { host: string; port: string }): boolean {
  if (word === '*') return true
  if (word.includes('/')) return isWithin(word, host)
  const [, name = '', wanted] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(isIP(word) === 6 ? `[${word}]` : word) ?? []
  if (wanted && wanted !== port) return false
  if (isIP(name) || isIP(host)) return name === host
  const domain = name.replace(/^\*?\./, '')
  return host.endsWith(`.${domain}`) || (host === domain && name === domain)
}

function isWithin(range: string, host: string): boolean {
  const [address = '', bits = ''] = range.split('/')
  const [family, of] = [isIP(address), isIP(host)]
  if (family === 0 || family !== of) return false
  const type = family === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  try {
    list.addSubnet(address, Number(bits), type)
  } catch {
    return false
  }
  return list.check(host, type)
}

/** Connections through a proxy: `http`, `https`, `socks5` or `socks5h`. Throws for any other. */
export async function proxyAgent(proxy: string, options: { keepAlive: boolean; maxSockets?: number }): Promise<Agent> {
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined
  // Read only by those who have one: the packages take time to load.
  if (url && ['http:', 'https:'].includes(url.protocol)) {
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    return new HttpsProxyAgent(url, options)
  }
  if (url && ['socks5:', 'socks5h:'].includes(url.protocol)) {
    const { SocksProxyAgent } = await import('socks-proxy-agent')
    return new SocksProxyAgent(url, options)
  }
  throw new Error(`the proxy ${JSON.stringify(proxy)} is no URL with http, https or socks5`)
}
