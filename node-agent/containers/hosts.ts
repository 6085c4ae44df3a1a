import type { HostAlias } from '../../api/generated/types.ts'
import type { BoundPod } from '../pods/types.ts'

const generated = '# Kubernetes-managed hosts file.\n'
const fromHost = '# Kubernetes-managed hosts file (host network).\n'
const standard = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`

/** The pod's /etc/hosts: the machine's own with host networking, else its addresses under its name, and its aliases. */
export function hostsFile(
  pod: BoundPod,
  podIps: readonly string[],
  name: { hostname: string; domain: string },
  machineHosts: string,
): string {
  const aliases = aliasLines(pod.spec.hostAliases ?? [])
  if (pod.spec.hostNetwork) return `${fromHost}${machineHosts}${aliases}`
  const { hostname, domain } = name
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`
  return `${generated}${standard}${podIps.map((ip) => `${ip}\t${names}\n`).join('')}${aliases}`
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return ''
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`)
  return `\n# Entries added by HostAliases.\n${lines.join('')}`
}

const maxHostname = 63

/** The pod's host name and the domain it is known under; '' without a subdomain. */
export function hostnameOf({ metadata, spec }: BoundPod, clusterDomain: string): { hostname: string; domain: string } {
  if (spec.hostnameOverride) return { hostname: spec.hostnameOverride, domain: '' }
  const wanted = spec.hostname || metadata.name
  // A name of 63 characters at most that does not end in a dot or dash.
  const hostname = wanted.slice(0, maxHostname).replace(/[-.]+$/, '')
  const domain = spec.subdomain ? `${spec.subdomain}.${metadata.namespace}.svc.${clusterDomain}` : ''
  return { hostname, domain }
}

/** What the kernel is told: the full name where the pod wants it. Throws if that is too long for it. */
export function kernelHostname(pod: BoundPod, { hostname, domain }: { hostname: string; domain: string }): string {
  if (!pod.spec.setHostnameAsFQDN || domain === '') return hostname
  const full = `${hostname}.${domain}`
  if (full.length > 64) {
    const facts = `Failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long`
    throw new Error(`${facts} (64 characters is the max, ${full.length} characters requested)`)
  }
  return full
}
