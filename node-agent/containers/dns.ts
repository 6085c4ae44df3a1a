import type { BoundPod } from '../pods/types.ts'

export interface DnsSettings {
  servers: string[]
  searches: string[]
  options: string[]
}

export interface DnsDefaults {
  clusterDns: readonly string[]
  clusterDomain: string
  /** The machine's own resolv.conf, parsed. */
  host: DnsSettings
}

const maxServers = 3
const maxSearches = 32

/** What the pod's resolv.conf says, by its policy and its own settings. */
export function podDns({ metadata, spec }: BoundPod, { clusterDns, clusterDomain, host }: DnsDefaults): DnsSettings {
  const base = (): DnsSettings => {
    const policy = spec.dnsPolicy ?? 'ClusterFirst'
    if (policy === 'None') return { servers: [], searches: [], options: [] }
    const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !spec.hostNetwork)
    if (!cluster || clusterDns.length === 0) return { ...host, options: [...host.options] }
    const own = [`${metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
    return { servers: [...clusterDns], searches: unique([...own, ...host.searches]), options: ['ndots:5'] }
  }
  const settings = base()
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {}
  const named = new Map(settings.options.map((option) => [option.split(':')[0], option]))
  for (const { name = '', value } of options) named.set(name, value === undefined ? name : `${name}:${value}`)
  return {
    servers: unique([...settings.servers, ...nameservers]).slice(0, maxServers),
    searches: unique([...settings.searches, ...searches]).slice(0, maxSearches),
    options: [...named.values()],
  }
}

const unique = (list: readonly string[]): string[] => [...new Set(list)]

/** Reads the text of a resolv.conf; the last `search` line counts. */
export function parseResolvConf(text: string): DnsSettings {
  const settings: DnsSettings = { servers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && rest[0]) settings.servers.push(rest[0])
    else if (word === 'search')
      settings.searches = rest.map((domain) => (domain === '.' ? domain : domain.replace(/\.$/, '')))
    else if (word === 'options') settings.options = rest
  }
  return settings
}
