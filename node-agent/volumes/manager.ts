import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Volume } from '../../api/generated/types.ts'
import type { Logger } from '../../client/logger.ts'
import type { Api, Clock } from '../../client/types.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { DownwardFacts } from '../containers/fields.ts'
import type { BoundPod } from '../pods/types.ts'
import { resolveVolume, usedVolumes } from './claims.ts'
import { mountError, notReadyError } from './errors.ts'
import { isMountPoint } from './mount-points.ts'
import { MountTimes } from './mount-times.ts'
import { mount, shareMounts, unmountAll } from './mounting.ts'
import { namesIn, placeOf, placesOnDisk } from './places.ts'
import { removeTree } from './remove-tree.ts'
import type { Mounted, TokenSource, VolumeContext, VolumePlugin, VolumeSpec } from './types.ts'
import { Gauge, type VolumeUsage } from './usage.ts'

/** By the pod's names for them. */
export type MountedVolumes = ReadonlyMap<string, Mounted>

export interface VolumeOptions {
  api: Pick<Api, 'get' | 'list'>
  /** Every kind of volume this node can provide. */
  plugins: readonly VolumePlugin[]
  /** Below it, one directory a pod. */
  podsDirectory: string
  /** A file system in memory: see `openMemory`. */
  memoryDirectory: string
  /** What is mounted for several pods at once. */
  pluginsDirectory: string
  mayMount: boolean
  objects: ReferencedObjects
  tokens: TokenSource
  facts(pod: BoundPod): DownwardFacts
  events: { warning(pod: BoundPod, reason: string, message: string): void }
  clock: Clock
  log: Logger
}

/** A volume that is made ready, or is ready. */
interface Kept {
  mounted: Promise<Mounted>
  /** By the pod's names for it. */
  readonly names: Set<string>
  readonly claim: MeasuredVolume['claim']
  readonly gauge: Gauge
  /** Whether it has contents that can get old. */
  readonly follows: boolean
}

/** How full a volume of a pod is. */
export interface MeasuredVolume {
  /** The pod's name for it. */
  name: string
  claim?: { name: string; namespace: string } | undefined
  usage: VolumeUsage
}

interface PodVolumes {
  pod: BoundPod
  /** By plugin and the volume's own name, for two names of the pod may lead to one claim. A failure is not kept. */
  readonly mounting: Map<string, Kept>
  /** When time alone makes them old, by the same. */
  readonly due: Map<string, number>
  /** The pod is taken away. */
  readonly gone: AbortController
  /** Ends the wait for the next refresh by time. */
  timer: AbortController
  refreshing: Promise<void>
}

/** How long a pod waits for its volumes before it says so, and goes on waiting. */
const patienceMs = 123_000
/** Until contents that could not be brought up to date in time are tried again. */
const retryMs = 30_000

/** Makes the volumes of pods ready, keeps their contents fresh, and takes them away. */
export class Volumes {
  readonly mountTimes = new MountTimes()
  readonly #options: VolumeOptions
  readonly #pods = new Map<string, PodVolumes>()
  /** Pods of earlier agents whose volumes are being taken away. */
  readonly #leaving = new Set<string>()

  constructor(options: VolumeOptions) {
    this.#options = options
  }

  /**
   * All volumes of the pod, made in parallel, each once. Throws a VolumeError as soon as one fails; then ask again: what
   * is ready stays, and what is still under way is waited for.
   */
  async prepare(pod: BoundPod): Promise<MountedVolumes> {
    // Those of images are got with the containers that mount them.
    const used = usedVolumes(pod).filter(({ volume }) => !volume.image)
    if (used.length === 0) return new Map()
    const entry = this.#entryOf(pod)
    const specs = await Promise.allSettled(used.map((use) => resolveVolume(this.#options.api, pod, use)))
    const ready = new Set<string>()
    const mounting = specs.map(async (result): Promise<[string, Mounted] | undefined> => {
      if (result.status === 'rejected') return undefined
      const mounted = await this.#mounted(entry, result.value)
      ready.add(result.value.volume.name)
      return [result.value.volume.name, mounted]
    })
    const names = used.map(({ volume }) => volume.name)
    const faults = specs.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
    if (faults.length > 0) {
      for (const mount of mounting) mount.catch(() => undefined)
      const failed = names.filter((_, i) => specs[i]?.status === 'rejected')
      throw notReadyError(names, failed, faults.map(({ message }) => message).join('; '))
    }
    const all = await this.#patiently(Promise.all(mounting), () => names.filter((name) => !ready.has(name)))
    return new Map(all.filter((found) => found !== undefined))
  }

  /** The volume of an image that is on this node by now. Throws a VolumeError. */
  prepareImage(pod: BoundPod, volume: Volume): Promise<Mounted> {
    return this.#mounted(this.#entryOf(pod), { name: volume.name, volume, mode: 'Filesystem', readOnly: true })
  }

  /** Brings the contents of the pod's volumes up to date: an object, or the pod itself, has changed. */
  refresh(uid: string, newer?: BoundPod): void {
    const entry = this.#pods.get(uid)
    if (!entry) return
    if (newer) entry.pod = newer
    entry.refreshing = entry.refreshing.then(() => this.#refreshNow(entry))
  }

  /** How full the pod's volumes are, those of which somebody can tell. */
  async usage(uid: string): Promise<MeasuredVolume[]> {
    const kept = [...(this.#pods.get(uid)?.mounting.values() ?? [])]
    const lists = await Promise.all(
      kept.map(async ({ gauge, names, claim }): Promise<MeasuredVolume[]> => {
        const usage = await gauge.read()
        return usage ? [...names].map((name) => ({ name, claim, usage })) : []
      }),
    )
    return lists.flat()
  }

  /** Where the pod's volume of this name is on the node; undefined while it is not there. */
  async pathOf(uid: string, name: string): Promise<string | undefined> {
    const kept = [...(this.#pods.get(uid)?.mounting.values() ?? [])].find(({ names }) => names.has(name))
    // One that fails is tried again, and found then.
    return (await kept?.mounted.catch(() => undefined))?.hostPath
  }

  /** Takes away all that was made for the pod, also by an earlier agent. */
  async teardown(uid: string): Promise<void> {
    const entry = this.#pods.get(uid)
    this.#pods.delete(uid)
    entry?.timer.abort()
    entry?.gone.abort(new Error('the pod is taken away'))
    await settled(entry)
    await entry?.refreshing
    const { podsDirectory, memoryDirectory, mayMount, plugins } = this.#options
    const directory = join(podsDirectory, uid)
    // Parts of volumes keep the volumes they are of.
    if (mayMount) await unmountAll(join(directory, 'volume-subpaths'))
    for (const { plugin: name, place } of await placesOnDisk(this.#options, uid)) {
      await plugins.find((plugin) => plugin.name === name)?.unmount?.(place)
    }
    if (mayMount) await unmountAll(directory)
    await removeTree(directory)
    await removeTree(join(memoryDirectory, uid))
  }

  /** The agent ends: contents are refreshed no longer. */
  stop(): void {
    for (const { timer, gone } of this.#pods.values()) {
      timer.abort()
      gone.abort(new Error('the agent ends'))
    }
    this.#pods.clear()
  }

  /**
   * Begins to take away what is left of pods that nobody knows. What cannot be taken away now is tried again when this is
   * called again, and keeps nobody: a driver may not answer.
   */
  async removeOrphans(isKnown: (uid: string) => boolean): Promise<void> {
    const { podsDirectory, memoryDirectory, log } = this.#options
    const lists = await Promise.all([podsDirectory, memoryDirectory].map(namesIn))
    for (const uid of new Set(lists.flat())) {
      if (isKnown(uid) || this.#leaving.has(uid)) continue
      this.#leaving.add(uid)
      this.teardown(uid)
        .catch((error) => log.warn({ err: error, uid }, 'what a pod has left cannot be taken away yet'))
        .finally(() => this.#leaving.delete(uid))
    }
  }

  #entryOf(pod: BoundPod): PodVolumes {
    const { uid } = pod.metadata
    const entry = this.#pods.get(uid) ?? {
      pod,
      mounting: new Map(),
      due: new Map(),
      gone: new AbortController(),
      timer: new AbortController(),
      refreshing: Promise.resolve(),
    }
    entry.pod = pod
    this.#pods.set(uid, entry)
    return entry
  }

  #mounted(entry: PodVolumes, spec: VolumeSpec): Promise<Mounted> {
    const plugin = this.#pluginFor(spec)
    if (!plugin) return Promise.reject(mountError(spec, 'no volume plugin matched'))
    const key = `${plugin.name}/${spec.name}`
    const known = entry.mounting.get(key)
    known?.names.add(spec.volume.name)
    if (known) return known.mounted
    const mounted = this.#mount(entry, spec, plugin)
    const measure = async () => plugin.usage?.(spec, this.#contextOf(entry, spec, plugin), await mounted)
    entry.mounting.set(key, {
      mounted,
      names: new Set([spec.volume.name]),
      claim: claimOf(spec),
      follows: plugin.refresh !== undefined,
      gauge: new Gauge(measure, this.#options.clock),
    })
    mounted.then(
      ({ refreshAt }) => this.#refreshWhenDue(entry, key, refreshAt),
      () => entry.mounting.delete(key),
    )
    return mounted
  }

  async #mount(entry: PodVolumes, spec: VolumeSpec, plugin: VolumePlugin): Promise<Mounted> {
    const { clock } = this.#options
    const startedAt = clock.now()
    const took = (isMounted: boolean) => this.mountTimes.observe(plugin.name, isMounted, clock.now() - startedAt)
    try {
      const mounted = await plugin.mount(spec, this.#contextOf(entry, spec, plugin))
      took(true)
      const extraGroup = groupOf(spec)
      return {
        ...mounted,
        ...(spec.readOnly ? { readOnly: true } : {}),
        ...(extraGroup === undefined ? {} : { extraGroup }),
      }
    } catch (error) {
      took(false)
      throw mountError(spec, error)
    }
  }

  /** The work's result, or after a while an error that names what is still waited for; the work goes on. */
  async #patiently<T>(work: Promise<T>, waitingFor: () => string[]): Promise<T> {
    const over = new AbortController()
    const tooLong = this.#options.clock.sleep(patienceMs, over.signal).then(() => {
      throw notReadyError(waitingFor(), [], 'context deadline exceeded')
    })
    tooLong.catch(() => undefined)
    work.catch(() => undefined)
    return Promise.race([work, tooLong]).finally(() => over.abort())
  }

  async #refreshNow(entry: PodVolumes): Promise<void> {
    const { log, api } = this.#options
    const { pod } = entry
    if (this.#pods.get(pod.metadata.uid) !== entry) return
    await settled(entry)
    const now = this.#options.clock.now()
    // Taken in hand: one that fails is tried again after a while.
    for (const [key, at] of entry.due) if (at <= now) entry.due.set(key, now + retryMs)
    const following = [...entry.mounting.values()].flatMap(({ follows, names }) => (follows ? [...names] : []))
    // The others are not even looked for: to find what is behind a claim costs two questions to the API server.
    for (const use of usedVolumes(pod).filter(({ volume }) => following.includes(volume.name))) {
      try {
        const spec = await resolveVolume(api, pod, use)
        const plugin = this.#pluginFor(spec)
        if (!plugin?.refresh) continue
        const due = await plugin.refresh(spec, this.#contextOf(entry, spec, plugin))
        this.#refreshWhenDue(entry, `${plugin.name}/${spec.name}`, due)
      } catch (error) {
        // What is mounted stays as it is; the next change of the object tries again.
        log.warn(
          { err: error, pod: `${pod.metadata.namespace}/${pod.metadata.name}` },
          `volume ${use.volume.name} keeps its old contents`,
        )
      }
    }
  }

  #refreshWhenDue(entry: PodVolumes, key: string, at: number | undefined): void {
    const { clock } = this.#options
    if (at === undefined) entry.due.delete(key)
    else entry.due.set(key, at)
    entry.timer.abort()
    if (entry.due.size === 0 || entry.gone.signal.aborted) return
    entry.timer = new AbortController()
    clock.sleep(Math.max(1000, Math.min(...entry.due.values()) - clock.now()), entry.timer.signal).then(
      () => this.refresh(entry.pod.metadata.uid),
      () => undefined,
    )
  }

  #pluginFor(spec: VolumeSpec): VolumePlugin | undefined {
    return this.#options.plugins.find((plugin) => plugin.handles(spec))
  }

  #contextOf({ pod, gone }: PodVolumes, spec: VolumeSpec, plugin: VolumePlugin): VolumeContext {
    const { api, objects, tokens, facts, events, mayMount, clock } = this.#options
    return {
      ...placeOf(this.#options, pod.metadata.uid, plugin.name, spec),
      pod,
      api,
      objects,
      tokens,
      facts: () => facts(pod),
      warn: (reason, message) => events.warning(pod, reason, message),
      mayMount,
      clock,
      signal: gone.signal,
    }
  }
}

/** What `pv.beta.kubernetes.io/gid` says of a persistent volume. */
function groupOf({ persistent }: VolumeSpec): number | undefined {
  const text = persistent?.volume.metadata.annotations?.['pv.beta.kubernetes.io/gid'] ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}

const settled = (entry: PodVolumes | undefined) =>
  Promise.allSettled([...(entry?.mounting.values() ?? [])].map(({ mounted }) => mounted))

function claimOf({ persistent }: VolumeSpec): MeasuredVolume['claim'] {
  const { name, namespace = '' } = persistent?.claim.metadata ?? {}
  return name === undefined ? undefined : { name, namespace }
}

/**
 * Makes the places that volumes lie in: a file system in memory for secrets and tokens, and a directory whose mounts
 * containers can share. Where we may not mount, both are directories that only we can enter.
 */
export async function openPlaces(
  { pods, memory }: { pods: string; memory: string },
  log: Logger,
  wanted = true,
): Promise<{ mayMount: boolean }> {
  await mkdir(memory, { recursive: true, mode: 0o700 })
  if (!wanted) return { mayMount: false }
  try {
    if (!(await isMountPoint(memory))) await mount(memory, 'tmpfs', { type: 'tmpfs', options: ['mode=0755'] })
    await shareMounts(pods)
    return { mayMount: true }
  } catch (error) {
    log.info({ err: error }, 'secrets are kept on disk: this process may not mount a file system in memory')
    return { mayMount: false }
  }
}
