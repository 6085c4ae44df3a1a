import type { ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus } from '../generated/types.ts'
import { child, type FieldError, invalid, key, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { isStandardQuotaResource, quotaResourceNameFaults, resourceAmountFaults } from './resource-names.ts'

export type ResourceQuotaObject = Stored<ResourceQuota> & { spec: ResourceQuotaSpec }

export const resourceQuotas = defineResource<ResourceQuotaObject>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.ResourceQuota'),
  defaults(quota) {
    quota.spec ??= {}
  },
  validate: ({ spec }, old) => [
    ...amountFaults(spec.hard, 'spec.hard'),
    ...validateScopes(spec),
    ...validateScopeSelector(spec),
    ...(old ? validateScopesKept(spec, old.spec) : []),
  ],
  validateStatus: ({ metadata, status = {} }) => [
    ...(metadata.resourceVersion ? [] : [required('resourceVersion')]),
    ...amountFaults(status.hard, 'status.hard'),
    ...amountFaults(status.used, 'status.used'),
  ],
  warnings: ({ spec }, old) => (old ? [] : requestsAboveLimits(spec.hard ?? {})),
  strategy: {
    status: true,
    returnDeleted: true,
    prepareForCreate(quota) {
      quota.status = {}
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Request',
      type: 'string',
      description: 'Used and allowed, of what is not a limit.',
      value: ({ status }) => usageText(status, (name) => !name.startsWith('limits.')),
    },
    {
      name: 'Limit',
      type: 'string',
      description: 'Used and allowed, of limits.',
      value: ({ status }) => usageText(status, (name) => name.startsWith('limits.')),
    },
    ageColumn,
  ],
})

const podCount = ['pods']
const podResources = [...podCount, 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const claimResources = ['persistentvolumeclaims', 'requests.storage']
/** What can be limited within each scope, of the resources the system knows. */
const scopes = new Map<string, readonly string[]>([
  ['Terminating', podResources],
  ['NotTerminating', podResources],
  ['BestEffort', podCount],
  ['NotBestEffort', podResources],
  ['PriorityClass', podResources],
  ['VolumeAttributesClass', claimResources],
  ['CrossNamespacePodAffinity', podResources],
])
const existsOnly = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const exclusive = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

const amountFaults = (list: Record<string, string> = {}, path: string): FieldError[] =>
  Object.entries(list).flatMap(([name, amount]) => [
    ...quotaResourceNameFaults(key(path, name), name),
    ...resourceAmountFaults(key(path, name), name, amount),
  ])

function validateScopes({ hard = {}, scopes: given = [] }: ResourceQuotaSpec): FieldError[] {
  const path = 'spec.scopes'
  return [
    ...given.flatMap((scope) => [
      ...(scopes.has(scope) ? [] : [invalid(path, given, 'unsupported scope')]),
      ...outOfScope(scope, hard).map(() => invalid(path, given, 'unsupported scope applied to resource')),
    ]),
    ...conflicts(given).map(() => invalid(path, given, 'conflicting scopes')),
  ]
}

function validateScopeSelector({ hard = {}, scopeSelector, scopes: given }: ResourceQuotaSpec): FieldError[] {
  const path = 'spec.scopeSelector.matchExpressions'
  const expressions = scopeSelector?.matchExpressions ?? []
  return [
    ...expressions.flatMap(({ scopeName, operator, values = [] }) => {
      const errors: FieldError[] = []
      if (!scopes.has(scopeName)) errors.push(invalid(child(path, 'scopeName'), scopeName, 'unsupported scope'))
      for (const _ of outOfScope(scopeName, hard))
        errors.push(invalid(path, scopeSelector, 'unsupported scope applied to resource'))
      if (existsOnly.includes(scopeName) && operator !== 'Exists') {
        const detail =
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
        errors.push(invalid(child(path, 'operator'), operator, detail))
      }
      errors.push(...operatorFaults(operator, values, path))
      return errors
    }),
    ...conflicts(expressions.map(({ scopeName }) => scopeName)).map(() => invalid(path, given, 'conflicting scopes')),
  ]
}

function operatorFaults(operator: string, values: string[], path: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length > 0) return []
      return [
        required(
          child(path, 'values'),
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ),
      ]
    case 'Exists':
    case 'DoesNotExist':
      if (values.length === 0) return []
      return [
        invalid(
          child(path, 'values'),
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        ),
      ]
    default:
      return [invalid(child(path, 'operator'), operator, 'not a valid selector operator')]
  }
}

function validateScopesKept({ scopes: given = [] }: ResourceQuotaSpec, old: ResourceQuotaSpec): FieldError[] {
  const now = new Set(given)
  const before = new Set(old.scopes)
  const same = now.size === before.size && [...now].every((scope) => before.has(scope))
  return same ? [] : [invalid('spec.scopes', given, 'field is immutable')]
}

/** Resources that the scope does not apply to. A resource the system does not know is let pass. */
const outOfScope = (scope: string, hard: Record<string, string>): string[] => {
  const allowed = scopes.get(scope)
  return allowed ? Object.keys(hard).filter((name) => isStandardQuotaResource(name) && !allowed.includes(name)) : []
}

const conflicts = (given: readonly string[]) => exclusive.filter((pair) => pair.every((scope) => given.includes(scope)))

function requestsAboveLimits(hard: Record<string, string>): string[] {
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((resource) => {
    const bare = (resource === 'cpu' || resource === 'memory') && hard[`requests.${resource}`] === undefined
    const name = bare ? resource : `requests.${resource}`
    const request = hard[name]
    const limit = hard[`limits.${resource}`]
    if (request === undefined || limit === undefined || compareQuantity(request, limit) <= 0) return []
    return [`ResourceQuota ${name} (${request}) should be less than limits.${resource} (${limit})`]
  })
}

function usageText(status: ResourceQuotaStatus | undefined, shows: (name: string) => boolean): string {
  const { hard = {}, used = {} } = status ?? {}
  return Object.keys(hard)
    .filter(shows)
    .sort()
    .map((name) => `${name}: ${used[name] ?? '0'}/${hard[name]}`)
    .join(', ')
}
