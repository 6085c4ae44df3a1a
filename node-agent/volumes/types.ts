import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Volume,
} from '../../api/generated/types.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { DownwardFacts } from '../containers/fields.ts'
import type { BoundPod } from '../pods/types.ts'
import type { VolumeUsage } from './usage.ts'

/** What a plugin is asked for: a volume of the pod's own, or the persistent volume that the pod's claim is bound to. */
export interface VolumeSpec {
  /** In paths and messages: the pod's name for it, or the persistent volume's own. */
  name: string
  /** As the pod names it; a claim, for a persistent volume. */
  volume: Volume
  /** Only for a claim. */
  persistent?: { volume: Live<PersistentVolume>; claim: Live<PersistentVolumeClaim> }
  /** A file system that is mounted, or a device that containers are given as it is. */
  mode: 'Filesystem' | 'Block'
  /** The pod's reference to it asks for no writing. */
  readOnly: boolean
}

/** Where what is to be mounted is described, for kinds that both a pod and a persistent volume can name. */
export const sourceOf = ({ volume, persistent }: VolumeSpec): Pick<Volume & PersistentVolumeSpec, SharedSource> =>
  persistent?.volume.spec ?? volume

type SharedSource = 'hostPath' | 'nfs'

/** A volume that is ready to be given to containers. */
export interface Mounted {
  /** A directory or a file of this machine; of a block volume the device. */
  hostPath: string
  readOnly: boolean
  /** Its group was set to the pod's: see fs-group.ts. */
  ownedByPod: boolean
  /** A group that may use it, and that the pod's processes are to be in: a persistent volume says so. */
  extraGroup?: number
  /** When time alone makes it old and `refresh` is due (milliseconds since 1970). */
  refreshAt?: number
}

/** A token of a service account, bound to a pod. */
export interface TokenSource {
  /** The token, when it must be written anew and when it ends (milliseconds since 1970). */
  token(
    pod: BoundPod,
    audience: string,
    expirationSeconds: number,
  ): Promise<{ token: string; refreshAt: number; expiresAt: number }>
}

/** Where a volume of a pod lies on this machine: all that is known of it after a restart. */
export interface VolumePlace {
  podUid: string
  /** As `VolumeSpec.name`. */
  name: string
  mode: VolumeSpec['mode']
  /** `pods/UID/volumes/PLUGIN/NAME`, of a block volume `pods/UID/volumeDevices/PLUGIN/NAME`; not made yet by `mount`. */
  directory: string
  /** The same in memory, for what must never reach a disk. */
  memoryDirectory: string
  /** `ROOT/plugins`: what is of no single pod. */
  pluginsDirectory: string
}

export interface VolumeContext extends VolumePlace {
  pod: BoundPod
  api: Pick<Api, 'get' | 'list'>
  objects: ReferencedObjects
  tokens: TokenSource
  facts(): DownwardFacts
  /** Tells of the pod, as an event. */
  warn(reason: string, message: string): void
  /** Whether this process may mount file systems. */
  mayMount: boolean
  clock: Clock
  /** The pod is taken away: wait for nothing any longer. */
  signal: AbortSignal
}

/**
 * One kind of volume. `mount` is asked again after a failure and after a restart of the agent, and must then find its own
 * work; it throws a MountFailure where the step that failed is worth naming.
 */
export interface VolumePlugin {
  /** As upstream names it in paths: `kubernetes.io~empty-dir`. */
  readonly name: string
  handles(spec: VolumeSpec): boolean
  mount(spec: VolumeSpec, context: VolumeContext): Promise<Mounted>
  /** Brings it up to date; resolves to when that is due again, if time alone makes it old. The claim was read anew. */
  refresh?(spec: VolumeSpec, context: VolumeContext): Promise<number | undefined>
  /** How full it is; absent: nobody can tell. */
  usage?(spec: VolumeSpec, context: VolumeContext, mounted: Mounted): Promise<VolumeUsage | undefined>
  /**
   * Undoes what `mount` did beyond the place itself: whatever is mounted there is unmounted afterwards, and the directories
   * are removed. Asked for every place that is found on the disk, also one whose `mount` was never finished.
   */
  unmount?(place: VolumePlace): Promise<void>
}

/** Which step of making a volume ready has failed; upstream names it in its events. */
export class MountFailure extends Error {
  /** `MountVolume.SetUp`, `MountVolume.MountDevice`, `MapVolume.SetUpDevice`, … */
  readonly step: string

  constructor(step: string, why: string) {
    super(why)
    this.name = 'MountFailure'
    this.step = step
  }
}
