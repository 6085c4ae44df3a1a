import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig, ContainerState, PodSandboxConfig, PodSandboxState } from '../cri.ts'

/** What a runtime of ours remembers of a sandbox. */
export interface SandboxRecord {
  id: string
  config: PodSandboxConfig
  runtimeHandler: string
  state: PodSandboxState
  createdAt: number
  ip: string
}

/** What it remembers of a container. */
export interface ContainerRecord {
  id: string
  sandboxId: string
  config: ContainerConfig
  imageId: string
  imageRef: string
  state: ContainerState
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  message: string
  /** Where the log is on this machine; empty: nowhere. */
  logPath: string
  /** The process, and when it began. */
  pid?: number
  ticks?: string
}

/** The records of one kind, in memory and, one file each, in a directory. */
export class Records<T extends { id: string }> {
  readonly #directory: string
  readonly #byId = new Map<string, T>()

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
    for (const name of readdirSync(directory)) {
      if (!name.endsWith('.json')) continue
      const record = JSON.parse(readFileSync(join(directory, name), 'utf8')) as T
      this.#byId.set(record.id, record)
    }
  }

  get(id: string): T | undefined {
    return this.#byId.get(id)
  }

  all(): IterableIterator<T> {
    return this.#byId.values()
  }

  /** Remembers the record over a crash. */
  save(record: T): void {
    const path = join(this.#directory, `${record.id}.json`)
    writeFileSync(`${path}.new`, JSON.stringify(record))
    renameSync(`${path}.new`, path)
    this.#byId.set(record.id, record)
  }

  delete(id: string): void {
    if (this.#byId.delete(id)) rmSync(join(this.#directory, `${id}.json`), { force: true })
  }
}
