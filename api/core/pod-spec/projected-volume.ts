import type {
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
} from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, required } from '../../machinery/field-errors.ts'
import { checkFileMode, checkProjectedPath } from './checks.ts'
import { validateFieldSelector, validateResourceFieldSelector } from './env.ts'
import type { PodValidationOptions } from './options.ts'

/** Fields of the pod as files. */
export function validateDownwardAPIVolume(errors: FieldError[], volume: DownwardAPIVolumeSource, path: string): void {
  checkFileMode(errors, volume.defaultMode, `${path}.defaultMode`)
  // Upstream reports files at the volume, without an index.
  for (const file of volume.items ?? []) validateDownwardAPIFile(errors, file, path)
}

/** Several sources in one directory; no two may claim one path. */
export function validateProjectedVolume(
  errors: FieldError[],
  volume: ProjectedVolumeSource,
  path: string,
  options: PodValidationOptions,
): void {
  checkFileMode(errors, volume.defaultMode, `${path}.defaultMode`)
  const claimed: string[] = []
  const claim = (file: string, owner: string) => {
    if (!file) return
    if (claimed.includes(file)) errors.push(invalid(path, owner, 'conflicting duplicate paths'))
    else claimed.push(file)
  }
  for (const [i, source] of (volume.sources ?? []).entries()) {
    const sourcePath = `${path}.sources[${i}]`
    let types = 0
    for (const type of ['secret', 'configMap'] as const) {
      const projection = source[type]
      if (!projection) continue
      types++
      if (!projection.name) errors.push(required(`${sourcePath}.${type}.name`))
      for (const [j, item] of (projection.items ?? []).entries()) {
        validateKeyToPath(errors, item, `${sourcePath}.${type}.items[${j}]`)
        claim(item.path, projection.name ?? '')
      }
    }
    if (source.downwardAPI) {
      types++
      for (const file of source.downwardAPI.items ?? []) {
        validateDownwardAPIFile(errors, file, `${sourcePath}.downwardAPI`)
        claim(file.path, file.path)
      }
    }
    if (source.serviceAccountToken) {
      types++
      validateToken(errors, source.serviceAccountToken, path, `${sourcePath}.serviceAccountToken`, options)
    }
    if (types > 1) errors.push(forbidden(sourcePath, 'may not specify more than 1 volume type per source'))
  }
}

/** A key of a config map or secret and the file it becomes. */
export function validateKeyToPath(errors: FieldError[], item: KeyToPath, path: string): void {
  if (!item.key) errors.push(required(`${path}.key`))
  if (!item.path) errors.push(required(`${path}.path`))
  checkProjectedPath(errors, item.path ?? '', `${path}.path`)
  checkFileMode(errors, item.mode, `${path}.mode`)
}

/** Some projected token is written to a path that today's rules refuse. */
export function hasNonLocalTokenPath(volumes: readonly Volume[] | undefined): boolean {
  const errors: FieldError[] = []
  for (const volume of volumes ?? []) {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken) checkProjectedPath(errors, serviceAccountToken.path ?? '', '')
    }
  }
  return errors.length > 0
}

const volumeFieldPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

function validateDownwardAPIFile(errors: FieldError[], file: DownwardAPIVolumeFile, path: string): void {
  if (!file.path) errors.push(required(`${path}.path`))
  checkProjectedPath(errors, file.path ?? '', `${path}.path`)
  if (file.fieldRef) {
    validateFieldSelector(errors, file.fieldRef, volumeFieldPaths, `${path}.fieldRef`)
    if (file.resourceFieldRef) {
      errors.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    }
  } else if (file.resourceFieldRef) {
    validateResourceFieldSelector(errors, file.resourceFieldRef, `${path}.resourceFieldRef`, true)
  } else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  checkFileMode(errors, file.mode, `${path}.mode`)
}

function validateToken(
  errors: FieldError[],
  token: ServiceAccountTokenProjection,
  volumePath: string,
  path: string,
  options: PodValidationOptions,
): void {
  const seconds = token.expirationSeconds ?? 0
  if (seconds < 600) {
    errors.push(invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
  } else if (seconds > 2 ** 32) {
    errors.push(invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
  }
  // The path of the file is reported at the volume, as upstream does.
  if (!token.path) errors.push(required(`${volumePath}.path`))
  else if (!options.allowNonLocalTokenPaths) checkProjectedPath(errors, token.path, `${volumePath}.path`)
}
