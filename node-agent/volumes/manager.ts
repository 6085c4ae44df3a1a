import { execFile } from 'node:child_process'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Volume } from '../../api/generated/types.ts'
import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { DownwardFacts } from '../containers/fields.ts'
import type { BoundPod } from '../pods/types.ts'
import { configMap } from './config-map.ts'
import { downwardApi } from './downward-api.ts'
import { emptyDir } from './empty-dir.ts'
import { hostPath } from './host-path.ts'
import { isMountPoint, mountPoints } from './mount-points.ts'
import { projected } from './projected.ts'
import { secret } from './secret.ts'
import type { Mounted, TokenSource, VolumeContext, VolumePlugin } from './types.ts'

const run = promisify(execFile)

/** Every kind of volume this node can provide. */
const plugins: readonly VolumePlugin[] = [emptyDir, hostPath, configMap, secret, projected, downwardApi]

/** Which volume could not be made ready, and why, in upstream's words. */
export class VolumeError extends Error {
  readonly volume: string

  constructor(volume: string, why: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`)
    this.name = 'VolumeError'
    this.volume = volume
  }
}

export type MountedVolumes = ReadonlyMap<string, Mounted>

export interface VolumeOptions {
  /** Below it, one directory a pod. */
  podsDirectory: string
  /** A file system in memory: see `openMemory`. */
  memoryDirectory: string
  mayMount: boolean
  objects: ReferencedObjects
  tokens: TokenSource
  facts(pod: BoundPod): DownwardFacts
  clock: Clock
  log: Logger
}

interface PodVolumes {
  pod: BoundPod
  mounted: Promise<MountedVolumes>
  /** Ends the wait for the next refresh by time. */
  timer: AbortController
  refreshing: Promise<void>
}

/** Makes the volumes of pods ready, keeps their contents fresh, and takes them away. */
export class Volumes {
  readonly #options: VolumeOptions
  readonly #pods = new Map<string, PodVolumes>()

  constructor(options: VolumeOptions) {
    this.#options = options
  }

  /** All volumes of the pod; made once, in parallel. Throws a VolumeError for the first that fails; then ask again. */
  prepare(pod: BoundPod): Promise<MountedVolumes> {
    const { uid } = pod.metadata
    const known = this.#pods.get(uid)
    if (known) {
      known.pod = pod
      return known.mounted
    }
    const entry: PodVolumes = {
      pod,
      mounted: this.#mountAll(pod),
      timer: new AbortController(),
      refreshing: Promise.resolve(),
    }
    this.#pods.set(uid, entry)
    entry.mounted.then(
      () => {
        if (usesTokens(pod)) this.#refreshAt(uid, entry, this.#options.clock.now() + firstRefreshMs)
      },
      () => {
        if (this.#pods.get(uid) === entry) this.#pods.delete(uid)
      },
    )
    return entry.mounted
  }

  /** Brings the contents of the pod's volumes up to date: an object, or the pod itself, has changed. */
  refresh(uid: string, newer?: BoundPod): void {
    const entry = this.#pods.get(uid)
    if (!entry) return
    if (newer) entry.pod = newer
    entry.refreshing = entry.refreshing.then(() => this.#refreshNow(uid, entry))
  }

  /** Takes away all that was made for the pod, also by an earlier agent. */
  async teardown(uid: string): Promise<void> {
    const entry = this.#pods.get(uid)
    this.#pods.delete(uid)
    entry?.timer.abort()
    await entry?.mounted.catch(() => undefined)
    await entry?.refreshing
    const { podsDirectory, memoryDirectory, mayMount } = this.#options
    const directory = join(podsDirectory, uid)
    if (mayMount) {
      for (const path of (await mountPoints()).filter((path) => path.startsWith(`${directory}/`)).reverse()) {
        await run('umount', [path])
      }
    }
    await rm(directory, { recursive: true, force: true })
    await rm(join(memoryDirectory, uid), { recursive: true, force: true })
  }

  /** The agent ends: contents are refreshed no longer. */
  stop(): void {
    for (const { timer } of this.#pods.values()) timer.abort()
    this.#pods.clear()
  }

  /** The pods that have something here. */
  async listOnDisk(): Promise<string[]> {
    const { podsDirectory, memoryDirectory } = this.#options
    const lists = await Promise.all([podsDirectory, memoryDirectory].map((path) => readdir(path).catch(() => [])))
    return [...new Set(lists.flat())]
  }

  async #mountAll(pod: BoundPod): Promise<MountedVolumes> {
    const used = usedVolumes(pod)
    const entries = await Promise.all(
      used.map(async (volume): Promise<[string, Mounted]> => {
        const plugin = plugins.find((candidate) => candidate.handles(volume))
        if (!plugin) throw new VolumeError(volume.name, 'no volume plugin matched')
        try {
          return [volume.name, await plugin.mount(volume, this.#contextOf(pod, volume, plugin))]
        } catch (error) {
          throw new VolumeError(volume.name, error instanceof Error ? error.message : String(error))
        }
      }),
    )
    return new Map(entries)
  }

  async #refreshNow(uid: string, entry: PodVolumes): Promise<void> {
    const { log } = this.#options
    if (this.#pods.get(uid) !== entry) return
    await entry.mounted.catch(() => undefined)
    let due = Number.POSITIVE_INFINITY
    for (const volume of usedVolumes(entry.pod)) {
      const plugin = plugins.find((candidate) => candidate.handles(volume))
      if (!plugin?.refresh) continue
      try {
        due = Math.min(due, (await plugin.refresh(volume, this.#contextOf(entry.pod, volume, plugin))) ?? due)
      } catch (error) {
        // What is mounted stays as it is; the next change of the object tries again.
        log.warn(
          { err: error, pod: `${entry.pod.metadata.namespace}/${entry.pod.metadata.name}` },
          `volume ${volume.name} keeps its old contents`,
        )
      }
    }
    if (due !== Number.POSITIVE_INFINITY && this.#pods.get(uid) === entry) this.#refreshAt(uid, entry, due)
  }

  #refreshAt(uid: string, entry: PodVolumes, at: number): void {
    const { clock } = this.#options
    entry.timer.abort()
    entry.timer = new AbortController()
    clock.sleep(Math.max(1000, at - clock.now()), entry.timer.signal).then(
      () => this.refresh(uid),
      () => undefined,
    )
  }

  #contextOf(pod: BoundPod, { name }: Volume, plugin: VolumePlugin): VolumeContext {
    const { podsDirectory, memoryDirectory, objects, tokens, facts, mayMount, clock } = this.#options
    const { uid } = pod.metadata
    return {
      pod,
      directory: join(podsDirectory, uid, 'volumes', plugin.name, name),
      memoryDirectory: join(memoryDirectory, uid, plugin.name, name),
      objects,
      tokens,
      facts: () => facts(pod),
      mayMount,
      clock,
    }
  }
}

/** When contents that time makes old are looked at first: no token lives shorter than ten minutes. */
const firstRefreshMs = 60_000

const usesTokens = ({ spec }: BoundPod): boolean =>
  (spec.volumes ?? []).some(({ projected: source }) => source?.sources?.some((part) => part.serviceAccountToken))

/** Those that some container mounts. */
function usedVolumes({ spec }: BoundPod): Volume[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const names = new Set(
    containers.flatMap(({ volumeMounts = [], env = [] }) => [
      ...volumeMounts.map(({ name }) => name),
      ...env.flatMap(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName ?? []),
    ]),
  )
  return (spec.volumes ?? []).filter(({ name }) => names.has(name))
}

/** A file system in memory for secrets and tokens; where we may not mount one, a directory that only we can enter. */
export async function openMemory(directory: string, log: Logger, wanted = true): Promise<{ mayMount: boolean }> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (!wanted) return { mayMount: false }
  if (await isMountPoint(directory)) return { mayMount: true }
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory])
    return { mayMount: true }
  } catch (error) {
    log.info({ err: error }, 'secrets are kept on disk: this process may not mount a file system in memory')
    return { mayMount: false }
  }
}
