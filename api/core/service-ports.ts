import type { ServicePort } from '../generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../machinery/field-errors.ts'
import { dnsLabel, portNumber, portNumberOrName, portProtocols, qualifiedName } from './field-formats.ts'
import type { ServiceObject } from './service-ip.ts'

/** Its ports have node ports, allocated or chosen. */
export const hasNodePorts = ({ spec }: ServiceObject): boolean =>
  spec.type === 'NodePort' || spec.type === 'LoadBalancer'

/** A port without a node port is to be given one. */
export const needsNodePorts = ({ spec }: ServiceObject): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

/** A node port is to be allocated on which nodes answer whether they have a local endpoint. */
export const needsHealthCheckNodePort = ({ spec }: ServiceObject): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

/** Every node port the service holds, each once. */
export function heldNodePorts({ spec }: ServiceObject): number[] {
  const ports = (spec.ports ?? []).flatMap(({ nodePort }) => nodePort || [])
  return [...new Set(spec.healthCheckNodePort ? [...ports, spec.healthCheckNodePort] : ports)]
}

/** Gives back the node ports that a writer left out, matched by port name, unless another port uses them now. */
export function completeNodePortsUpdate(service: ServiceObject, old: ServiceObject): void {
  const { spec } = service
  if (needsNodePorts(service) && needsNodePorts(old)) {
    const now = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort))
    const before = new Map((old.spec.ports ?? []).map((port) => [port.name ?? '', port.nodePort]))
    for (const port of spec.ports ?? []) {
      const previous = before.get(port.name ?? '')
      if (!port.nodePort && previous && !now.has(previous)) port.nodePort = previous
    }
  }
  if (needsHealthCheckNodePort(service) && needsHealthCheckNodePort(old)) {
    if (!spec.healthCheckNodePort && old.spec.healthCheckNodePort)
      spec.healthCheckNodePort = old.spec.healthCheckNodePort
  }
}

/** Wipes the node ports of a service that turns into one without, unless its writer set new ones too. */
export function dropNodePorts(service: ServiceObject, old: ServiceObject): void {
  const { spec } = service
  if (hasNodePorts(old) && !hasNodePorts(service)) {
    const before = new Set((old.spec.ports ?? []).map(({ nodePort }) => nodePort))
    const ports = spec.ports ?? []
    if (ports.every(({ nodePort }) => !nodePort || before.has(nodePort))) for (const port of ports) delete port.nodePort
  }
  if (needsHealthCheckNodePort(old) && !needsHealthCheckNodePort(service)) {
    if (spec.healthCheckNodePort === old.spec.healthCheckNodePort) delete spec.healthCheckNodePort
  }
}

/** Faults of each port by itself. */
export function validateServicePorts({ spec }: ServiceObject): FieldError[] {
  const ports = spec.ports ?? []
  const names = new Set<string>()
  return ports.flatMap((port, i) => {
    const path = index('spec.ports', i)
    const { name = '', appProtocol, protocol = '' } = port
    const errors: FieldError[] = []
    if (name !== '') {
      errors.push(...dnsLabel(child(path, 'name'), name))
      if (names.has(name)) errors.push(duplicate(child(path, 'name'), name))
      names.add(name)
    } else if (ports.length > 1) errors.push(required(child(path, 'name')))
    errors.push(...portNumber(child(path, 'port'), port.port))
    if (!portProtocols.includes(protocol)) errors.push(notSupported(child(path, 'protocol'), protocol, portProtocols))
    errors.push(...portNumberOrName(child(path, 'targetPort'), port.targetPort ?? port.port))
    if (appProtocol !== undefined) errors.push(...qualifiedName(child(path, 'appProtocol'), appProtocol))
    return errors
  })
}

/** Faults of the ports taken together: node ports where there may be none, and doubles. */
export function validatePortsTogether({ spec }: ServiceObject): FieldError[] {
  const ports = spec.ports ?? []
  const at = (i: number) => index('spec.ports', i)
  const errors: FieldError[] = []
  if (spec.type === 'ClusterIP') {
    for (const [i, { nodePort }] of ports.entries()) {
      if (nodePort) errors.push(forbidden(child(at(i), 'nodePort'), "may not be used when `type` is 'ClusterIP'"))
    }
  }
  const nodePorts = new Set<string>()
  for (const [i, { nodePort, protocol }] of ports.entries()) {
    if (!nodePort) continue
    if (nodePorts.has(`${protocol}/${nodePort}`)) errors.push(duplicate(child(at(i), 'nodePort'), nodePort))
    nodePorts.add(`${protocol}/${nodePort}`)
  }
  const numbers = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const key = `${port.protocol}/${port.port}`
    if (numbers.has(key)) errors.push(duplicate(at(i), doubledPort(port)))
    numbers.add(key)
  }
  return errors
}

/** Faults of healthCheckNodePort. That it is missing is no fault: it is allocated afterwards. */
export function validateHealthCheckNodePort(service: ServiceObject, old: ServiceObject | undefined): FieldError[] {
  const path = 'spec.healthCheckNodePort'
  const port = service.spec.healthCheckNodePort ?? 0
  if (!needsHealthCheckNodePort(service)) {
    if (port === 0) return []
    return [invalid(path, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")]
  }
  if (old && needsHealthCheckNodePort(old) && port !== (old.spec.healthCheckNodePort ?? 0))
    return [forbidden(path, 'field is immutable')]
  return port === 0 ? [] : portNumber(path, port)
}

/** The port as upstream shows it in the message: only what makes it a double is filled in. */
const doubledPort = ({ protocol, port }: ServicePort) => ({
  Name: '',
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
})
