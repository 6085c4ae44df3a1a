import type {
  Ingress,
  IngressBackend,
  IngressClass,
  IPAddress,
  Service,
  ServiceCIDR,
} from '../../api/generated/types.ts'
import { describes, type Surroundings } from './describer.ts'
import { annotationsField, field, fieldIf, identity, indent, labelsField, longTime, section, tabled } from './lines.ts'
import { endpointsText, slicesOf } from './services.ts'

/** An ingress: which host and path lead to which service, and who answers there. */
export const ingress = describes<Ingress>(async (object, around) => {
  const { metadata, spec, status } = object
  const backend = (of: IngressBackend) => backendText(of, metadata.namespace, around)
  const fallback = spec?.defaultBackend ? await backend(spec.defaultBackend) : '<default>'
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || [])
  const rules: string[] = []
  for (const { host, http } of spec?.rules ?? []) {
    if (!http) continue
    rules.push(`${host || '*'}\t`)
    for (const { path = '', backend: to } of http.paths) rules.push(`  \t${path} \t${await backend(to)}`)
  }
  return [
    field('Name', metadata.name),
    ...labelsField('Labels', metadata.labels),
    field('Namespace', metadata.namespace),
    field('Address', [...new Set(addresses)].sort().join(',')),
    field('Ingress Class', spec?.ingressClassName ?? '<none>'),
    field('Default backend', fallback),
    ...section(
      'TLS',
      (spec?.tls ?? []).map(({ secretName, hosts = [] }) =>
        secretName ? `${secretName} terminates ${hosts.join(',')}` : `SNI routes ${hosts.join(',')}`,
      ),
    ),
    'Rules:',
    ...indent([...tabled(['Host', 'Path', 'Backends'], []), ...(rules.length > 0 ? rules : [`*\t*\t${fallback}`])]),
    ...annotationsField('Annotations', metadata.annotations),
  ]
})

/** `web:80 (10.1.2.3:8080)`, or why that leads nowhere. */
async function backendText(
  { service, resource }: IngressBackend,
  namespace: string | undefined,
  around: Surroundings,
): Promise<string> {
  if (resource) return `APIGroup: ${resource.apiGroup ?? '<none>'}, Kind: ${resource.kind}, Name: ${resource.name}`
  if (!service) return ''
  const { number, name = '' } = service.port ?? {}
  const text = `${service.name}:${number || name}`
  try {
    const [slices, { spec }] = await Promise.all([
      slicesOf(around, namespace, service.name),
      around.get<Service>('services', service.name, namespace),
    ])
    const port = spec?.ports?.find((one) => (number ? one.port === number : name !== '' && one.name === name))
    return `${text} (${endpointsText(slices, port?.name ?? '')})`
  } catch (error) {
    return `${text} (<error: ${(error as Error).message}>)`
  }
}

/** A class of ingresses. */
export const ingressClass = describes<IngressClass>((object) => {
  const { controller, parameters } = object.spec ?? {}
  return [
    ...identity(object, { namespace: false }),
    field('Controller', controller),
    ...(parameters
      ? section('Parameters', [
          ...fieldIf('APIGroup', parameters.apiGroup),
          field('Kind', parameters.kind),
          field('Name', parameters.name),
        ])
      : []),
  ]
})

/** A range of addresses for services. */
export const serviceCIDR = describes<ServiceCIDR>((object) => {
  const conditions = object.status?.conditions ?? []
  return [
    ...identity(object, { namespace: false }),
    field('CIDRs', (object.spec?.cidrs ?? []).join(', ')),
    ...(conditions.length > 0
      ? [
          'Status:',
          ...section(
            'Conditions',
            tabled(
              ['Type', 'Status', 'LastTransitionTime', 'Reason', 'Message'],
              conditions.map((one) => [
                one.type,
                one.status,
                longTime(one.lastTransitionTime),
                one.reason,
                one.message,
              ]),
            ),
          ),
        ]
      : []),
  ]
})

/** An address that is taken, and by whom. */
export const ipAddress = describes<IPAddress>((object) => {
  const { parentRef } = object.spec ?? {}
  return [
    ...identity(object, { namespace: false }),
    ...(parentRef
      ? section('Parent Reference', [
          field('Group', parentRef.group),
          field('Resource', parentRef.resource),
          field('Namespace', parentRef.namespace),
          field('Name', parentRef.name),
        ])
      : []),
  ]
})
