import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

const recordName = 'record.json'

/**
 * Things that a driver keeps, a directory each, with a record of what it is. One is there as a whole or not at all: it is
 * made aside and renamed into its place, and renamed away before it is removed, so a process may be killed at any moment.
 */
export class DriverStore<T extends { id: string }> {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Removes what an earlier process has left half made or half removed. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o750 })
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith('.')) await rm(join(this.#directory, name), { recursive: true, force: true })
    }
  }

  /** Where what belongs to it lies, beside the record. */
  directoryOf(id: string): string {
    return join(this.#directory, id)
  }

  async get(id: string): Promise<T | undefined> {
    // A name of a file, not a way to one.
    if (!isPlainName(id)) return undefined
    try {
      return JSON.parse(await readFile(join(this.directoryOf(id), recordName), 'utf8')) as T
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async list(): Promise<T[]> {
    const names = (await readdir(this.#directory)).filter(isPlainName).sort()
    const found = await Promise.all(names.map((name) => this.get(name)))
    return found.filter((record) => record !== undefined)
  }

  /** `fill` puts into the directory what belongs to it. */
  async create(record: T, fill: (directory: string) => Promise<void>): Promise<void> {
    const aside = join(this.#directory, `.new-${record.id}`)
    await rm(aside, { recursive: true, force: true })
    await mkdir(aside, { mode: 0o750 })
    try {
      await fill(aside)
      await writeDurably(join(aside, recordName), record)
      await rename(aside, this.directoryOf(record.id))
    } catch (error) {
      await rm(aside, { recursive: true, force: true })
      throw error
    }
  }

  async save(record: T): Promise<void> {
    const path = join(this.directoryOf(record.id), recordName)
    await writeDurably(`${path}.new`, record)
    await rename(`${path}.new`, path)
  }

  async remove(id: string): Promise<void> {
    const aside = join(this.#directory, `.old-${id}`)
    await rm(aside, { recursive: true, force: true })
    await rename(this.directoryOf(id), aside)
    await rm(aside, { recursive: true, force: true })
  }
}

/** Whether it names a thing, rather than a way out of the store or one of its own temporary names. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(name)

async function writeDurably(path: string, record: object): Promise<void> {
  const file = await open(path, 'w', 0o640)
  try {
    await file.writeFile(JSON.stringify(record))
    await file.sync()
  } finally {
    await file.close()
  }
}
