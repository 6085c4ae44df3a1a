import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, readFile } from 'node:fs/promises'

/** Opens without reading: enough to stand on. Node does not name it. */
const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/**
 * A directory held open. Its entries are reached through it and by a single name, so nobody who moves directories or makes
 * links meanwhile can lead us elsewhere.
 */
export class OpenDirectory {
  readonly handle: FileHandle

  private constructor(handle: FileHandle) {
    this.handle = handle
  }

  /** Links on the way are followed, the last name is not. */
  static async at(path: string): Promise<OpenDirectory> {
    return new OpenDirectory(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  /** A way to the directory that holds as long as it is open, whatever its name is by then. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.handle.fd}`
  }

  /** A way to an entry. Names are bytes: not all of them are text. */
  to(name: Buffer | string): Buffer {
    return Buffer.concat([Buffer.from(`${this.path}/`), Buffer.from(name)])
  }

  async entries(): Promise<{ name: Buffer; isDirectory: boolean }[]> {
    const found = await readdir(this.path, { withFileTypes: true, encoding: 'buffer' })
    return found.map((entry) => ({ name: entry.name as unknown as Buffer, isDirectory: entry.isDirectory() }))
  }

  /** Throws ENOTDIR or ELOOP where the name is a link or no directory. */
  async enter(name: Buffer | string): Promise<OpenDirectory> {
    return new OpenDirectory(await open(this.to(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  /** Makes the directory if it is not there, and enters it; `made` says whether it was. */
  async make(name: string, mode: number): Promise<{ directory: OpenDirectory; made: boolean }> {
    const made = await mkdir(this.to(name), { mode }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
        return false
      },
    )
    return { directory: await this.enter(name), made }
  }

  /** Stands on an entry of any kind; on a link itself, if it is one. The caller closes it. */
  stand(name: Buffer | string): Promise<FileHandle> {
    return open(this.to(name), O_PATH | O_NOFOLLOW)
  }

  /** Of an entry; of a link itself, if it is one. */
  stat(name: Buffer): Promise<Stats> {
    return lstat(this.to(name))
  }

  /** Which mount the directory is in: another one is another volume, even of the same file system. */
  async mountId(): Promise<string> {
    const text = await readFile(`/proc/self/fdinfo/${this.handle.fd}`, 'utf8')
    return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? ''
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}
