import type { Volume } from '../../api/generated/types.ts'
import type { Clock } from '../../client/types.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { DownwardFacts } from '../containers/fields.ts'
import type { BoundPod } from '../pods/types.ts'

/** A volume that is ready to be given to containers. */
export interface Mounted {
  /** A directory, a file or a device of this machine. */
  hostPath: string
  readOnly: boolean
  /** Its group was set to the pod's: see fs-group.ts. */
  ownedByPod: boolean
}

/** A token of a service account, bound to a pod. */
export interface TokenSource {
  /** The token, and when it must be written anew (milliseconds since 1970). */
  token(pod: BoundPod, audience: string, expirationSeconds: number): Promise<{ token: string; refreshAt: number }>
}

export interface VolumeContext {
  pod: BoundPod
  /** Of this volume alone, on disk; not made yet. */
  directory: string
  /** The same in memory, for what must never reach a disk. */
  memoryDirectory: string
  objects: ReferencedObjects
  tokens: TokenSource
  facts(): DownwardFacts
  /** Whether this process may mount file systems. */
  mayMount: boolean
  clock: Clock
}

/** One kind of volume. `mount` is asked again after a restart of the agent and must then find its own work. */
export interface VolumePlugin {
  /** As upstream names it in paths: `kubernetes.io~empty-dir`. */
  readonly name: string
  handles(volume: Volume): boolean
  mount(volume: Volume, context: VolumeContext): Promise<Mounted>
  /** Brings the contents up to date; resolves to when that is due again, if time alone makes them old. */
  refresh?(volume: Volume, context: VolumeContext): Promise<number | undefined>
  unmount(volume: Volume, context: VolumeContext): Promise<void>
}
