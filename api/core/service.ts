import type { LoadBalancerStatus, ServicePort } from '../generated/types.ts'
import { child, index } from '../machinery/field-errors.ts'
import { nameIsDNSLabel } from '../machinery/names.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { cidrWarnings, ipWarnings } from './ip.ts'
import {
  completeClusterIPs,
  completeClusterIPsUpdate,
  dropClusterIPs,
  noClusterIP,
  type ServiceObject,
} from './service-ip.ts'
import { completeNodePortsUpdate, dropNodePorts } from './service-ports.ts'
import {
  deprecatedTopologyAnnotation,
  isExternallyAccessible,
  topologyAnnotation,
  validateService,
  validateServiceStatus,
} from './service-validation.ts'

const defaultAffinitySeconds = 10_800

export const services = defineResource<ServiceObject>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  storagePrefix: '/services/specs',
  schema: builtinSchema('io.k8s.api.core.v1.Service'),
  validateName: nameIsDNSLabel,
  defaults,
  validate: validateService,
  validateStatus: validateServiceStatus,
  warnings,
  strategy: {
    status: true,
    createOnUpdate: true,
    returnDeleted: true,
    prepareForCreate(service) {
      service.status = { loadBalancer: {} }
      completeClusterIPs(service)
    },
    prepareForUpdate(service, old) {
      completeClusterIPsUpdate(service, old)
      completeNodePortsUpdate(service, old)
      dropFieldsOfOtherTypes(service, old)
    },
  },
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  subresources: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', description: 'How the service is exposed.', value: ({ spec }) => spec.type ?? '' },
    {
      name: 'Cluster-IP',
      type: 'string',
      description: 'The address of the service inside the cluster.',
      value: ({ spec }) => spec.clusterIPs?.[0] ?? '<none>',
    },
    {
      name: 'External-IP',
      type: 'string',
      description: 'Where the service is reached from outside.',
      value: externalAddress,
    },
    {
      name: 'Port(s)',
      type: 'string',
      description: 'The ports that the service exposes.',
      value: ({ spec }) => (spec.ports ?? []).map(portText).join(',') || '<none>',
    },
    ageColumn,
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'The labels of the pods that traffic goes to.',
      value: ({ spec }) => selectorText(spec.selector ?? {}) || '<none>',
    },
  ],
})

function defaults(service: ServiceObject): void {
  service.spec ??= {}
  const { spec } = service
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: defaultAffinitySeconds } }
  spec.type ||= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    port.targetPort ||= port.port
  }
  if (isExternallyAccessible(service)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy
  else spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'LoadBalancer') return
  spec.allocateLoadBalancerNodePorts ??= true
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
}

/** A field that the new type does not have, and that the writer only left as it was, goes. */
function dropFieldsOfOtherTypes(service: ServiceObject, old: ServiceObject): void {
  dropClusterIPs(service, old)
  dropNodePorts(service, old)
  const { spec } = service
  const before = old.spec
  const isBalancer = spec.type === 'LoadBalancer'
  if (before.type === 'LoadBalancer' && !isBalancer) {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(service)) {
    if (spec.externalTrafficPolicy === before.externalTrafficPolicy) delete spec.externalTrafficPolicy
  }
  if (!isBalancer) service.status = { ...service.status, loadBalancer: {} }
}

function warnings({ metadata, spec }: ServiceObject): string[] {
  const found: string[] = []
  if (metadata.annotations?.[deprecatedTopologyAnnotation] !== undefined)
    found.push(`annotation ${deprecatedTopologyAnnotation} is deprecated, please use ${topologyAnnotation} instead`)
  const { externalIPs = [], loadBalancerIP = '' } = spec
  const headless = spec.type === 'ClusterIP' && spec.clusterIP === noClusterIP
  if (spec.clusterIP && spec.clusterIP !== noClusterIP)
    for (const [i, ip] of (spec.clusterIPs ?? []).entries()) found.push(...ipWarnings(index('spec.clusterIPs', i), ip))
  if (headless) {
    if (loadBalancerIP !== '') found.push('spec.loadBalancerIP is ignored for headless services')
    if (externalIPs.length > 0) found.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') found.push('spec.SessionAffinity is ignored for headless services')
  }
  for (const [i, ip] of externalIPs.entries()) found.push(...ipWarnings(index('spec.externalIPs', i), ip))
  if (externalIPs.length > 0 && !headless && spec.type !== 'ExternalName')
    found.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  if (loadBalancerIP !== '') found.push(...ipWarnings(child('spec', 'loadBalancerIP'), loadBalancerIP))
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries())
    found.push(...cidrWarnings(index('spec.loadBalancerSourceRanges', i), range))
  if (spec.type === 'ExternalName') {
    if (externalIPs.length > 0) found.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  } else if (spec.externalName) found.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose')
    found.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  return found
}

function externalAddress({ spec, status }: ServiceObject): string {
  const externalIPs = spec.externalIPs ?? []
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.join(',') || '<none>'
    case 'LoadBalancer':
      return (
        [balancerAddresses(status?.loadBalancer), ...externalIPs].filter((part) => part !== '').join(',') || '<pending>'
      )
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

const selectorText = (selector: Record<string, string>): string =>
  Object.keys(selector)
    .sort()
    .map((label) => `${label}=${selector[label]}`)
    .join(',')

const balancerAddresses = (status: LoadBalancerStatus | undefined): string =>
  [...new Set((status?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []))].sort().join(',')

const portText = ({ port, nodePort, protocol }: ServicePort): string =>
  nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`
