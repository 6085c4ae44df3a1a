import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, key, notSupported, required } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity, quantityValue } from '../machinery/quantity.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { objectDiff } from './object-diff.ts'
import { accessModesText } from './persistentvolume.ts'
import { validateClaimSpec } from './pod-spec/claim-template.ts'
import { claimSpecWarnings } from './pod-spec/warnings.ts'
import { isNativeResource } from './resource-names.ts'
import { classAnnotation } from './volume-binding.ts'

export type PersistentVolumeClaimObject = Stored<PersistentVolumeClaim> & { spec: PersistentVolumeClaimSpec }

export const persistentVolumeClaims = defineResource<PersistentVolumeClaimObject>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.PersistentVolumeClaim'),
  defaults(claim) {
    claim.spec ??= {}
    claim.status ??= {}
    claim.status.phase ||= 'Pending'
    claim.spec.volumeMode ??= 'Filesystem'
  },
  validate: (claim, old) => [...validateSpec(claim.spec, old?.spec), ...(old ? validateUpdate(claim, old) : [])],
  validateStatus,
  warnings: ({ metadata, spec }) => [
    ...(metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...claimSpecWarnings(spec.resources, 'spec'),
  ],
  strategy: {
    status: true,
    returnDeleted: true,
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' }
      dropForeignNamespace(claim.spec, undefined)
      completeDataSource(claim.spec, undefined)
    },
    prepareForUpdate(claim, old) {
      dropForeignNamespace(claim.spec, old.spec)
      completeDataSource(claim.spec, old.spec)
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'Whether it is bound.',
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    {
      name: 'Volume',
      type: 'string',
      description: 'The volume it is bound to.',
      value: ({ spec }) => spec.volumeName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: 'How much the volume holds.',
      value: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.storage ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How the volume can be mounted.',
      value: ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ''),
    },
    {
      name: 'StorageClass',
      type: 'string',
      description: 'The storage class it asks for.',
      value: ({ metadata, spec }) => metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? '',
    },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'The class of the volume attributes it asks for.',
      value: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    ageColumn,
    {
      name: 'VolumeMode',
      type: 'string',
      priority: 1,
      description: 'File system or raw block device.',
      value: ({ spec }) => spec.volumeMode ?? '<unset>',
    },
  ],
})

const snapshotGroup = 'snapshot.storage.k8s.io'
const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort()

/** What the standing claim has wrong, and cannot be changed, is not held against its update. */
function validateSpec(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec | undefined): FieldError[] {
  const errors: FieldError[] = []
  validateClaimSpec(errors, spec, 'spec')
  if (!old) return errors
  const before: FieldError[] = []
  validateClaimSpec(before, old, 'spec')
  const tolerated = (field: string) =>
    (field.startsWith('spec.selector.') || field.endsWith('.apiGroup')) && before.some((error) => error.field === field)
  return errors.filter(({ field }) => !tolerated(field))
}

function validateUpdate(claim: PersistentVolumeClaimObject, old: PersistentVolumeClaimObject): FieldError[] {
  const { spec } = claim
  const before = old.spec
  const errors: FieldError[] = []
  const now = structuredClone(spec)
  const kept = structuredClone(before)

  // Claims are fixed, so that quotas cannot be gamed; these may change.
  if (!before.volumeName && now.volumeName !== undefined) kept.volumeName = now.volumeName
  errors.push(...alignStorageClass(claim, old, now))
  if (claim.status?.phase === 'Bound') {
    const amount = before.resources?.requests?.storage
    if (now.resources?.requests && amount !== undefined) now.resources.requests.storage = amount
    delete now.volumeAttributesClassName
    delete kept.volumeAttributesClassName
  }
  if (!semanticEqual(now, kept)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    errors.push(forbidden('spec', `${detail}\n${objectDiff(kept, now)}`))
  }
  const size = spec.resources?.requests?.storage ?? '0'
  if (
    compareQuantity(size, before.resources?.requests?.storage ?? '0') < 0 &&
    compareQuantity(size, old.status?.capacity?.storage ?? '0') <= 0
  )
    // An expansion that failed may be taken back, but a volume never shrinks.
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  errors.push(...immutable(spec.volumeMode, before.volumeMode, 'volumeMode'))
  if (old.status?.currentVolumeAttributesClassName !== undefined && !spec.volumeAttributesClassName) {
    const value = spec.volumeAttributesClassName === undefined ? 'nil' : 'empty string'
    if (spec.volumeAttributesClassName !== before.volumeAttributesClassName)
      errors.push(
        forbidden(
          'spec.volumeAttributesClassName',
          `update to ${value} is forbidden when status.currentVolumeAttributesClassName is not nil`,
        ),
      )
  }
  return errors
}

/** The class may be set where there was none, and move from the annotation to its field. */
function alignStorageClass(
  { metadata, spec }: PersistentVolumeClaimObject,
  old: PersistentVolumeClaimObject,
  now: PersistentVolumeClaimSpec,
): FieldError[] {
  const annotated = metadata.annotations?.[classAnnotation]
  const annotatedBefore = old.metadata.annotations?.[classAnnotation]
  const isNew = spec.storageClassName !== undefined && old.spec.storageClassName === undefined
  if (isNew && (annotatedBefore === undefined || annotatedBefore === spec.storageClassName)) delete now.storageClassName
  const moves = isNew && annotatedBefore === spec.storageClassName && annotated === undefined
  if (moves || (annotated ?? '') === (annotatedBefore ?? '')) return []
  return [invalid(child('metadata.annotations', classAnnotation), annotated ?? '', 'field is immutable')]
}

function validateStatus({ metadata, spec, status = {} }: PersistentVolumeClaimObject): FieldError[] {
  const errors: FieldError[] = []
  if (!metadata.resourceVersion) errors.push(required('resourceVersion'))
  if (!spec.accessModes?.length) errors.push(required('Spec.accessModes'))
  errors.push(...amountFaults(status.capacity, 'status.capacity'))
  const statesPath = 'status.allocatedResourceStatuses'
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    errors.push(...resourceKeyFaults(statesPath, name))
    if (!resizeStates.includes(state)) errors.push(notSupported(statesPath, name, resizeStates))
  }
  const allocatedPath = 'status.allocatedResources'
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    const faults = resourceKeyFaults(allocatedPath, name)
    errors.push(...(faults.length > 0 ? faults : amountFaults({ [name]: amount }, allocatedPath)))
  }
  return errors
}

const amountFaults = (amounts: Record<string, string> = {}, path: string): FieldError[] =>
  Object.entries(amounts)
    .filter(([, amount]) => compareQuantity(amount, '0') < 0)
    .map(([name, amount]) => invalid(key(path, name), quantityValue(amount), 'must be a valid resource quantity'))

function resourceKeyFaults(path: string, name: string): FieldError[] {
  const faults = isQualifiedName(name).map((fault) => invalid(path, name, fault))
  if (faults.length > 0 || !isNativeResource(name) || name === 'storage') return faults
  return [notSupported(path, name, ['storage'])]
}

/** A source in another namespace is not served: as upstream without that feature, it is dropped. */
function dropForeignNamespace(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec | undefined): void {
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef
}

/** The older of the two fields only ever knew claims and snapshots, and ignored all else. Then either fills the other. */
function completeDataSource(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec | undefined): void {
  if (!old?.dataSource && !old?.dataSourceRef && !spec.dataSourceRef && !isClaimOrSnapshot(spec.dataSource))
    delete spec.dataSource
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource }
  else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { namespace: _, ...source } = dataSourceRef
    spec.dataSource = source
  }
}

function isClaimOrSnapshot(source: PersistentVolumeClaimSpec['dataSource']): boolean {
  const apiGroup = source?.apiGroup ?? ''
  return (
    (source?.kind === 'PersistentVolumeClaim' && apiGroup === '') ||
    (source?.kind === 'VolumeSnapshot' && apiGroup === snapshotGroup)
  )
}
