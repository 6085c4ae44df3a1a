import type {
  CSIPersistentVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
  Volume,
} from '../generated/types.ts'
import { child, type FieldError, invalid, notSupported, required, tooLong } from '../machinery/field-errors.ts'
import { inclusiveRangeError, isDNS1123Subdomain } from '../machinery/names.ts'
import { dnsLabel, dnsSubdomain } from './field-formats.ts'
import { hasBacksteps } from './pod-spec/checks.ts'
import { legacyVolumeRules } from './pod-spec/legacy-volumes.ts'
import type { PodValidationOptions } from './pod-spec/options.ts'

/** The sources of a persistent volume, in the order in which upstream looks: all after the first are too many. */
export const sourceTypes = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const satisfies readonly (keyof PersistentVolumeSpec)[]

export type SourceType = (typeof sourceTypes)[number]

/** The source part of a volume's spec. */
export const sourcesOf = (spec: PersistentVolumeSpec): Partial<PersistentVolumeSpec> =>
  Object.fromEntries(sourceTypes.flatMap((type) => (spec[type] === undefined ? [] : [[type, spec[type]]])))

/** Faults of the source of a volume: there must be exactly one, and it must be complete. `path` is the spec's. */
export function validateSource(spec: PersistentVolumeSpec, volumeName: string, path: string): FieldError[] {
  const present = sourceTypes.filter((type) => spec[type] !== undefined)
  if (present.length === 0) return [required(path, 'must specify a volume type')]
  const errors: FieldError[] = []
  for (const [i, type] of present.entries()) {
    // Upstream forgets to count for this one.
    if (i > 0 && type !== 'flexVolume') {
      const field = child(path, type === 'cephfs' ? 'cephFS' : type)
      errors.push({ type: 'FieldValueForbidden', field, message: 'Forbidden: may not specify more than 1 volume type' })
    } else check(errors, type, spec, volumeName, child(path, type === 'gcePersistentDisk' ? 'persistentDisk' : type))
  }
  return errors
}

type Rule<K extends SourceType> = (
  errors: FieldError[],
  source: NonNullable<PersistentVolumeSpec[K]>,
  path: string,
  volumeName: string,
) => void

function check<K extends SourceType>(
  errors: FieldError[],
  type: K,
  spec: PersistentVolumeSpec,
  volumeName: string,
  path: string,
): void {
  const rule: Rule<K> = rules[type]
  rule(errors, spec[type] as NonNullable<PersistentVolumeSpec[K]>, path, volumeName)
}

/** The rules of volumes in pods, where they are the same; those of these types look at no options. */
const shared =
  <K extends keyof typeof legacyVolumeRules>(type: K) =>
  (errors: FieldError[], source: NonNullable<Volume[K]>, path: string): void =>
    legacyVolumeRules[type]?.(errors, source, path, {} as PodValidationOptions)

const rules: { readonly [K in SourceType]: Rule<K> } = {
  hostPath: validateHostPath,
  gcePersistentDisk: shared('gcePersistentDisk'),
  awsElasticBlockStore: shared('awsElasticBlockStore'),
  glusterfs(errors, source, path) {
    shared('glusterfs')(errors, source, path)
    const { endpointsNamespace: namespace } = source
    if (namespace === undefined) return
    const at = child(path, 'endpointsNamespace')
    if (namespace !== '') errors.push(...dnsLabel(at, namespace))
    else errors.push(invalid(at, '', 'if the endpointnamespace is set, it must be a valid namespace name'))
  },
  flocker: shared('flocker'),
  nfs: shared('nfs'),
  rbd: shared('rbd'),
  quobyte: shared('quobyte'),
  cephfs: shared('cephfs'),
  iscsi: validateISCSI,
  cinder(errors, source, path) {
    shared('cinder')(errors, source, path)
    needSecretNamespace(errors, source.secretRef, path)
  },
  fc: shared('fc'),
  flexVolume: shared('flexVolume'),
  azureFile(errors, source, path) {
    shared('azureFile')(errors, source, path)
    if (source.secretNamespace === '') errors.push(required(child(path, 'secretNamespace')))
  },
  vsphereVolume: shared('vsphereVolume'),
  photonPersistentDisk: shared('photonPersistentDisk'),
  portworxVolume: shared('portworxVolume'),
  azureDisk: shared('azureDisk'),
  scaleIO: shared('scaleIO'),
  local(errors, { path: directory = '' }, path) {
    if (directory === '') errors.push(required(child(path, 'path')))
    else if (hasBacksteps(directory)) errors.push(invalid(child(path, 'path'), directory, "must not contain '..'"))
  },
  storageos(errors, source, path) {
    shared('storageos')(errors, source, path)
    needSecretNamespace(errors, source.secretRef, path)
  },
  csi: validateCSI,
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const maxDriverNameBytes = 63
const maxPortalLength = 64
const secretRefs = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

function validateHostPath(
  errors: FieldError[],
  { path: directory = '', type }: HostPathVolumeSource,
  path: string,
): void {
  if (directory === '') {
    errors.push(required(child(path, 'path')))
    return
  }
  if (hasBacksteps(directory)) errors.push(invalid(child(path, 'path'), directory, "must not contain '..'"))
  if (type !== undefined && !hostPathTypes.includes(type))
    errors.push(notSupported(child(path, 'type'), type, hostPathTypes))
}

function validateISCSI(
  errors: FieldError[],
  source: ISCSIPersistentVolumeSource,
  path: string,
  volumeName: string,
): void {
  const { targetPortal = '', iqn = '', lun = 0, initiatorName, secretRef } = source
  if (targetPortal === '') errors.push(required(child(path, 'targetPortal')))
  if (initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > maxPortalLength) {
    const detail =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
    errors.push(invalid(child(path, 'targetportal'), targetPortal, detail))
  }
  if (iqn === '') errors.push(required(child(path, 'iqn')))
  else if (!isQualifiedDeviceName(iqn)) errors.push(invalid(child(path, 'iqn'), iqn, 'must be valid format'))
  if (lun < 0 || lun > 255) errors.push(invalid(child(path, 'lun'), lun, inclusiveRangeError(0, 255)))
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !secretRef)
    errors.push(required(child(path, 'secretRef')))
  if (secretRef && !secretRef.name) errors.push(required(child(path, 'secretRef', 'name')))
  if (initiatorName !== undefined && !isQualifiedDeviceName(initiatorName))
    errors.push(invalid(child(path, 'initiatorname'), initiatorName, 'must be valid format'))
}

const isQualifiedDeviceName = (name: string): boolean =>
  (name.startsWith('iqn') && /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/.test(name)) ||
  /^(eui.[A-Za-z0-9]{16}|naa.[A-Za-z0-9]{32})$/.test(name)

function validateCSI(errors: FieldError[], source: CSIPersistentVolumeSource, path: string): void {
  errors.push(...driverNameFaults(child(path, 'driver'), source.driver ?? ''))
  if (!source.volumeHandle) errors.push(required(child(path, 'volumeHandle')))
  for (const field of secretRefs) {
    const reference = source[field]
    if (reference) errors.push(...secretReferenceFaults(child(path, field), reference))
  }
}

function driverNameFaults(path: string, driver: string): FieldError[] {
  if (driver === '') return [required(path)]
  return [
    ...(driver.length > maxDriverNameBytes ? [tooLong(path, maxDriverNameBytes)] : []),
    ...isDNS1123Subdomain(driver.toLowerCase()).map((fault) => invalid(path, driver, fault)),
  ]
}

function secretReferenceFaults(path: string, { name, namespace }: SecretReference): FieldError[] {
  return [
    ...(name ? dnsSubdomain(child(path, 'name'), name) : [required(child(path, 'name'))]),
    ...(namespace ? dnsLabel(child(path, 'namespace'), namespace) : [required(child(path, 'namespace'))]),
  ]
}

function needSecretNamespace(errors: FieldError[], reference: SecretReference | undefined, path: string): void {
  if (reference && !reference.namespace) errors.push(required(child(path, 'secretRef', 'namespace')))
}
