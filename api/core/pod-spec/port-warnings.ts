import type { ContainerPort, PodSpec } from '../../generated/types.ts'
import { visitContainers } from './containers-of.ts'

/** Warnings on ports that several containers of a pod (or one of them twice) define. `path` is the spec's. */
export function portWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = []
  const names: string[] = []
  const byPort = new Map<string, { path: string; port: ContainerPort }[]>()
  const firstWithName = new Map<string, string>()
  visitContainers(spec, path, ({ ports }, containerPath) => {
    if (!ports) return
    for (const [i, port] of ports.entries()) {
      const at = `${containerPath}.ports[${i}]`
      const { hostIP = '', hostPort = 0, containerPort, protocol = '' } = port
      if (hostIP && !hostPort) warnings.push(`${at}: hostIP set without hostPort: ${goStruct(port)}`)
      const key = `${containerPort}/${protocol}`
      const others = byPort.get(key) ?? []
      for (const other of others) {
        const otherIP = other.port.hostIP ?? ''
        const otherPort = other.port.hostPort ?? 0
        if (hostIP === otherIP && hostPort === otherPort) {
          warnings.push(`${at}: duplicate port definition with ${other.path}`)
        } else if (hostPort === 0 || otherPort === 0) {
          warnings.push(`${at}: overlapping port definition with ${other.path}`)
        } else if (hostPort === otherPort && (hostIP === '') !== (otherIP === '')) {
          warnings.push(`${at}: dangerously ambiguous port definition with ${other.path}`)
        }
      }
      byPort.set(key, [...others, { path: at, port }])
      if (!port.name) continue
      const first = firstWithName.get(port.name)
      if (first === undefined) firstWithName.set(port.name, at)
      else {
        names.push(
          `${at}: duplicate port name ${JSON.stringify(port.name)} with ${first}, services and probes that select ports by name will use ${first}`,
        )
      }
    }
  })
  return [...warnings, ...names]
}

/** A port as upstream's message shows it. */
const goStruct = ({ name = '', hostPort = 0, containerPort = 0, protocol = '', hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
