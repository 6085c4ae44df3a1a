import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeptPod, keepLogsMs } from '../../api/gantry/kept-logs.ts'
import type { ObjectMeta } from '../../api/generated/types.ts'
import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import { treeUsage } from '../volumes/usage.ts'

export interface KeptLogsOptions {
  /** Where they lie, a directory each; on one file system with the logs of pods. */
  directory: string
  /** The oldest go when all of them are larger. */
  maxBytes?: number
  clock: Clock
  log: Logger
}

const defaultMaxBytes = 1 << 30
const description = 'pod.json'
const logsOf = 'logs'

/**
 * The logs of pods that are gone, for as long as those asked for (`gantry.dev/keep-logs`). What is kept lies on the disk
 * with its description, so an agent that starts again knows it.
 */
export class KeptLogs {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #clock: Clock
  readonly #log: Logger
  /** On their way here, and so without a description yet. */
  readonly #coming = new Set<string>()

  constructor({ directory, maxBytes = defaultMaxBytes, clock, log }: KeptLogsOptions) {
    this.#directory = directory
    this.#maxBytes = maxBytes
    this.#clock = clock
    this.#log = log
  }

  /** Takes a pod's log directory away, into what is kept if the pod asks for that. */
  async takeOver(metadata: ObjectMeta & { uid: string }, logDirectory: string): Promise<void> {
    const ms = keepLogsMs(metadata.annotations)
    if (ms > 0) {
      try {
        this.#coming.add(metadata.uid)
        await this.#keep(metadata, logDirectory, ms)
        this.#coming.delete(metadata.uid)
        await this.prune()
        return
      } catch (error) {
        this.#coming.delete(metadata.uid)
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          this.#log.warn({ err: error, pod: metadata.name }, 'the logs of a deleted pod could not be kept')
        }
      }
    }
    await rm(logDirectory, { recursive: true, force: true })
  }

  async #keep(metadata: ObjectMeta & { uid: string }, logDirectory: string, ms: number): Promise<void> {
    const containers = (await readdir(logDirectory, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
    const nowMs = this.#clock.now()
    const { namespace = '', name = '', uid, labels = {}, ownerReferences = [], creationTimestamp } = metadata
    const pod: KeptPod = {
      namespace,
      name,
      uid,
      labels,
      owners: ownerReferences.map((owner) => ({ kind: owner.kind, name: owner.name })),
      containers,
      createdAt: creationTimestamp ?? '',
      deletedAt: new Date(nowMs).toISOString(),
      until: new Date(nowMs + ms).toISOString(),
      bytes: (await treeUsage(logDirectory)).usedBytes,
    }
    const home = join(this.#directory, uid)
    await rm(home, { recursive: true, force: true })
    await mkdir(home, { recursive: true, mode: 0o750 })
    await rename(logDirectory, join(home, logsOf))
    // Last: what has no description was cut off on its way here, and is cleared away.
    await writeFile(join(home, description), JSON.stringify(pod))
  }

  /** What is kept of a namespace, or with '' of all, the newest first. */
  async list(namespace: string): Promise<KeptPod[]> {
    const nowMs = this.#clock.now()
    return (await this.#all()).filter(
      (pod) => (namespace === '' || pod.namespace === namespace) && Date.parse(pod.until) > nowMs,
    )
  }

  /**
   * The file of a container's last run, or with `previous` of the one before it; undefined: there is none.
   */
  async file({ uid }: KeptPod, container: string, previous: boolean): Promise<string | undefined> {
    const directory = join(this.#directory, uid, logsOf, container)
    const runs = (await readdir(directory).catch(() => []))
      .flatMap((name) => (/^\d+\.log$/.test(name) ? Number.parseInt(name, 10) : []))
      .sort((a, b) => b - a)
    const run = runs[previous ? 1 : 0]
    return run === undefined ? undefined : join(directory, `${run}.log`)
  }

  /** Clears away what has had its time, what was cut off, and the oldest of what is too much. */
  async prune(): Promise<void> {
    const nowMs = this.#clock.now()
    const all = await this.#all()
    const known = new Set(all.map(({ uid }) => uid))
    const doomed = (await readdir(this.#directory).catch(() => [])).filter(
      (uid) => !known.has(uid) && !this.#coming.has(uid),
    )
    let bytes = 0
    for (const pod of all) {
      bytes += pod.bytes
      if (Date.parse(pod.until) <= nowMs || bytes > this.#maxBytes) doomed.push(pod.uid)
    }
    await Promise.all(doomed.map((uid) => rm(join(this.#directory, uid), { recursive: true, force: true })))
  }

  async #all(): Promise<KeptPod[]> {
    const uids = await readdir(this.#directory).catch(() => [])
    const pods = await Promise.all(uids.map((uid) => readDescription(join(this.#directory, uid, description))))
    return pods.filter((pod) => pod !== undefined).sort((a, b) => (a.deletedAt > b.deletedAt ? -1 : 1))
  }
}

async function readDescription(path: string): Promise<KeptPod | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as KeptPod
  } catch {
    // Half written, or not yet: as good as not there.
    return undefined
  }
}
