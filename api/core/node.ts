import type { Node, NodeSpec, NodeStatus } from '../generated/types.ts'
import { child, duplicate, type FieldError, forbidden, index, invalid } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { cidrFamily, cidrFaults, cidrWarnings, isDualStack } from './ip.ts'
import { validateConfigSource, validateConfigStatus } from './node-config-source.ts'
import { validateTaints } from './node-taints.ts'
import { resourceListFaults } from './resource-names.ts'

export type NodeObject = Stored<Node> & { spec: NodeSpec }

export const nodes = defineResource<NodeObject>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  storagePrefix: '/minions',
  schema: builtinSchema('io.k8s.api.core.v1.Node'),
  defaults,
  validate: (node, old) => [
    ...validateTaints(node.spec.taints ?? [], 'metadata.taints'),
    ...(old ? [] : validateStatusFields(node.status ?? {})),
    ...validatePodCIDRs(node.spec),
    ...(old ? validateSpecUpdate(node.spec, old.spec) : []),
  ],
  validateStatus: ({ status = {} }) => [
    ...validateStatusFields(status),
    ...validateAddresses(status),
    ...(status.config ? validateConfigStatus(status.config, 'status.config') : []),
  ],
  warnings,
  strategy: {
    status: true,
    statusOnCreate: true,
    prepareForCreate({ spec, status }) {
      delete spec.configSource
      if (status) delete status.config
    },
    prepareForUpdate({ spec }, old) {
      if (!old.spec.configSource) delete spec.configSource
    },
    prepareForStatusUpdate({ status }, old) {
      if (status && !old.status?.config) delete status.config
    },
  },
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
  subresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'The status of the node.', value: statusText },
    { name: 'Roles', type: 'string', description: 'The roles of the node.', value: rolesText },
    ageColumn,
    {
      name: 'Version',
      type: 'string',
      description: 'The version of the node agent.',
      value: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      name: 'Internal-IP',
      type: 'string',
      priority: 1,
      description: 'Where the node is reached inside the cluster.',
      value: (node) => addressOf(node, 'InternalIP'),
    },
    {
      name: 'External-IP',
      type: 'string',
      priority: 1,
      description: 'Where the node is reached from outside.',
      value: (node) => addressOf(node, 'ExternalIP'),
    },
    {
      name: 'OS-Image',
      type: 'string',
      priority: 1,
      description: 'The operating system.',
      value: ({ status }) => status?.nodeInfo?.osImage || '<unknown>',
    },
    { name: 'Kernel-Version', type: 'string', priority: 1, description: 'The kernel.', value: kernelText },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      description: 'The container runtime and its version.',
      value: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
})

const rolePrefix = 'node-role.kubernetes.io/'
const roleLabel = 'kubernetes.io/role'
const featurePattern = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/
const maxFeatureLength = 253

function defaults(node: NodeObject): void {
  node.spec ??= {}
  const { spec, status } = node
  // Where the two differ, the older field counts.
  if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR]
  else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0]
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
}

function validatePodCIDRs({ podCIDRs = [] }: NodeSpec): FieldError[] {
  const path = 'spec.podCIDRs'
  const errors = podCIDRs.flatMap((cidr, i) => cidrFaults(index(path, i), cidr))
  if (podCIDRs.length > 2 || (podCIDRs.length === 2 && !isDualStack(podCIDRs.map(cidrFamily))))
    errors.push(invalid(path, podCIDRs, 'may specify no more than one CIDR for each IP family'))
  return errors
}

function validateSpecUpdate(spec: NodeSpec, old: NodeSpec): FieldError[] {
  const errors: FieldError[] = []
  const onlyOnce = (field: string) =>
    errors.push(
      forbidden(`spec.${field}`, `node updates may not change ${field.replace(/s$/, '')} except from "" to valid`),
    )
  const before = old.podCIDRs ?? []
  const now = spec.podCIDRs ?? []
  if (before.length > 0 && (before.length !== now.length || before.some((cidr, i) => cidr !== now[i])))
    onlyOnce('podCIDRs')
  if (old.providerID && old.providerID !== spec.providerID) onlyOnce('providerID')
  if (spec.configSource) errors.push(...validateConfigSource(spec.configSource, 'spec.configSource'))
  if ((spec.externalID ?? '') !== (old.externalID ?? ''))
    errors.push(forbidden('spec.externalID', 'may not be updated'))
  return errors
}

function validateStatusFields({ capacity, allocatable, nodeInfo, declaredFeatures = [] }: NodeStatus): FieldError[] {
  const errors = [
    ...resourceListFaults('status.capacity', capacity),
    ...resourceListFaults('status.allocatable', allocatable),
  ]
  const swap = nodeInfo?.swap?.capacity
  if (swap !== undefined && swap <= 0)
    errors.push(invalid('metadata.nodeSwapStatus.capacity', swap, 'must be greater than zero'))
  for (const [i, feature] of declaredFeatures.entries()) {
    const path = index('status.declaredFeatures', i)
    const fault = featureFault(feature)
    if (fault) errors.push(invalid(path, feature, `invalid feature name ${JSON.stringify(feature)}: ${fault}`))
    const previous = declaredFeatures[i - 1]
    if (feature === previous) errors.push(duplicate(path, feature))
    else if (previous !== undefined && previous > feature)
      errors.push(invalid(path, feature, 'list must be sorted alphabetically'))
  }
  return errors
}

function featureFault(feature: string): string | undefined {
  if (feature.length > maxFeatureLength) return `must be no more than ${maxFeatureLength} characters`
  return featurePattern.test(feature)
    ? undefined
    : "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
}

function validateAddresses({ addresses = [] }: NodeStatus): FieldError[] {
  const seen = new Set<string>()
  return addresses.flatMap(({ type, address }, i) => {
    const identity = `${type}/${address}`
    if (seen.has(identity)) return [duplicate(index('status.addresses', i), { Type: type, Address: address })]
    seen.add(identity)
    return []
  })
}

function warnings({ spec }: NodeObject): string[] {
  return [
    ...(spec.configSource ? ['spec.configSource: the feature is removed'] : []),
    ...(spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
    ...(spec.podCIDRs ?? []).flatMap((cidr, i) => cidrWarnings(index(child('spec', 'podCIDRs'), i), cidr)),
  ]
}

function statusText({ spec, status }: NodeObject): string {
  const ready = status?.conditions?.findLast(({ type }) => type === 'Ready')
  const text = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec.unschedulable ? `${text},SchedulingDisabled` : text
}

function rolesText({ metadata }: NodeObject): string {
  const roles = new Set<string>()
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    const role = label.startsWith(rolePrefix) ? label.slice(rolePrefix.length) : label === roleLabel ? value : ''
    if (role !== '') roles.add(role)
  }
  return [...roles].sort().join(',') || '<none>'
}

const addressOf = ({ status }: NodeObject, wanted: string): string =>
  status?.addresses?.find(({ type }) => type === wanted)?.address ?? '<none>'

function kernelText({ status }: NodeObject): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {}
  return `${kernelVersion || '<unknown>'}${architecture ? ` (${architecture})` : ''}`
}
