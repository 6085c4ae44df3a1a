import type { Namespace, NamespaceSpec } from '../generated/types.ts'
import { type FieldError, index, invalid } from '../machinery/field-errors.ts'
import { isQualifiedName, nameIsDNSLabel } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type NamespaceObject = Stored<Namespace> & { spec: NamespaceSpec }

/** The finalizer of the controller that empties a namespace before it goes. */
const contentFinalizer = 'kubernetes'
const nameLabel = 'kubernetes.io/metadata.name'

export const namespaces = defineResource<NamespaceObject>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.core.v1.Namespace'),
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  validateName: nameIsDNSLabel,
  defaults(namespace) {
    namespace.spec ??= {}
    namespace.status ??= {}
    namespace.status.phase ||= 'Active'
    labelWithName(namespace)
  },
  validate: ({ spec }) => (spec.finalizers ?? []).flatMap((name) => finalizerFaults('spec.finalizers', name)),
  validateStatus: validatePhase,
  strategy: {
    status: true,
    returnDeleted: true,
    prepareForCreate(namespace) {
      namespace.status = { phase: 'Active' }
      const finalizers = namespace.spec.finalizers ?? []
      if (!finalizers.includes(contentFinalizer)) namespace.spec.finalizers = [...finalizers, contentFinalizer]
      labelWithName(namespace)
    },
    prepareForUpdate(namespace, old) {
      // Only the finalize subresource may take a finalizer away.
      if (old.spec.finalizers) namespace.spec.finalizers = old.spec.finalizers
      else delete namespace.spec.finalizers
      labelWithName(namespace)
    },
  },
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'The status of the namespace.',
      value: ({ status }) => status?.phase ?? '',
    },
    ageColumn,
  ],
})

/** A namespace stays, although deleted, while somebody has yet to empty it. */
export const namespaceIsHeld = ({ spec }: NamespaceObject): boolean => (spec?.finalizers?.length ?? 0) > 0

/** What the first delete of a namespace changes in it, beside the deletion timestamp. */
export function markNamespaceTerminating(namespace: NamespaceObject): void {
  namespace.status = { ...namespace.status, phase: 'Terminating' }
}

/** Faults of a write to the finalize subresource. */
export const validateNamespaceFinalize = ({ spec }: NamespaceObject): FieldError[] =>
  (spec?.finalizers ?? []).flatMap((name, i) => finalizerFaults(index('spec.finalizers', i), name))

const standardFinalizers = [contentFinalizer, 'orphan', 'foregroundDeletion']

function finalizerFaults(path: string, name: string): FieldError[] {
  const errors = isQualifiedName(name).map((fault) => invalid(path, name, fault))
  if (!name.includes('/') && !standardFinalizers.includes(name))
    errors.push(invalid(path, name, 'name is neither a standard finalizer name nor is it fully qualified'))
  return errors
}

function validatePhase({ metadata, status }: NamespaceObject): FieldError[] {
  const phase = status?.phase ?? ''
  if (metadata.deletionTimestamp === undefined)
    return phase === 'Active'
      ? []
      : [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  return phase === 'Terminating'
    ? []
    : [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
}

/** So that a namespace can be selected by its name. A name yet to be generated is labelled at creation. */
function labelWithName({ metadata }: NamespaceObject): void {
  if (!metadata.name) return
  metadata.labels ??= {}
  metadata.labels[nameLabel] = metadata.name
}
