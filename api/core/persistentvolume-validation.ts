import type { PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity } from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, key, notSupported, required } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { isValidLabelValue } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity, quantityValue } from '../machinery/quantity.ts'
import { dnsSubdomain } from './field-formats.ts'
import { objectDiff } from './object-diff.ts'
import { validateNodeSelector } from './pod-spec/affinity.ts'
import { sourcesOf, sourceTypes, validateSource } from './volume-sources.ts'

export type PersistentVolumeObject = Stored<PersistentVolume> & { spec: PersistentVolumeSpec }

/** Everything wrong with a volume to be created, or with an update of `old`. */
export function validatePersistentVolume(
  volume: PersistentVolumeObject,
  old: PersistentVolumeObject | undefined,
): FieldError[] {
  const { metadata, spec } = volume
  return [
    ...validatePersistentVolumeSpec(spec, metadata.name ?? '', 'spec', {
      inline: false,
      allowInvalidAffinityValues: hasInvalidValue(old?.spec.nodeAffinity),
    }),
    ...validateMountOptionsAnnotation(volume),
    ...(old ? validateUpdate(spec, old.spec) : []),
  ]
}

/**
 * Faults of a volume's spec. `inline`: it stands within another object (a VolumeAttachment), with less freedom.
 */
export function validatePersistentVolumeSpec(
  spec: PersistentVolumeSpec,
  volumeName: string,
  path: string,
  { inline, allowInvalidAffinityValues }: { inline: boolean; allowInvalidAffinityValues: boolean },
): FieldError[] {
  return [
    ...(inline ? validateInline(spec, path) : []),
    ...accessModeFaults(child(path, 'accessModes'), spec.accessModes ?? [], ''),
    ...(inline ? [] : validateCapacity(spec.capacity ?? {}, child(path, 'capacity'))),
    ...(inline ? [] : validateReclaimPolicy(spec, path)),
    ...(inline ? [] : validateAffinity(spec.nodeAffinity, child(path, 'nodeAffinity'), allowInvalidAffinityValues)),
    ...validateSource(spec, volumeName, path),
    ...validateLocal(spec, path),
    ...(inline ? [] : validateClassAndMode(spec, path)),
    ...validateAttributesClass(spec, path),
  ]
}

/** Faults of a list of access modes; `whenEmpty` is what the message says of an empty one. */
export function accessModeFaults(path: string, modes: readonly string[], whenEmpty: string): FieldError[] {
  const errors = modes.length === 0 ? [required(path, whenEmpty)] : []
  for (const mode of modes) if (!accessModes.includes(mode)) errors.push(notSupported(path, mode, accessModes))
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  if (others && modes.includes('ReadWriteOncePod'))
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
  return errors
}

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const reclaimPolicies = ['Delete', 'Recycle', 'Retain']
const volumeModes = ['Block', 'Filesystem']
const mountOptionsAnnotation = 'volume.beta.kubernetes.io/mount-options'
const inlineContext = 'in the context of inline volumes'
/** Types that mount options can be given to by annotation. */
const mountable: ReadonlySet<string> = new Set([
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
])
/** Node labels that were renamed: an affinity may follow. */
const renamedLabels = new Map([
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['beta.kubernetes.io/os', 'kubernetes.io/os'],
  ['beta.kubernetes.io/arch', 'kubernetes.io/arch'],
  ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
])

function validateInline(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const never = (field: string) => forbidden(child(path, field), `may not be specified ${inlineContext}`)
  const { persistentVolumeReclaimPolicy: policy, volumeMode } = spec
  return [
    ...(spec.claimRef ? [never('claimRef')] : []),
    ...(Object.keys(spec.capacity ?? {}).length > 0 ? [never('capacity')] : []),
    ...(spec.csi ? [] : [required(child(path, 'csi'), `has to be specified ${inlineContext}`)]),
    ...(policy && policy !== 'Retain'
      ? [forbidden(child(path, 'persistentVolumeReclaimPolicy'), `may only be Retain ${inlineContext}`)]
      : []),
    ...(spec.nodeAffinity ? [never('nodeAffinity')] : []),
    ...(spec.storageClassName ? [never('storageClassName')] : []),
    ...(volumeMode !== undefined && volumeMode !== 'Filesystem'
      ? [forbidden(child(path, 'volumeMode'), `may not specify volumeMode other than Filesystem ${inlineContext}`)]
      : []),
  ]
}

function validateCapacity(capacity: Record<string, string>, path: string): FieldError[] {
  const names = Object.keys(capacity)
  const errors = names.length === 0 ? [required(path)] : []
  if (names.length !== 1 || names[0] !== 'storage') errors.push(notSupported(path, capacity, ['storage']))
  for (const [name, amount] of Object.entries(capacity)) {
    if (compareQuantity(amount, '0') < 0)
      errors.push(invalid(key(path, name), quantityValue(amount), 'must be a valid resource quantity'))
    if (compareQuantity(amount, '0') <= 0) errors.push(invalid(key(path, name), amount, 'must be greater than zero'))
  }
  return errors
}

function validateReclaimPolicy(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const { persistentVolumeReclaimPolicy: policy = '', hostPath } = spec
  const at = child(path, 'persistentVolumeReclaimPolicy')
  const errors = policy === '' || reclaimPolicies.includes(policy) ? [] : [notSupported(at, policy, reclaimPolicies)]
  if (policy === 'Recycle' && hostPath && isRoot(hostPath.path))
    errors.push(forbidden(at, "may not be 'recycle' for a hostPath mount of '/'"))
  return errors
}

const isRoot = (directory: string): boolean =>
  directory.startsWith('/') && directory.split('/').every((part) => part === '' || part === '.' || part === '..')

function validateAffinity(affinity: VolumeNodeAffinity | undefined, path: string, allowInvalid: boolean): FieldError[] {
  if (!affinity) return []
  if (!affinity.required) return [required(child(path, 'required'), 'must specify required node constraints')]
  const errors: FieldError[] = []
  validateNodeSelector(errors, affinity.required, child(path, 'required'), allowInvalid)
  return errors
}

function validateLocal(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const isSource = spec.local !== undefined && sourceTypes.find((type) => spec[type] !== undefined) === 'local'
  return isSource && !spec.nodeAffinity
    ? [required(child(path, 'nodeAffinity'), 'Local volume requires node affinity')]
    : []
}

function validateClassAndMode({ storageClassName, volumeMode }: PersistentVolumeSpec, path: string): FieldError[] {
  return [
    ...(storageClassName ? dnsSubdomain(child(path, 'storageClassName'), storageClassName) : []),
    ...(volumeMode === undefined || volumeModes.includes(volumeMode)
      ? []
      : [notSupported(child(path, 'volumeMode'), volumeMode, volumeModes)]),
  ]
}

function validateAttributesClass({ volumeAttributesClassName: name, csi }: PersistentVolumeSpec, path: string) {
  if (name === undefined) return []
  const at = child(path, 'volumeAttributesClassName')
  const errors = name === '' ? [required(at, 'an empty string is disallowed')] : dnsSubdomain(at, name)
  if (!csi) errors.push(required(child(path, 'csi'), 'has to be specified when using volumeAttributesClassName'))
  return errors
}

function validateMountOptionsAnnotation({ metadata, spec }: PersistentVolumeObject): FieldError[] {
  if (metadata.annotations?.[mountOptionsAnnotation] === undefined) return []
  if (Object.keys(sourcesOf(spec)).some((type) => mountable.has(type))) return []
  const path = child('metadata.annotations', mountOptionsAnnotation)
  return [forbidden(path, 'may not specify mount options for this volume type')]
}

function validateUpdate(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): FieldError[] {
  const before = sourcesOf(old)
  const after = sourcesOf(spec)
  // The secret for expanding may be added once.
  if (after.csi && before.csi && !before.csi.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...csi } = after.csi
    after.csi = csi
  }
  const errors: FieldError[] = []
  if (!semanticEqual(after, before)) {
    const detail = `spec.persistentvolumesource is immutable after creation\n${objectDiff(before, after)}`
    errors.push(forbidden('spec.persistentvolumesource', detail))
  }
  errors.push(...immutable(spec.volumeMode, old.volumeMode, 'volumeMode'))
  if (old.nodeAffinity && !isSameAffinity(spec.nodeAffinity, old.nodeAffinity)) {
    const detail = 'field is immutable, except for updating from beta label to GA'
    errors.push(invalid('nodeAffinity', spec.nodeAffinity, detail))
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  return errors
}

function isSameAffinity(next: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): boolean {
  if (semanticEqual(next, old)) return true
  // Each expression may take the new name of its label, or keep the old one.
  const now = next?.required?.nodeSelectorTerms ?? []
  const renamed = structuredClone(old)
  for (const [i, { matchExpressions = [] }] of (renamed.required?.nodeSelectorTerms ?? []).entries()) {
    for (const [j, expression] of matchExpressions.entries()) {
      const wanted = now[i]?.matchExpressions?.[j]?.key
      if (wanted !== undefined && renamedLabels.get(expression.key) === wanted) expression.key = wanted
    }
  }
  return semanticEqual(next, renamed)
}

function hasInvalidValue(affinity: VolumeNodeAffinity | undefined): boolean {
  return (affinity?.required?.nodeSelectorTerms ?? []).some(({ matchExpressions = [] }) =>
    matchExpressions.some(({ values = [] }) => values.some((value) => isValidLabelValue(value).length > 0)),
  )
}
