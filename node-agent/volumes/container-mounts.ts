import { chmod, chown, lstat, mkdir, open, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container, VolumeMount } from '../../api/generated/types.ts'
import { expand } from '../containers/expand.ts'
import type { Given, Mount } from '../runtime/cri.ts'
import type { MountedVolumes } from './manager.ts'

const propagations = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const

/** The mounts a container's volumes become. Throws an Error in upstream's words. */
export async function volumeMounts(
  container: Container,
  volumes: MountedVolumes,
  environment: ReadonlyMap<string, string>,
): Promise<Given<Mount>[]> {
  const mounts: Given<Mount>[] = []
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name)
    if (!volume) throw new Error(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
    const subPath = subPathOf(mount, environment)
    const readOnly = volume.readOnly || (mount.readOnly ?? false)
    mounts.push({
      containerPath: mount.mountPath,
      hostPath: subPath === '' ? volume.hostPath : await subPathIn(volume.hostPath, subPath),
      readonly: readOnly,
      propagation: propagations[(mount.mountPropagation ?? 'None') as keyof typeof propagations],
    })
  }
  return mounts
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

/** The real path of what lies at `subPath` in a volume, made as a directory if nothing is there. It never leads out. */
async function subPathIn(volume: string, subPath: string): Promise<string> {
  const root = await realpath(volume)
  const found = await realpath(join(root, subPath)).catch(() => undefined)
  const path = found ?? (await makeDirectories(root, subPath))
  if (path !== root && !path.startsWith(`${root}/`)) {
    throw new Error(`failed to prepare subPath for volumeMount: ${subPath} is outside of the volume`)
  }
  return path
}

async function makeDirectories(root: string, subPath: string): Promise<string> {
  const { mode, gid } = await lstat(root)
  let path = root
  for (const part of subPath.split('/').filter((word) => word !== '' && word !== '.')) {
    path = join(path, part)
    const existing = await realpath(path).catch(() => undefined)
    if (existing !== undefined) {
      if (!existing.startsWith(`${root}/`)) throw new Error(`${subPath} is outside of the volume`)
      path = existing
      continue
    }
    await mkdir(path)
    // As the volume's own root: whoever may write there may write here.
    await chown(path, -1, gid).catch(() => undefined)
    await chmod(path, mode & 0o7777)
  }
  return path
}

/** An empty file for the container's last words, mounted where it looks for it. */
export async function terminationLog(path: string, containerPath: string): Promise<Given<Mount>> {
  await mkdir(dirname(path), { recursive: true })
  await (await open(path, 'a', 0o666)).close()
  await chmod(path, 0o666)
  return { hostPath: path, containerPath, readonly: false, propagation: 'PROPAGATION_PRIVATE' }
}
