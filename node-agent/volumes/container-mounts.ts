import { chmod, mkdir, open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container, VolumeMount } from '../../api/generated/types.ts'
import { expand } from '../containers/expand.ts'
import type { ContainerConfig, Given, Mount } from '../runtime/cri.ts'
import type { MountedVolumes } from './manager.ts'
import { makeSubPath, prepareSubPath } from './sub-path.ts'
import type { Mounted } from './types.ts'

const propagations = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const

export interface MountInputs {
  container: Container
  volumes: MountedVolumes
  environment: ReadonlyMap<string, string>
  /** Of the pod: parts of volumes are bound below it. */
  podDirectory: string
  mayMount: boolean
  /** Whether the runtime can make everything below a mount read-only. */
  recursiveReadOnly: boolean
}

/** The mounts a container's volumes become. Throws an Error in upstream's words. */
export async function volumeMounts(inputs: MountInputs): Promise<Given<Mount>[]> {
  const { container, volumes, environment } = inputs
  const mounts: Given<Mount>[] = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = volumes.get(mount.name)
    if (!volume) throw new Error(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
    const subPath = subPathOf(mount, environment)
    mounts.push({
      containerPath: mount.mountPath,
      hostPath: subPath === '' ? volume.hostPath : await partOf(inputs, volume, mount, { subPath, index }),
      readonly: volume.readOnly || (mount.readOnly ?? false),
      recursiveReadOnly: recursively(mount, inputs.recursiveReadOnly),
      propagation: propagations[(mount.mountPropagation ?? 'None') as keyof typeof propagations],
    })
  }
  return mounts
}

/** The devices a container is given, as they are. */
export function volumeDevices(
  container: Container,
  volumes: MountedVolumes,
): Given<ContainerConfig['devices'][number]>[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name)
    if (!volume) throw new Error(`cannot find volume "${name}" to pass into container "${container.name}"`)
    return { hostPath: volume.hostPath, containerPath: devicePath, permissions: volume.readOnly ? 'r' : 'mrw' }
  })
}

/** Whether everything below the mount is to be read-only too. */
function recursively({ name, readOnly, recursiveReadOnly, mountPropagation = 'None' }: VolumeMount, able: boolean) {
  if ((recursiveReadOnly ?? 'Disabled') === 'Disabled') return false
  const refuse = (why: string): Error => new Error(`failed to resolve recursive read-only mode: ${why}`)
  if (!readOnly) throw refuse(`volume "${name}" requested recursive read-only mode, but it is not read-only`)
  if (mountPropagation !== 'None') {
    throw refuse(
      `volume "${name}" requested recursive read-only mode, but it is not compatible with propagation "${mountPropagation}"`,
    )
  }
  if (recursiveReadOnly === 'IfPossible') return able
  if (!able) {
    throw refuse(`volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`)
  }
  return true
}

/** Part of a volume, made if it is not there. What went wrong is only logged: it speaks of this machine's files. */
async function partOf(
  { container, podDirectory, mayMount }: MountInputs,
  volume: Mounted,
  mount: VolumeMount,
  { subPath, index }: { subPath: string; index: number },
): Promise<string> {
  const where = `for volumeMount "${mount.name}" of container "${container.name}"`
  const exists = await stat(join(volume.hostPath, subPath)).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
  if (!exists) {
    await makeSubPath(volume.hostPath, subPath).catch((cause) => {
      throw new Error(`failed to create subPath directory ${where}`, { cause })
    })
  }
  const target = join(podDirectory, 'volume-subpaths', mount.name, container.name, String(index))
  return prepareSubPath(volume.hostPath, subPath, { target, mayMount }).catch((cause) => {
    throw new Error(`failed to prepare subPath ${where}`, { cause })
  })
}

function subPathOf(mount: VolumeMount, environment: ReadonlyMap<string, string>): string {
  let subPath = mount.subPath ?? ''
  if (mount.subPathExpr) {
    const missing: string[] = []
    subPath = expand(mount.subPathExpr, (name) => {
      const value = environment.get(name)
      if (value === undefined) missing.push(name)
      return value ?? ''
    })
    if (missing.length > 0) throw new Error(`missing value for ${missing.map((name) => `"${name}"`).join(', ')}`)
  }
  if (subPath.startsWith('/')) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`)
  if (subPath.split('/').includes('..')) {
    throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`)
  }
  return subPath
}

/** An empty file for the container's last words, mounted where it looks for it. */
export async function terminationLog(path: string, containerPath: string): Promise<Given<Mount>> {
  await mkdir(dirname(path), { recursive: true })
  await (await open(path, 'a', 0o666)).close()
  await chmod(path, 0o666)
  return { hostPath: path, containerPath, readonly: false, propagation: 'PROPAGATION_PRIVATE' }
}
