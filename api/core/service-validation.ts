import type { LoadBalancerStatus } from '../generated/types.ts'
import {
  child,
  type FieldError,
  forbidden,
  index,
  invalid,
  key,
  notSupported,
  required,
} from '../machinery/field-errors.ts'
import { validateLabels } from '../machinery/labels.ts'
import { dnsSubdomain, qualifiedName } from './field-formats.ts'
import { cidrFaults, endpointIpFaults, ipFaults, isIp } from './ip.ts'
import { isHeadless, type ServiceObject, validateClusterIPs, validateClusterIPsUpdate } from './service-ip.ts'
import { validateHealthCheckNodePort, validatePortsTogether, validateServicePorts } from './service-ports.ts'

export const deprecatedTopologyAnnotation = 'service.kubernetes.io/topology-aware-hints'
export const topologyAnnotation = 'service.kubernetes.io/topology-mode'
const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const maxAffinitySeconds = 86_400

/** Everything wrong with a service to be created, or with an update of `old`. */
export function validateService(service: ServiceObject, old: ServiceObject | undefined): FieldError[] {
  return [
    ...(old ? [...validateClusterIPsUpdate(service, old), ...validateClassUpdate(service, old)] : []),
    ...validateTopologyAnnotations(service),
    ...validateType(service),
    ...validateServicePorts(service),
    ...validateLabels(service.spec.selector, 'spec.selector'),
    ...validateAffinity(service),
    ...validateClusterIPs(service, old),
    ...validateExternalIPs(service, old),
    ...validateKnownType(service),
    ...validatePortsTogether(service),
    ...validateSourceRanges(service, old),
    ...validateBalancerFields(service),
    ...validateExternalTrafficPolicy(service),
    ...validateHealthCheckNodePort(service, old),
    ...validateTrafficPolicies(service),
  ]
}

/** Everything wrong with a write to the status. */
export function validateServiceStatus(service: ServiceObject, old: ServiceObject | undefined): FieldError[] {
  const ingress = service.status?.loadBalancer?.ingress ?? []
  const path = 'status.loadBalancer.ingress'
  if (service.spec.type !== 'LoadBalancer')
    return ingress.length === 0 ? [] : [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")]
  const accepted = addresses(old?.status?.loadBalancer)
  return ingress.flatMap(({ ip = '', ipMode, hostname = '' }, i) => {
    const at = index(path, i)
    const errors: FieldError[] = ip === '' ? [] : ipFaults(child(at, 'ip'), ip, accepted)
    if (ipMode === undefined) {
      if (ip !== '') errors.push(required(child(at, 'ipMode'), 'must be specified when `ip` is set'))
    } else if (ip === '') errors.push(forbidden(child(at, 'ipMode'), 'may not be specified when `ip` is not set'))
    else if (!ipModes.includes(ipMode)) errors.push(notSupported(child(at, 'ipMode'), ipMode, ipModes))
    return [...errors, ...ingressHostnameFaults(child(at, 'hostname'), hostname)]
  })
}

/** Faults of the name a load balancer is reached by. */
export function ingressHostnameFaults(path: string, hostname: string): FieldError[] {
  if (hostname === '') return []
  const errors = dnsSubdomain(path, hostname)
  if (isIp(hostname)) errors.push(invalid(path, hostname, 'must be a DNS name, not an IP address'))
  return errors
}

/** Reachable from outside the cluster. */
export const isExternallyAccessible = ({ spec }: ServiceObject): boolean =>
  spec.type === 'LoadBalancer' ||
  spec.type === 'NodePort' ||
  (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)

const affinities = ['ClientIP', 'None']
const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const trafficPolicies = ['Cluster', 'Local']
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const ipModes = ['Proxy', 'VIP']

const addresses = (status: LoadBalancerStatus | undefined): string[] =>
  (status?.ingress ?? []).flatMap(({ ip }) => ip || [])

function validateTopologyAnnotations({ metadata }: ServiceObject): FieldError[] {
  const mode = metadata.annotations?.[topologyAnnotation]
  const hints = metadata.annotations?.[deprecatedTopologyAnnotation]
  if (mode === undefined || hints === undefined || mode === hints) return []
  const path = key('metadata.annotations', topologyAnnotation)
  return [invalid(path, mode, `must match annotations[${deprecatedTopologyAnnotation}] when both are specified`)]
}

function validateType(service: ServiceObject): FieldError[] {
  const { spec } = service
  const errors: FieldError[] = []
  if (!spec.ports?.length && !isHeadless(service) && spec.type !== 'ExternalName') errors.push(required('spec.ports'))
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(service))
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  if (spec.type !== 'ExternalName') return errors

  const never = 'may not be set for ExternalName services'
  if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', never))
  if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', never))
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', never))
  // A trailing dot says that the name is complete.
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  errors.push(...(name === '' ? [required('spec.externalName')] : dnsSubdomain('spec.externalName', name)))
  return errors
}

function validateKnownType({ spec }: ServiceObject): FieldError[] {
  return types.includes(spec.type ?? '') ? [] : [notSupported('spec.type', spec.type, types)]
}

function validateAffinity({ spec }: ServiceObject): FieldError[] {
  const { sessionAffinity = '', sessionAffinityConfig: config } = spec
  const path = 'spec.sessionAffinityConfig'
  if (!affinities.includes(sessionAffinity)) return [notSupported('spec.sessionAffinity', sessionAffinity, affinities)]
  if (sessionAffinity === 'None')
    return config ? [forbidden(path, 'must not be set when session affinity is None')] : []
  const because = 'when session affinity type is ClientIP'
  if (!config) return [required(path, because)]
  if (!config.clientIP) return [required(child(path, 'clientIP'), because)]
  const seconds = config.clientIP.timeoutSeconds
  const secondsPath = child(path, 'clientIP', 'timeoutSeconds')
  if (seconds === undefined) return [required(secondsPath, because)]
  return seconds > 0 && seconds <= maxAffinitySeconds
    ? []
    : [invalid(secondsPath, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`)]
}

function validateExternalIPs({ spec }: ServiceObject, old: ServiceObject | undefined): FieldError[] {
  return (spec.externalIPs ?? []).flatMap((ip, i) => {
    const path = index('spec.externalIPs', i)
    const faults = ipFaults(path, ip, old?.spec.externalIPs)
    return faults.length > 0 ? faults : endpointIpFaults(path, ip)
  })
}

function validateSourceRanges({ metadata, spec }: ServiceObject, old: ServiceObject | undefined): FieldError[] {
  const errors: FieldError[] = []
  const onlyBalancers = (path: string) => {
    if (spec.type !== 'LoadBalancer') errors.push(forbidden(path, "may only be used when `type` is 'LoadBalancer'"))
  }
  if (spec.loadBalancerSourceRanges?.length) {
    const path = 'spec.LoadBalancerSourceRanges'
    onlyBalancers(path)
    const accepted = (old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim())
    for (const [i, range] of spec.loadBalancerSourceRanges.entries())
      errors.push(...cidrFaults(index(path, i), range.trim(), accepted))
    return errors
  }
  const annotation = metadata.annotations?.[sourceRangesAnnotation]
  if (annotation === undefined) return errors
  const path = key('metadata.annotations', sourceRangesAnnotation)
  onlyBalancers(path)
  if (annotation.trim() === '' || old?.metadata.annotations?.[sourceRangesAnnotation] === annotation) return errors
  for (const range of annotation.trim().split(',')) errors.push(...cidrFaults(path, range.trim()))
  return errors
}

function validateBalancerFields({ spec }: ServiceObject): FieldError[] {
  const { loadBalancerClass, allocateLoadBalancerNodePorts } = spec
  if (spec.type === 'LoadBalancer')
    return loadBalancerClass === undefined ? [] : qualifiedName('spec.loadBalancerClass', loadBalancerClass)
  const never = "may only be used when `type` is 'LoadBalancer'"
  return [
    ...(allocateLoadBalancerNodePorts === undefined ? [] : [forbidden('spec.allocateLoadBalancerNodePorts', never)]),
    ...(loadBalancerClass === undefined ? [] : [forbidden('spec.loadBalancerClass', never)]),
  ]
}

function validateClassUpdate({ spec }: ServiceObject, { spec: before }: ServiceObject): FieldError[] {
  if (spec.type !== 'LoadBalancer' || before.type !== 'LoadBalancer') return []
  if (spec.loadBalancerClass === before.loadBalancerClass) return []
  return [invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set')]
}

function validateExternalTrafficPolicy(service: ServiceObject): FieldError[] {
  const policy = service.spec.externalTrafficPolicy ?? ''
  const path = 'spec.externalTrafficPolicy'
  if (!isExternallyAccessible(service))
    return policy === '' ? [] : [invalid(path, policy, 'may only be set for externally-accessible services')]
  if (policy === '') return [required(path)]
  return trafficPolicies.includes(policy) ? [] : [notSupported(path, policy, trafficPolicies)]
}

function validateTrafficPolicies({ spec }: ServiceObject): FieldError[] {
  const { internalTrafficPolicy: internal, trafficDistribution: distribution } = spec
  return [
    ...(internal === undefined || trafficPolicies.includes(internal)
      ? []
      : [notSupported('spec.internalTrafficPolicy', internal, trafficPolicies)]),
    ...(distribution === undefined || distributions.includes(distribution)
      ? []
      : [notSupported('spec.trafficDistribution', distribution, distributions)]),
  ]
}
