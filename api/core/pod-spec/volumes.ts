import type {
  ConfigMapVolumeSource,
  HostPathVolumeSource,
  KeyToPath,
  PodSpec,
  SecretVolumeSource,
  Volume,
} from '../../generated/types.ts'
import { duplicate, type FieldError, forbidden, invalid, required } from '../../machinery/field-errors.ts'
import { isDNS1123Subdomain, nameIsDNSSubdomain } from '../../machinery/names.ts'
import {
  addInvalid,
  checkChoice,
  checkFileMode,
  checkLabelName,
  checkNoBacksteps,
  checkRequiredChoice,
} from './checks.ts'
import { validateClaimTemplate } from './claim-template.ts'
import { legacyVolumeRules } from './legacy-volumes.ts'
import type { PodValidationOptions } from './options.ts'
import { validateDownwardAPIVolume, validateKeyToPath, validateProjectedVolume } from './projected-volume.ts'
import type { VolumeRule, VolumeRules, VolumeType } from './volume-rules.ts'

const noVolumes: ReadonlyMap<string, Volume> = new Map()

/**
 * The volumes of a pod spec. Gives the sound ones by name: mounts of a broken volume are broken too. `podName` is empty
 * for templates.
 */
export function validateVolumes(
  errors: FieldError[],
  spec: PodSpec,
  podName: string,
  path: string,
  options: PodValidationOptions,
): ReadonlyMap<string, Volume> {
  const list = spec.volumes
  if (!list?.length) return noVolumes
  const sound = new Map<string, Volume>()
  for (let i = 0; i < list.length; i++) {
    const volume = list[i]!
    const before = errors.length
    validateSources(errors, volume, podName, `${path}[${i}]`, options)
    if (!volume.name) errors.push(required(`${path}[${i}].name`))
    else checkLabelName(errors, volume.name, `${path}[${i}].name`)
    if (sound.has(volume.name)) errors.push(duplicate(`${path}[${i}].name`, volume.name))
    if (errors.length === before) sound.set(volume.name, volume)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim && podName && list.some((other) => other.ephemeral && `${podName}-${other.name}` === claim)) {
      errors.push(
        invalid(
          `${path}[${i}].persistentVolumeClaim.claimName`,
          claim,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      )
    }
  }
  return sound
}

const rules: VolumeRules = {
  ...legacyVolumeRules,
  emptyDir: (errors, { sizeLimit }, path) => {
    if (sizeLimit?.startsWith('-')) {
      errors.push(forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
    }
  },
  hostPath: validateHostPath,
  secret: validateSecret,
  configMap: validateConfigMap,
  persistentVolumeClaim: (errors, { claimName }, path) => {
    if (!claimName) errors.push(required(`${path}.claimName`))
  },
  downwardAPI: validateDownwardAPIVolume,
  projected: validateProjectedVolume,
  csi: (errors, { driver, nodePublishSecretRef }, path) => {
    if (!driver) errors.push(required(`${path}.driver`))
    else {
      if (driver.length > 63) {
        const message = 'Too long: may not be more than 63 bytes'
        errors.push({ type: 'FieldValueTooLong', field: `${path}.driver`, message })
      }
      addInvalid(errors, `${path}.driver`, driver, isDNS1123Subdomain(driver.toLowerCase()))
    }
    if (!nodePublishSecretRef) return
    const { name } = nodePublishSecretRef
    if (!name) errors.push(required(`${path}.nodePublishSecretRef.name`))
    else addInvalid(errors, `${path}.name`, name, nameIsDNSSubdomain(name, false))
  },
  ephemeral: (errors, { volumeClaimTemplate }, path) => {
    if (!volumeClaimTemplate) errors.push(required(`${path}.volumeClaimTemplate`))
    else validateClaimTemplate(errors, volumeClaimTemplate, `${path}.volumeClaimTemplate`)
  },
  image: (errors, { reference, pullPolicy }, path, options) => {
    if (options.resourceIsPod && !reference) errors.push(required(`${path}.reference`))
    checkRequiredChoice(errors, pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.pullPolicy`)
  },
}

/** Names under which upstream reports two of its sources; they are not the fields' own. */
const secondSourceNames: Partial<Record<VolumeType, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }
const faultNames: Partial<Record<VolumeType, string>> = { gcePersistentDisk: 'persistentDisk' }

/** The order in which upstream looks: the first source found counts, a further one is one too many. */
const sourceTypes: readonly VolumeType[] = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
]

function validateSources(
  errors: FieldError[],
  volume: Volume,
  podName: string,
  path: string,
  options: PodValidationOptions,
): void {
  let first: VolumeType | undefined
  let sources = 0
  for (const field in volume) {
    if (field === 'name' || volume[field as keyof Volume] === undefined) continue
    sources++
    first ??= field as VolumeType
  }
  if (first === undefined) {
    errors.push(required(path, 'must specify a volume type'))
    return
  }
  if (sources > 1) {
    first = undefined
    for (const type of sourceTypes) {
      if (volume[type] === undefined) continue
      if (first === undefined) first = type
      else {
        errors.push(forbidden(`${path}.${secondSourceNames[type] ?? type}`, 'may not specify more than 1 volume type'))
      }
    }
  }
  const type = first as VolumeType
  const rule = rules[type] as VolumeRule<VolumeType> | undefined
  rule?.(errors, volume[type]!, `${path}.${faultNames[type] ?? type}`, options)
  if (volume.iscsi?.initiatorName !== undefined && `${volume.name}:${volume.iscsi.targetPortal}`.length > 64) {
    errors.push(
      invalid(
        `${path}.name`,
        volume.name,
        'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
      ),
    )
  }
  if (type === 'ephemeral' && podName && volume.name) {
    const claimName = `${podName}-${volume.name}`
    for (const message of nameIsDNSSubdomain(claimName, false)) {
      errors.push(invalid(`${path}.name`, volume.name, `PVC name ${JSON.stringify(claimName)}: ${message}`))
    }
  }
}

function validateItems(errors: FieldError[], items: readonly KeyToPath[] | undefined, path: string): void {
  if (items) for (let i = 0; i < items.length; i++) validateKeyToPath(errors, items[i]!, `${path}.items[${i}]`)
}

function validateSecret(errors: FieldError[], secret: SecretVolumeSource, path: string): void {
  if (!secret.secretName) errors.push(required(`${path}.secretName`))
  checkFileMode(errors, secret.defaultMode, `${path}.defaultMode`)
  validateItems(errors, secret.items, path)
}

function validateConfigMap(errors: FieldError[], configMap: ConfigMapVolumeSource, path: string): void {
  if (!configMap.name) errors.push(required(`${path}.name`))
  checkFileMode(errors, configMap.defaultMode, `${path}.defaultMode`)
  validateItems(errors, configMap.items, path)
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

function validateHostPath(errors: FieldError[], hostPath: HostPathVolumeSource, path: string): void {
  if (!hostPath.path) {
    errors.push(required(`${path}.path`))
    return
  }
  checkNoBacksteps(errors, hostPath.path, `${path}.path`)
  checkChoice(errors, hostPath.type, hostPathTypes, `${path}.type`)
}
