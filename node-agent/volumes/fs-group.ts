import { chmod, chown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BoundPod } from '../pods/types.ts'

export const fsGroupOf = ({ spec }: BoundPod): number | undefined => spec.securityContext?.fsGroup

/** The user that all containers run as by the pod's own word; undefined if they differ or it does not say. */
export function commonUser({ spec }: BoundPod): number | undefined {
  const users = new Set(
    [...(spec.initContainers ?? []), ...spec.containers].map(
      ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
    ),
  )
  return users.size === 1 ? [...users][0] : undefined
}

/**
 * Gives a tree to the pod's group: its members may do what the owner may, and what they make belongs to the group too.
 * With `OnRootMismatch` a root that already belongs to it is taken for a sign that the rest does.
 */
export async function giveToGroup(directory: string, group: number, policy = 'Always'): Promise<void> {
  const root = await lstat(directory)
  if (policy === 'OnRootMismatch' && root.gid === group && (root.mode & 0o2070) === 0o2070) return
  await giveEntry(directory, group)
}

async function giveEntry(path: string, group: number): Promise<void> {
  const entry = await lstat(path)
  if (entry.isSymbolicLink()) return
  await chown(path, -1, group)
  await chmod(path, (entry.mode & 0o7777) | (entry.isDirectory() ? 0o2770 : 0o660))
  if (!entry.isDirectory()) return
  for (const name of await readdir(path)) await giveEntry(join(path, name), group)
}
