import { dnsSubdomain, portName, portNumber } from '../core/field-formats.ts'
import { ipFaults, isIp } from '../core/ip.ts'
import { ingressHostnameFaults } from '../core/service-validation.ts'
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
  IngressTLS,
} from '../generated/types.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { isWildcardDNS1123Subdomain, nameIsDNSLabel, nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateTypedReference } from './references.ts'

export type IngressObject = Stored<Ingress> & { spec: IngressSpec }

export const ingresses = defineResource<IngressObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  namespaced: true,
  storagePrefix: '/ingress',
  schema: builtinSchema('io.k8s.api.networking.v1.Ingress'),
  defaults(ingress) {
    ingress.spec ??= {}
  },
  validate: (ingress, old) => [
    ...validateSpec(ingress.spec, toleranceOf(old?.spec)),
    ...(old ? [] : validateClassAnnotation(ingress)),
  ],
  validateStatus: validateAddresses,
  warnings({ metadata, spec }, old) {
    if (old || metadata.annotations?.[classAnnotation] === undefined || spec.ingressClassName !== undefined) return []
    return [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
  },
  strategy: {
    status: true,
    generation: 'spec',
    prepareForCreate(ingress) {
      ingress.status = { loadBalancer: {} }
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Class',
      type: 'string',
      description: 'The ingress class that serves it.',
      value: ({ spec }) => spec.ingressClassName ?? '<none>',
    },
    {
      name: 'Hosts',
      type: 'string',
      description: 'The hosts that the rules are about.',
      value: ({ spec }) => hostsText(spec.rules ?? []),
    },
    { name: 'Address', type: 'string', description: 'Where the load balancer is reached.', value: addressText },
    {
      name: 'Ports',
      type: 'string',
      description: 'The ports that are open.',
      value: ({ spec }) => (spec.tls?.length ? '80, 443' : '80'),
    },
    ageColumn,
  ],
})

const classAnnotation = 'kubernetes.io/ingress.class'
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEndings = ['/..', '/.']
const shownHosts = 3

/** What the standing object already got away with. */
interface Tolerance {
  secretNames: boolean
  wildcardRules: boolean
}

const strict: Tolerance = { secretNames: false, wildcardRules: false }

function toleranceOf(old: IngressSpec | undefined): Tolerance {
  if (!old) return strict
  return {
    secretNames: (old.tls ?? []).some(
      ({ secretName }) => secretName && nameIsDNSSubdomain(secretName, false).length > 0,
    ),
    wildcardRules: (old.rules ?? []).some((rule) => rule.host?.includes('*') && validatePaths(rule, '').length > 0),
  }
}

function validateSpec(spec: IngressSpec, tolerance: Tolerance): FieldError[] {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec
  const errors: FieldError[] = []
  if (rules.length === 0 && !defaultBackend)
    errors.push(invalid('spec', spec.rules, 'either `defaultBackend` or `rules` must be specified'))
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'))
  for (const [i, rule] of rules.entries()) errors.push(...validateRule(rule, index('spec.rules', i), tolerance))
  for (const [i, entry] of tls.entries()) errors.push(...validateTls(entry, index('spec.tls', i), tolerance))
  if (ingressClassName !== undefined) errors.push(...dnsSubdomain('spec.ingressClassName', ingressClassName))
  return errors
}

function validateClassAnnotation({ metadata, spec }: IngressObject): FieldError[] {
  const annotated = metadata.annotations?.[classAnnotation]
  if (annotated === undefined || spec.ingressClassName === undefined || annotated === spec.ingressClassName) return []
  const detail = 'must match `ingressClassName` when both are specified'
  return [invalid(child('annotations', classAnnotation), annotated, detail)]
}

function validateRule(rule: IngressRule, path: string, tolerance: Tolerance): FieldError[] {
  const { host = '' } = rule
  const wildcard = host.includes('*')
  const errors: FieldError[] = []
  if (isIp(host)) errors.push(invalid(child(path, 'host'), host, 'must be a DNS name, not an IP address'))
  if (host !== '') errors.push(...hostFaults(child(path, 'host'), host))
  return wildcard && tolerance.wildcardRules ? errors : [...errors, ...validatePaths(rule, path)]
}

function hostFaults(path: string, host: string): FieldError[] {
  if (!host.includes('*')) return dnsSubdomain(path, host)
  return isWildcardDNS1123Subdomain(host).map((fault) => invalid(path, host, fault))
}

function validateTls({ hosts = [], secretName = '' }: IngressTLS, path: string, tolerance: Tolerance): FieldError[] {
  return [
    ...hosts.flatMap((host, i) => hostFaults(index(child(path, 'hosts'), i), host)),
    ...(secretName === '' || tolerance.secretNames ? [] : dnsSubdomain(child(path, 'secretName'), secretName)),
  ]
}

function validatePaths({ http }: IngressRule, path: string): FieldError[] {
  if (!http) return []
  const at = child(path, 'http', 'paths')
  const paths = http.paths ?? []
  return paths.length === 0 ? [required(at)] : paths.flatMap((entry, i) => validatePath(entry, index(at, i)))
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, at: string): FieldError[] {
  if (!pathType) return [required(child(at, 'pathType'), 'pathType must be specified')]
  const errors: FieldError[] = []
  const fault = (detail: string) => errors.push(invalid(child(at, 'path'), path, detail))
  if (!pathTypes.includes(pathType)) errors.push(notSupported(child(at, 'pathType'), pathType, pathTypes))
  else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) fault('must be an absolute path')
  } else {
    if (!path.startsWith('/')) fault('must be an absolute path')
    for (const sequence of badSequences) if (path.includes(sequence)) fault(`must not contain '${sequence}'`)
    for (const ending of badEndings) if (path.endsWith(ending)) fault(`cannot end with '${ending}'`)
  }
  return [...errors, ...validateBackend(backend ?? {}, child(at, 'backend'))]
}

function validateBackend({ resource, service }: IngressBackend, path: string): FieldError[] {
  if (resource && service) return [invalid(path, '', 'cannot set both resource and service backends')]
  if (resource) return validateTypedReference(resource, child(path, 'resource'))
  if (service) return validateServiceBackend(service, path)
  return [invalid(path, '', 'resource or service backend is required')]
}

function validateServiceBackend({ name = '', port }: IngressServiceBackend, path: string): FieldError[] {
  const namePath = child(path, 'service', 'name')
  const errors =
    name === '' ? [required(namePath)] : nameIsDNSLabel(name, false).map((fault) => invalid(namePath, name, fault))
  const { name: portText = '', number: portNo = 0 } = port ?? {}
  const portPath = child(path, 'service', 'port')
  if (portText !== '' && portNo !== 0) errors.push(invalid(path, '', 'cannot set both port name & port number'))
  else if (portText !== '') errors.push(...portName(child(portPath, 'name'), portText))
  else if (portNo !== 0) errors.push(...portNumber(child(portPath, 'number'), portNo))
  else errors.push(required(path, 'port name or number is required'))
  return errors
}

function validateAddresses({ status }: IngressObject, old: IngressObject | undefined): FieldError[] {
  const accepted = (old?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip || [])
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname = '' }, i) => {
    const path = index('status.loadBalancer.ingress', i)
    return [
      ...(ip ? ipFaults(child(path, 'ip'), ip, accepted) : []),
      ...ingressHostnameFaults(child(path, 'hostname'), hostname),
    ]
  })
}

function hostsText(rules: readonly IngressRule[]): string {
  const shown: string[] = []
  let more = false
  for (const { host } of rules) {
    if (shown.length === shownHosts) more = true
    else if (host) shown.push(host)
  }
  if (shown.length === 0) return '*'
  const text = shown.join(',')
  return more ? `${text} + ${rules.length - shownHosts} more...` : text
}

function addressText({ status }: IngressObject): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || [])
  return [...new Set(addresses)].sort().join(',')
}
