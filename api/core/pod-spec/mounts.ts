import type { Container, EphemeralContainer, Volume, VolumeDevice, VolumeMount } from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, notFound, notSupported, required } from '../../machinery/field-errors.ts'
import { checkDescendingPath, hasBacksteps } from './checks.ts'

/** Where a container mounts the pod's volumes. `volumes` holds the sound volumes of the pod by name. */
export function validateVolumeMounts(
  errors: FieldError[],
  container: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): void {
  const mounts = container.volumeMounts as readonly VolumeMount[]
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i]!
    const at = (field: string) => `${path}[${i}].${field}`
    const { name = '', mountPath = '' } = mount
    if (!name) errors.push(required(at('name')))
    if (!volumes.has(name)) errors.push(notFound(at('name'), name))
    if (!mountPath) errors.push(required(at('mountPath')))
    if (someBefore(mounts, i, (other) => (other.mountPath ?? '') === mountPath)) {
      errors.push(invalid(at('mountPath'), mountPath, 'must be unique'))
    }
    for (const device of container.volumeDevices ?? []) {
      if (device.name === name) errors.push(invalid(at('name'), name, 'must not already exist in volumeDevices'))
      if (device.devicePath === mountPath) {
        errors.push(invalid(at('mountPath'), mountPath, 'must not already exist as a path in volumeDevices'))
      }
    }
    // From here on upstream names the list and not the item.
    if (mount.subPath) checkDescendingPath(errors, mount.subPath, `${path}.subPath`)
    if (mount.subPathExpr) {
      if (mount.subPath) {
        errors.push(invalid(at('subPathExpr'), mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      }
      checkDescendingPath(errors, mount.subPathExpr, `${path}.subPathExpr`)
    }
    if (mount.mountPropagation !== undefined) validatePropagation(errors, mount.mountPropagation, container, path)
    if (mount.recursiveReadOnly !== undefined) validateRecursiveReadOnly(errors, mount, `${path}.recursiveReadOnly`)
  }
}

/** Raw block devices of a container. */
export function validateVolumeDevices(
  errors: FieldError[],
  container: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): void {
  const devices = container.volumeDevices as readonly VolumeDevice[]
  for (const [i, device] of devices.entries()) {
    const at = (field: string) => `${path}[${i}].${field}`
    const { name = '', devicePath = '' } = device
    const volume = volumes.get(name)
    if (!name) errors.push(required(at('name')))
    else if (someBefore(devices, i, (other) => other.name === name)) {
      errors.push(invalid(at('name'), name, 'must be unique'))
    }
    if (!volume) errors.push(notFound(at('name'), name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(
        invalid(
          at('name'),
          name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      )
    }
    if (!devicePath) errors.push(required(at('devicePath')))
    if (someBefore(devices, i, (other) => (other.devicePath ?? '') === devicePath && !hasBacksteps(devicePath))) {
      errors.push(invalid(at('devicePath'), devicePath, 'must be unique'))
    }
    if (hasBacksteps(devicePath)) {
      errors.push(invalid(at('devicePath'), devicePath, "can not contain backsteps ('..')"))
    }
    for (const mount of container.volumeMounts ?? []) {
      if (mount.name === name) errors.push(invalid(at('name'), name, 'must not already exist in volumeMounts'))
      if (mount.mountPath === devicePath) {
        errors.push(invalid(at('devicePath'), devicePath, 'must not already exist as a path in volumeMounts'))
      }
    }
  }
}

function someBefore<T>(items: readonly T[], end: number, matches: (item: T) => boolean): boolean {
  for (let i = 0; i < end; i++) if (matches(items[i]!)) return true
  return false
}

const propagations = ['Bidirectional', 'HostToContainer', 'None']

function validatePropagation(
  errors: FieldError[],
  propagation: string,
  container: Container | EphemeralContainer,
  path: string,
): void {
  if (!propagations.includes(propagation)) {
    errors.push(notSupported(`${path}.mountPropagation`, propagation, propagations))
  }
  if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    errors.push(
      forbidden(
        `${path}.mountPropagation`,
        'Bidirectional mount propagation is available only to privileged containers',
      ),
    )
  }
}

function validateRecursiveReadOnly(errors: FieldError[], mount: VolumeMount, path: string): void {
  const mode = mount.recursiveReadOnly
  if (mode === 'Disabled') return
  if (mode !== 'Enabled' && mode !== 'IfPossible') {
    errors.push(notSupported(path, mode, ['Disabled', 'Enabled', 'IfPossible']))
    return
  }
  if (!mount.readOnly) errors.push(forbidden(path, 'may only be specified when readOnly is true'))
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    errors.push(forbidden(path, 'may only be specified when mountPropagation is None or not specified'))
  }
}
