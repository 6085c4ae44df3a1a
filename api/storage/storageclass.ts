import type { StorageClass, TopologySelectorTerm } from '../generated/types.ts'
import { child, duplicate, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { deprecatedNodeLabel } from '../node/deprecated-labels.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateParameters, validateProvisioner } from './parameters.ts'

export const storageClasses = defineResource<Stored<StorageClass>>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.storage.v1.StorageClass'),
  defaults: (storageClass) => {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  validate: (storageClass, old) => [
    ...validateStorageClass(storageClass),
    ...(old ? unchangeable.flatMap((field) => immutable(storageClass[field], old[field], field)) : []),
  ],
  warnings: topologyWarnings,
  strategy: { returnDeleted: true },
  columns: [
    {
      ...nameColumn,
      value: ({ metadata }) => `${metadata.name ?? ''}${isDefaultClass(metadata.annotations) ? ' (default)' : ''}`,
    },
    {
      name: 'Provisioner',
      type: 'string',
      description: 'Who makes volumes of this class.',
      value: (storageClass) => storageClass.provisioner ?? '',
    },
    {
      name: 'ReclaimPolicy',
      type: 'string',
      description: 'What becomes of a volume whose claim is gone.',
      value: (storageClass) => storageClass.reclaimPolicy ?? 'Delete',
    },
    {
      name: 'VolumeBindingMode',
      type: 'string',
      description: 'When claims are bound.',
      value: (storageClass) => storageClass.volumeBindingMode ?? 'Immediate',
    },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: 'Whether volumes of this class may grow.',
      value: (storageClass) => storageClass.allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
})

/** Claims without a class get a class so annotated. */
export const isDefaultClass = (annotations: Record<string, string> | undefined): boolean =>
  annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ||
  annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true'

const unchangeable = ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const
const reclaimPolicies = ['Delete', 'Retain']
const bindingModes = ['Immediate', 'WaitForFirstConsumer']

function validateStorageClass(storageClass: Stored<StorageClass>): FieldError[] {
  const { reclaimPolicy, volumeBindingMode } = storageClass
  const errors = [
    ...validateProvisioner(storageClass.provisioner, 'provisioner'),
    ...validateParameters(storageClass.parameters, 'parameters', { allowEmpty: true }),
  ]
  if (reclaimPolicy && !reclaimPolicies.includes(reclaimPolicy)) {
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, reclaimPolicies))
  }
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'))
  else if (!bindingModes.includes(volumeBindingMode)) {
    errors.push(notSupported('volumeBindingMode', volumeBindingMode, bindingModes))
  }
  errors.push(...validateTopologies(storageClass.allowedTopologies ?? []))
  return errors
}

function validateTopologies(terms: readonly TopologySelectorTerm[]): FieldError[] {
  const errors: FieldError[] = []
  // Upstream counts a term without expressions as a duplicate of nothing.
  const seen = new Set<string>(['[]'])
  for (const [i, term] of terms.entries()) {
    const path = child(index('allowedTopologies', i), 'matchLabelExpressions')
    const expressions = term.matchLabelExpressions ?? []
    const keys = new Set<string>()
    for (const [j, { key = '', values = [] }] of expressions.entries()) {
      const at = index(path, j)
      if (values.length === 0) errors.push(required(child(at, 'values')))
      for (const [k, value] of values.entries()) {
        if (values.indexOf(value) < k) errors.push(duplicate(index(child(at, 'values'), k), value))
      }
      errors.push(...isQualifiedName(key).map((message) => invalid(child(at, 'key'), key, message)))
      if (keys.has(key)) errors.push(duplicate(child(at, 'key'), key))
      keys.add(key)
    }
    const identity = termIdentity(expressions)
    if (seen.has(identity)) errors.push(duplicate(path, ''))
    seen.add(identity)
  }
  return errors
}

/** The same for two terms that select the same: keys and values compare as sets. */
const termIdentity = (expressions: NonNullable<TopologySelectorTerm['matchLabelExpressions']>): string =>
  JSON.stringify(
    [...new Map(expressions.map(({ key, values }) => [key, [...new Set(values)].sort()]))].sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  )

function topologyWarnings(storageClass: Stored<StorageClass>): string[] {
  return (storageClass.allowedTopologies ?? []).flatMap((term, i) =>
    (term.matchLabelExpressions ?? []).flatMap(({ key }, j) => {
      const why = deprecatedNodeLabel(key)
      return why ? [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${why}`] : []
    }),
  )
}
