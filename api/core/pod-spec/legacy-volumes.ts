import { isIP } from 'node:net'
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
} from '../../generated/types.ts'
import { type FieldError, invalid, notSupported, required } from '../../machinery/field-errors.ts'
import { inclusiveRangeError } from '../../machinery/names.ts'
import { checkChoice, checkDescendingPath, checkLabelName } from './checks.ts'
import type { VolumeRules } from './volume-rules.ts'

/** Volume types of network storage and of single vendors: still accepted, most of them moved to CSI drivers. */
export const legacyVolumeRules: VolumeRules = {
  gitRepo: (errors, { repository, directory = '' }, path) => {
    need(errors, { repository }, path)
    checkDescendingPath(errors, directory, `${path}.directory`)
  },
  gcePersistentDisk: (errors, { pdName, partition }, path) => {
    need(errors, { pdName }, path)
    checkPartition(errors, partition, path)
  },
  awsElasticBlockStore: (errors, { volumeID, partition }, path) => {
    need(errors, { volumeID }, path)
    checkPartition(errors, partition, path)
  },
  nfs: (errors, { server, path: exported }, path) => {
    need(errors, { server, path: exported }, path)
    if (!exported?.startsWith('/')) errors.push(invalid(`${path}.path`, exported ?? '', 'must be an absolute path'))
  },
  iscsi: validateISCSI,
  glusterfs: (errors, { endpoints, path: volume }, path) => need(errors, { endpoints, path: volume }, path),
  flocker: (errors, { datasetName = '', datasetUUID = '' }, path) => {
    if (!datasetName && !datasetUUID) {
      errors.push(required(path, 'one of datasetName and datasetUUID is required'))
    } else if (datasetName && datasetUUID) {
      errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
    }
    if (datasetName.includes('/')) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"))
  },
  rbd: (errors, { monitors, image }, path) => {
    if (!monitors?.length) errors.push(required(`${path}.monitors`))
    need(errors, { image }, path)
  },
  cinder: (errors, { volumeID, secretRef }, path) => {
    need(errors, { volumeID }, path)
    needSecretName(errors, secretRef, path)
  },
  cephfs: (errors, { monitors }, path) => {
    if (!monitors?.length) errors.push(required(`${path}.monitors`))
  },
  quobyte: validateQuobyte,
  fc: validateFC,
  flexVolume: (errors, { driver, options }, path) => {
    need(errors, { driver }, path)
    for (const option of Object.keys(options ?? {})) {
      const slash = option.indexOf('/')
      const namespace = `.${(slash < 0 ? option : option.slice(0, slash)).toLowerCase()}`
      if (namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io')) {
        errors.push(invalid(`${path}.options[${option}]`, option, 'kubernetes.io and k8s.io namespaces are reserved'))
      }
    }
  },
  azureFile: (errors, { secretName, shareName }, path) => need(errors, { secretName, shareName }, path),
  vsphereVolume: (errors, { volumePath }, path) => need(errors, { volumePath }, path),
  photonPersistentDisk: (errors, { pdID }, path) => need(errors, { pdID }, path),
  portworxVolume: (errors, { volumeID }, path) => need(errors, { volumeID }, path),
  azureDisk: validateAzureDisk,
  storageos: (errors, { volumeName, volumeNamespace, secretRef }, path) => {
    if (volumeName) checkLabelName(errors, volumeName, `${path}.volumeName`)
    else errors.push(required(`${path}.volumeName`))
    if (volumeNamespace) checkLabelName(errors, volumeNamespace, `${path}.volumeNamespace`)
    needSecretName(errors, secretRef, path)
  },
  scaleIO: (errors, { gateway, system, volumeName }, path) => need(errors, { gateway, system, volumeName }, path),
}

function need(errors: FieldError[], fields: Record<string, string | undefined>, path: string): void {
  for (const [name, value] of Object.entries(fields)) if (!value) errors.push(required(`${path}.${name}`))
}

function needSecretName(errors: FieldError[], secret: { name?: string } | undefined, path: string): void {
  if (secret && !secret.name) errors.push(required(`${path}.secretRef.name`))
}

function checkPartition(errors: FieldError[], partition = 0, path: string): void {
  // 0 means the whole disk; upstream's sentence starts at 1 all the same.
  if (partition < 0 || partition > 255)
    errors.push(invalid(`${path}.partition`, partition, inclusiveRangeError(1, 255)))
}

const qualifiedNames: Record<string, RegExp> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
}

function checkQualifiedName(errors: FieldError[], name: string, path: string): void {
  const format = qualifiedNames[name.slice(0, 3)]
  if (!format) errors.push(invalid(path, name, 'must be valid format starting with iqn, eui, or naa'))
  else if (!format.test(name)) errors.push(invalid(path, name, 'must be valid format'))
}

function validateISCSI(errors: FieldError[], iscsi: ISCSIVolumeSource, path: string): void {
  const { targetPortal, iqn, lun = 0, initiatorName } = iscsi
  need(errors, { targetPortal, iqn }, path)
  if (iqn) checkQualifiedName(errors, iqn, `${path}.iqn`)
  if (lun < 0 || lun > 255) errors.push(invalid(`${path}.lun`, lun, inclusiveRangeError(0, 255)))
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) {
    errors.push(required(`${path}.secretRef`))
  }
  if (initiatorName !== undefined) checkQualifiedName(errors, initiatorName, `${path}.initiatorname`)
}

function validateFC(errors: FieldError[], { targetWWNs = [], wwids = [], lun }: FCVolumeSource, path: string): void {
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
  }
  if (targetWWNs.length === 0) return
  if (wwids.length > 0) {
    errors.push(invalid(`${path}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'))
  }
  if (lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
  else if (lun < 0 || lun > 255) errors.push(invalid(`${path}.lun`, lun, inclusiveRangeError(0, 255)))
}

function validateQuobyte(
  errors: FieldError[],
  { registry, tenant = '', volume }: QuobyteVolumeSource,
  path: string,
): void {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  if (!registry) errors.push(required(`${path}.registry`, pairs))
  else if (tenant.length >= 65) {
    errors.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
  } else {
    for (const pair of registry.split(',')) {
      if (!isHostPort(pair)) errors.push(invalid(`${path}.registry`, registry, pairs))
    }
  }
  need(errors, { volume }, path)
}

function isHostPort(text: string): boolean {
  const bracketed = /^\[([^\]]*)\]:[^:[\]]*$/.exec(text)
  if (bracketed) return isIP(bracketed[1] as string) === 6
  return /^[^:[\]]*:[^:[\]]*$/.test(text)
}

function validateAzureDisk(errors: FieldError[], disk: AzureDiskVolumeSource, path: string): void {
  const { diskName, diskURI = '', kind } = disk
  need(errors, { diskName, diskURI }, path)
  checkChoice(errors, disk.cachingMode, ['None', 'ReadOnly', 'ReadWrite'], `${path}.cachingMode`)
  checkChoice(errors, kind, ['Dedicated', 'Managed', 'Shared'], `${path}.kind`)
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) {
    const format = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
    errors.push(notSupported(`${path}.diskURI`, diskURI, [format]))
  } else if (kind !== undefined && kind !== 'Managed' && !diskURI.startsWith('https://')) {
    const format = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'
    errors.push(notSupported(`${path}.diskURI`, diskURI, [format]))
  }
}
