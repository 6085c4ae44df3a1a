import type { Service } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/**
 * The variables that tell a container of services: the API server's always, and with `links` those of the pod's own
 * namespace. A service without an address has none.
 */
export function serviceEnvironment(
  services: readonly Live<Service>[],
  namespace: string,
  links: boolean,
): Map<string, string> {
  const chosen = new Map<string, Live<Service>>()
  for (const service of services) {
    const ip = service.spec?.clusterIP
    if (!ip || ip === 'None') continue
    const { name, namespace: home } = service.metadata
    if (home === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service)
    } else if (home === namespace && links) {
      chosen.set(name, service)
    }
  }
  return new Map([...chosen.values()].flatMap(variablesOf))
}

const variableName = (text: string): string => text.toUpperCase().replaceAll('-', '_')

function variablesOf(service: Live<Service>): [string, string][] {
  const ip = service.spec?.clusterIP ?? ''
  const ports = service.spec?.ports ?? []
  const [first] = ports
  if (!first) return []
  const prefix = variableName(service.metadata.name)
  const host = ip.includes(':') ? `[${ip}]` : ip
  const named = ports.flatMap(({ name, port }): [string, string][] =>
    name ? [[`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)]] : [],
  )
  const links = ports.flatMap(({ port, protocol = 'TCP' }, i): [string, string][] => {
    const scheme = protocol.toLowerCase()
    const url = `${scheme}://${host}:${port}`
    const portPrefix = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    return [
      ...(i === 0 ? [[`${prefix}_PORT`, url] as [string, string]] : []),
      [portPrefix, url],
      [`${portPrefix}_PROTO`, scheme],
      [`${portPrefix}_PORT`, String(port)],
      [`${portPrefix}_ADDR`, ip],
    ]
  })
  return [[`${prefix}_SERVICE_HOST`, ip], [`${prefix}_SERVICE_PORT`, String(first.port)], ...named, ...links]
}
