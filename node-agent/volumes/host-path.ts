import { mkdir, open, stat } from 'node:fs/promises'
import { sourceOf, type VolumePlugin } from './types.ts'

/** A path of the machine, looked at first: what is not of the type asked for is refused. */
export const hostPath: VolumePlugin = {
  name: 'kubernetes.io~host-path',
  handles: (spec) => sourceOf(spec).hostPath !== undefined,
  async mount(spec) {
    const { path = '/', type = '' } = sourceOf(spec).hostPath ?? {}
    await checks[type as keyof typeof checks]?.(path)
    return { hostPath: path, readOnly: false, ownedByPod: false }
  },
}

type Check = (path: string) => Promise<void>

const find = (path: string) => stat(path).catch(() => undefined)

function must(test: (found: NonNullable<Awaited<ReturnType<typeof find>>>) => boolean, what: string): Check {
  return async (path) => {
    const found = await find(path)
    if (!found || !test(found)) throw new Error(`hostPath type check failed: ${path} is not a ${what}`)
  }
}

const directory = must((found) => found.isDirectory(), 'directory')
const file = must((found) => found.isFile(), 'file')

const checks: Record<string, Check> = {
  '': async () => undefined,
  Directory: directory,
  File: file,
  Socket: must((found) => found.isSocket(), 'socket file'),
  CharDevice: must((found) => found.isCharacterDevice(), 'character device'),
  BlockDevice: must((found) => found.isBlockDevice(), 'block device'),
  async DirectoryOrCreate(path) {
    if (!(await find(path))) await mkdir(path, { recursive: true, mode: 0o755 })
    await directory(path)
  },
  async FileOrCreate(path) {
    if (!(await find(path))) await (await open(path, 'a', 0o644)).close()
    await file(path)
  },
}
