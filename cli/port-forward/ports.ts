import type { Pod, Service } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'

/** A port here, 0 for any free one, and the number or name of one there. */
export interface PortPair {
  local: number | undefined
  remote: string
}

/** What is listened on, and where it leads. */
export interface Forwarding {
  local: number
  remote: number
}

/** Reads `8080:80`, `:http`, `5432`. */
export function parsePorts(texts: readonly string[]): PortPair[] {
  return texts.map((text) => {
    const [first = '', second, more] = text.split(':')
    const remote = second ?? first
    if (more !== undefined || remote === '')
      throw new CliError(`invalid port format '${text}': write [LOCAL_PORT:]PORT`)
    if (second === undefined) return { local: undefined, remote }
    const local = first === '' ? 0 : Number(first)
    if (!Number.isInteger(local) || local < 0 || local > 65535)
      throw new CliError(`error parsing local port '${first}': it must be a number up to 65535`)
    return { local, remote }
  })
}

/** The numbers of a pair: names are looked up, and a service's port leads to the one of its pods. */
export function targetPortOf({ local, remote }: PortPair, pod: Pod, service: Service | undefined): Forwarding {
  const port = service?.spec?.ports?.find((one) => String(one.port) === remote || one.name === remote)
  if (service && !port)
    throw new CliError(
      `Service ${service.metadata?.name} does not have a service port ${remote}; it has ${portsThere(service)}`,
    )
  // Without an address of its own a service has no ports but those of its pods.
  const target = service?.spec?.clusterIP === 'None' ? port?.port : (port?.targetPort ?? port?.port)
  const number = numberOf(String(target ?? remote), pod)
  const asked = /^\d+$/.test(remote) ? Number(remote) : number
  return { local: local ?? (service && port ? port.port : asked), remote: number }
}

function numberOf(name: string, pod: Pod): number {
  if (/^\d+$/.test(name)) return Number(name)
  const ports = (pod.spec?.containers ?? []).flatMap(({ ports: own = [] }) => own)
  const found = ports.find((one) => one.name === name)
  if (found) return found.containerPort
  const names = ports.flatMap((one) => (one.name ? [one.name] : []))
  throw new CliError(
    `Pod '${pod.metadata?.name}' does not have a named port '${name}'${names.length > 0 ? `; it has ${names.join(', ')}` : ''}`,
  )
}

const portsThere = ({ spec }: Service): string => (spec?.ports ?? []).map(({ port }) => port).join(', ') || 'none'
