import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, required, tooLong } from './field-errors.ts'
import { validateLabels } from './labels.ts'
import { isDNS1123Label, isQualifiedName, type NameValidator, nameIsDNSSubdomain } from './names.ts'
import { parseApiVersion } from './object.ts'

export interface ObjectMetaRules {
  namespaced: boolean
  validateName?: NameValidator
  /** Where the metadata lies, for messages. */
  path: string
}

/** Upstream's limit of all annotations of an object together. */
export const annotationsMaxBytes = 256 * 1024
const immutableMessage = 'field is immutable'

/** Faults in the metadata of a new object. */
export function validateObjectMeta(
  meta: ObjectMeta,
  { namespaced, validateName = nameIsDNSSubdomain, path }: ObjectMetaRules,
): FieldError[] {
  const errors: FieldError[] = []
  if (meta.generateName) {
    for (const message of validateName(meta.generateName, true)) {
      errors.push(invalid(child(path, 'generateName'), meta.generateName, message))
    }
  }
  if (!meta.name) errors.push(required(child(path, 'name'), 'name or generateName is required'))
  else
    for (const message of validateName(meta.name, false)) errors.push(invalid(child(path, 'name'), meta.name, message))
  if (namespaced) {
    if (!meta.namespace) errors.push(required(child(path, 'namespace')))
    else {
      for (const message of isDNS1123Label(meta.namespace)) {
        errors.push(invalid(child(path, 'namespace'), meta.namespace, message))
      }
    }
  } else if (meta.namespace) {
    errors.push(forbidden(child(path, 'namespace'), 'not allowed on this type'))
  }
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(child(path, 'generation'), meta.generation, 'must be greater than or equal to 0'))
  }
  return [...errors, ...validateCommon(meta, path), ...validateFinalizers(meta.finalizers, child(path, 'finalizers'))]
}

/** Faults in what an update does to metadata. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (old.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer)).sort()
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
      errors.push(
        forbidden(
          child(path, 'finalizers'),
          `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
        ),
      )
    }
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(child(path, 'generation'), meta.generation ?? 0, 'must not be decremented'))
  }
  for (const field of [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    if ((meta[field] ?? '') !== (old[field] ?? ''))
      errors.push(invalid(child(path, field), meta[field] ?? '', immutableMessage))
  }
  if (meta.finalizers !== undefined && meta.finalizers !== old.finalizers) {
    errors.push(...validateFinalizers(meta.finalizers, child(path, 'finalizers')))
  }
  return [...errors, ...validateCommon(meta, path)]
}

function validateCommon(meta: ObjectMeta, path: string): FieldError[] {
  return [
    ...validateLabels(meta.labels, child(path, 'labels')),
    ...validateAnnotations(meta.annotations, child(path, 'annotations')),
    ...validateOwnerReferences(meta.ownerReferences, child(path, 'ownerReferences')),
    ...validateManagedFields(meta.managedFields, child(path, 'managedFields')),
  ]
}

/** Faults in annotations: keys like those of labels, in any case, and a limit of the whole. */
export function validateAnnotations(annotations: Record<string, string> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const name in annotations) {
    for (const message of isQualifiedName(name.toLowerCase())) errors.push(invalid(path, name, message))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(annotations[name] as string)
  }
  if (bytes > annotationsMaxBytes) errors.push(tooLong(path, annotationsMaxBytes))
  return errors
}

function validateOwnerReferences(references: readonly OwnerReference[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  let controller = ''
  for (const reference of references ?? []) {
    const { apiVersion, kind, name, uid } = reference
    const { version, group } = parseApiVersion(apiVersion ?? '')
    if (!version) errors.push(invalid(child(path, 'apiVersion'), apiVersion ?? '', 'version must not be empty'))
    if (!kind) errors.push(invalid(child(path, 'kind'), kind ?? '', 'must not be empty'))
    if (!name) errors.push(invalid(child(path, 'name'), name ?? '', 'must not be empty'))
    if (!uid) errors.push(invalid(child(path, 'uid'), uid ?? '', 'must not be empty'))
    if (group === '' && version === 'v1' && kind === 'Event') {
      errors.push(invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'))
    }
    if (!reference.controller) continue
    const own = `${kind}/${name}`
    if (controller !== '') {
      errors.push(
        invalid(
          path,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${own}`,
        ),
      )
    } else controller = own
  }
  return errors
}

function validateFinalizers(finalizers: readonly string[] | undefined, path: string): FieldError[] {
  return (finalizers ?? []).flatMap((name) => isQualifiedName(name).map((message) => invalid(path, name, message)))
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const { operation, fieldsType } of entries ?? []) {
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(invalid(child(path, 'operation'), operation ?? '', 'must be `Apply` or `Update`'))
    }
    if (fieldsType && fieldsType !== 'FieldsV1') {
      errors.push(invalid(child(path, 'fieldsType'), fieldsType, 'must be `FieldsV1`'))
    }
  }
  return errors
}
