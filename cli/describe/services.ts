import type { EndpointSlice, Endpoints, LoadBalancerIngress, Pod, Service } from '../../api/generated/types.ts'
import { joinOrNone } from '../../api/machinery/print.ts'
import { isForbidden } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import { describes, type Surroundings } from './describer.ts'
import { field, fieldIf, identity, indent, orUnset, section, tabled, textsOf } from './lines.ts'
import { serviceHint } from './service-hint.ts'

/** A service: its addresses, its ports, and who answers there. */
export const service = describes<Service>(serviceLines, {
  hint: (object, _, around) => hintOf(object as unknown as Live<Service>, around),
})

async function serviceLines(object: Live<Service>, around: Surroundings): Promise<string[]> {
  const { spec = {}, status } = object
  const slices = await slicesOf(around, object.metadata.namespace, object.metadata.name)
  const ingress = status?.loadBalancer?.ingress ?? []
  return [
    ...identity(object),
    field('Selector', textsOf(spec.selector)),
    field('Type', spec.type),
    ...fieldIf('IP Family Policy', spec.ipFamilyPolicy),
    field('IP Families', joinOrNone(spec.ipFamilies ?? [])),
    field('IP', spec.clusterIP),
    field('IPs', joinOrNone(spec.clusterIPs ?? [])),
    ...fieldIf('External IPs', spec.externalIPs?.join(',')),
    ...fieldIf('Desired LoadBalancer IP', spec.loadBalancerIP),
    ...fieldIf('External Name', spec.externalName),
    ...(ingress.length > 0 ? [field('LoadBalancer Ingress', ingress.map(ingressText).join(', '))] : []),
    ...(spec.ports ?? []).flatMap(({ name = '', port, protocol = 'TCP', targetPort, appProtocol, nodePort }) => {
      const label = name || '<unset>'
      return [
        field('Port', `${label}\t${port}/${protocol}`),
        field('TargetPort', `${targetPort ?? 0}/${protocol}`),
        ...fieldIf('AppProtocol', appProtocol),
        ...(nodePort ? [field('NodePort', `${label}\t${nodePort}/${protocol}`)] : []),
        field('Endpoints', endpointsText(slices, name)),
      ]
    }),
    field('Session Affinity', spec.sessionAffinity),
    ...fieldIf('External Traffic Policy', spec.externalTrafficPolicy),
    ...fieldIf('Internal Traffic Policy', spec.internalTrafficPolicy),
    ...(spec.healthCheckNodePort ? [field('HealthCheck NodePort', spec.healthCheckNodePort)] : []),
    ...fieldIf('LoadBalancer Source Ranges', spec.loadBalancerSourceRanges?.join(',')),
    ...fieldIf('Traffic Distribution', spec.trafficDistribution),
  ]
}

/** Where pods may not be seen, there is nothing to say. */
async function hintOf(object: Live<Service>, around: Surroundings): Promise<string | undefined> {
  const { name, namespace } = object.metadata
  try {
    const [slices, pods] = await Promise.all([
      slicesOf(around, namespace, name),
      around.list<Pod>('pods', { namespace }),
    ])
    return serviceHint(object, slices, pods)
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

const ingressText = ({ ip, ipMode, hostname = '' }: LoadBalancerIngress): string =>
  ip ? `${ip}${ipMode ? ` (${ipMode})` : ''}` : hostname

/** The slices that list who answers for a service. */
export const slicesOf = (
  { list }: Surroundings,
  namespace: string | undefined,
  name: string,
): Promise<EndpointSlice[]> =>
  list<EndpointSlice>('endpointslices.discovery.k8s.io', {
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  })

const endpointsShown = 3

/** The first ready addresses behind a port of a service; `<none>` where there are not even slices. */
export function endpointsText(slices: readonly EndpointSlice[], portName: string): string {
  if (slices.length === 0) return '<none>'
  const all = slices.flatMap(({ ports, endpoints = [] }) => {
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false)
    const addresses = ready.map(({ addresses: [first = ''] }) => first)
    if (!ports?.length) return addresses
    return ports
      .filter(({ name = '' }) => name === portName)
      .flatMap(({ port }) => addresses.map((at) => `${at.includes(':') ? `[${at}]` : at}:${port}`))
  })
  const shown = all.slice(0, endpointsShown).join(',')
  return all.length > endpointsShown ? `${shown} + ${all.length - endpointsShown} more...` : shown
}

/** Endpoints, the form of slices that was before them. */
export const endpoints = describes<Endpoints>((object) => [
  ...identity(object),
  'Subsets:',
  ...(object.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
    ...indent([
      field('Addresses', joinOrNone(addresses.map(({ ip }) => ip))),
      field('NotReadyAddresses', joinOrNone(notReadyAddresses.map(({ ip }) => ip))),
      ...(ports.length > 0
        ? section(
            'Ports',
            tabled(
              ['Name', 'Port', 'Protocol'],
              ports.map(({ name, port, protocol = 'TCP' }) => [name || '<unset>', port, protocol]),
            ),
          )
        : []),
    ]),
    '',
  ]),
])

/** A slice of endpoints. */
export const endpointSlice = describes<EndpointSlice>((object) => [
  ...identity(object),
  field('AddressType', object.addressType),
  ...(object.ports?.length
    ? section(
        'Ports',
        tabled(
          ['Name', 'Port', 'Protocol'],
          object.ports.map(({ name, port, protocol }) => [name || '<unset>', orUnset(port), protocol]),
        ),
      )
    : ['Ports: <unset>']),
  ...(object.endpoints?.length
    ? section(
        'Endpoints',
        object.endpoints.flatMap(({ addresses, conditions, hostname, targetRef, nodeName, zone }) => [
          field('- Addresses', joinOrNone(addresses, ', ')),
          ...indent([
            'Conditions:',
            ...indent([field('Ready', orUnset(conditions?.ready))]),
            field('Hostname', orUnset(hostname)),
            ...(targetRef ? [field('TargetRef', `${targetRef.kind}/${targetRef.name}`)] : []),
            field('NodeName', orUnset(nodeName)),
            field('Zone', orUnset(zone)),
          ]),
        ]),
      )
    : ['Endpoints: <none>']),
])
