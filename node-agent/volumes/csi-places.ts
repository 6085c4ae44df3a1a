import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CsiVolume } from './csi-volume.ts'
import type { VolumePlace } from './types.ts'

/** As upstream names the kind in paths. */
export const csiPluginName = 'kubernetes.io~csi'

const dataName = 'vol_data.json'

/** What is written down of a volume before a driver is asked for anything, so that it can be taken back after a crash. */
export interface VolumeData {
  driverName: string
  volumeHandle: string
  /** The persistent volume's name, or the pod's own for it. */
  specVolID: string
  nodeName: string
  /** Empty for a driver whose volumes are not attached. */
  attachmentID: string
  volumeLifecycleMode: CsiVolume['lifecycle']
}

const inPlugins = (pluginsDirectory: string, ...parts: string[]): string =>
  join(pluginsDirectory, 'kubernetes.io/csi', ...parts)

/** Where the volume is made ready once for all pods of the node. */
export function stagingPath(
  pluginsDirectory: string,
  { driverName, volumeHandle, specVolID }: VolumeData,
  mode: VolumePlace['mode'],
): string {
  if (mode === 'Block') return inPlugins(pluginsDirectory, 'volumeDevices/staging', specVolID)
  const id = createHash('sha256').update(volumeHandle).digest('hex')
  return inPlugins(pluginsDirectory, driverName, id, 'globalmount')
}

/** Where the driver shows the volume for one pod. */
export const targetPath = (pluginsDirectory: string, { mode, directory, name, podUid }: VolumePlace): string =>
  mode === 'Block' ? inPlugins(pluginsDirectory, 'volumeDevices/publish', name, podUid) : join(directory, 'mount')

export async function readData(directory: string): Promise<VolumeData | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, dataName), 'utf8')) as VolumeData
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

export async function writeData(directory: string, data: VolumeData): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const path = join(directory, dataName)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(data))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

export const removeData = (directory: string): Promise<void> => rm(join(directory, dataName), { force: true })

/** What is written down in all pods' places, by the pods' uids. */
export async function allData(podsDirectory: string): Promise<{ podUid: string; data: VolumeData }[]> {
  const lists = await Promise.all((await namesIn(podsDirectory)).map((podUid) => dataOfPod(podsDirectory, podUid)))
  return lists.flat()
}

async function dataOfPod(podsDirectory: string, podUid: string): Promise<{ podUid: string; data: VolumeData }[]> {
  const folders = ['volumes', 'volumeDevices'].map((folder) => join(podsDirectory, podUid, folder, csiPluginName))
  const places = (
    await Promise.all(folders.map(async (path) => (await namesIn(path)).map((name) => join(path, name))))
  ).flat()
  const found = await Promise.all(places.map(readData))
  return found.flatMap((data) => (data ? [{ podUid, data }] : []))
}

/** Whether another pod of this node has the volume too. */
export async function usedByOthers(
  podsDirectory: string,
  podUid: string,
  { driverName, specVolID, volumeHandle }: VolumeData,
) {
  const others = (await namesIn(podsDirectory)).filter((uid) => uid !== podUid)
  const places = others.flatMap((uid) =>
    ['volumes', 'volumeDevices'].map((folder) => join(podsDirectory, uid, folder, csiPluginName, specVolID)),
  )
  const found = await Promise.all(places.map(readData))
  return found.some((data) => data?.driverName === driverName && data.volumeHandle === volumeHandle)
}

/** Removes the directory that a driver was given for staging, and what stands beside it. Nothing is mounted there any more. */
export async function removeStaging(path: string, mode: VolumePlace['mode']): Promise<void> {
  // Not what is in it: were something mounted there after all, it would be somebody's data.
  for (const directory of mode === 'Block' ? [path] : [path, dirname(path)]) {
    await removeEmpty(directory)
  }
}

async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
