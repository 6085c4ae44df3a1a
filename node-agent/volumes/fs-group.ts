import { chmod, chown, type FileHandle, lchown } from 'node:fs/promises'
import type { BoundPod } from '../pods/types.ts'
import { OpenDirectory } from './open-directory.ts'

export const fsGroupOf = ({ spec }: BoundPod): number | undefined => spec.securityContext?.fsGroup

/** The user that all containers run as by the pod's own word; undefined if they differ or it does not say. */
function commonUser({ spec }: BoundPod): number | undefined {
  const users = new Set(
    [...(spec.initContainers ?? []), ...spec.containers].map(
      ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
    ),
  )
  return users.size === 1 ? [...users][0] : undefined
}

/**
 * The mode and the owner of a file that is the pod's own affair: with a group of its own the group reads it, else its only
 * user owns it; where neither can be told, everybody may who may by `mode`.
 */
export function privateTo(pod: BoundPod, mode: number): { mode: number; uid?: number } {
  if (fsGroupOf(pod) !== undefined) return { mode: 0o600 }
  const uid = commonUser(pod)
  return uid === undefined ? { mode } : { mode: 0o600, uid }
}

/**
 * Gives a tree to the pod's group: its members may do what the owner may, and what they make belongs to the group too.
 * With `OnRootMismatch` a root that already belongs to it is taken for a sign that the rest does. Links are given away
 * themselves, never what they lead to: a pod may be at work in the tree.
 */
export async function giveToGroup(directory: string, group: number, policy = 'Always'): Promise<void> {
  const root = await OpenDirectory.at(directory)
  try {
    const { gid, mode } = await root.handle.stat()
    if (policy === 'OnRootMismatch' && gid === group && (mode & directoryBits) === directoryBits) return
    await giveDirectory(root, group, 0)
  } finally {
    await root.close()
  }
}

const directoryBits = 0o2770
const fileBits = 0o660
/** Every level holds a file open. */
const maxDepth = 2000

async function giveDirectory(directory: OpenDirectory, group: number, depth: number): Promise<void> {
  if (depth > maxDepth) throw new Error(`directories are nested deeper than ${maxDepth}`)
  await give(directory.handle, group, directoryBits)
  for (const { name, isDirectory } of await directory.entries()) {
    if (!isDirectory) await giveFile(directory, name, group)
    else {
      const inner = await directory.enter(name)
      await giveDirectory(inner, group, depth + 1).finally(() => inner.close())
    }
  }
}

async function giveFile(directory: OpenDirectory, name: Buffer, group: number): Promise<void> {
  const file = await directory.stand(name)
  try {
    const found = await file.stat()
    const path = `/proc/self/fd/${file.fd}`
    if (found.isSymbolicLink()) return await lchown(directory.to(name), found.uid, group)
    // By its path, for a file that is only stood on cannot be changed itself.
    await chown(path, found.uid, group)
    await chmod(path, (found.mode & 0o7777) | fileBits)
  } finally {
    await file.close()
  }
}

async function give(handle: FileHandle, group: number, bits: number): Promise<void> {
  const { uid, mode } = await handle.stat()
  await handle.chown(uid, group)
  await handle.chmod((mode & 0o7777) | bits)
}
