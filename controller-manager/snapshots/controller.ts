import { isDeepStrictEqual } from 'node:util'
import { isReachedFrom } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import { keyOf } from '../../client/key.ts'
import {
  persistentVolumeClaims,
  persistentVolumes,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { newDrivers } from '../csi/drivers.ts'
import { withFinalizer } from '../pvc-protection/plan.ts'
import type { ControllerDeps } from '../types.ts'
import { isBeingRestored, isBeingTakenOf } from './claims.ts'
import {
  asSourceProtection,
  beingDeleted,
  boundProtection,
  type Content,
  claimProtection,
  contentNameOf,
  isContentOf,
  type Snapshot,
} from './names.ts'
import { bindFault, classFor, contentFor, statusFrom } from './plan.ts'

/** A snapshot cannot be served as it is; `reason` is that of the event. */
class SnapshotFault extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** What upstream's snapshot controller does: binds snapshots to contents, and lets both go in order. */
export function newSnapshotController(deps: ControllerDeps): Controller {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'snapshot_controller', baseDelayMs: 1000, maxDelayMs: 300_000 })
  const drivers = newDrivers(deps)
  const snapshots = informers.for<VolumeSnapshot>(volumeSnapshots)
  const contents = informers.for<VolumeSnapshotContent>(volumeSnapshotContents)
  const classes = informers.for<VolumeSnapshotClass>(volumeSnapshotClasses).lister
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const volumes = informers.for<PersistentVolume>(persistentVolumes).lister
  const see = (snapshot: Snapshot) => queue.add(keyOf(snapshot))
  const seeContent = ({ spec }: Content) => {
    const { namespace = '', name = '' } = spec.volumeSnapshotRef
    queue.add(`${namespace}/${name}`)
  }
  snapshots.on({
    add: see,
    update(before, after) {
      // An error that is written here must not start the next try: that has its time.
      const { error: _, ...said } = before.status ?? {}
      const { error: __, ...says } = after.status ?? {}
      if (
        !isDeepStrictEqual(
          [before.metadata.finalizers, before.spec, said],
          [after.metadata.finalizers, after.spec, says],
        )
      )
        see(after)
      else if (before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) see(after)
    },
  })
  contents.on({ add: seeContent, update: (_, after) => seeContent(after), delete: seeContent })
  claims.on({
    update(before, after) {
      if (before.status?.phase === 'Pending' && after.status?.phase !== 'Pending') seeSourceOf(after)
    },
    delete: seeSourceOf,
  })
  function seeSourceOf({ metadata, spec }: { metadata: { namespace?: string }; spec?: PersistentVolumeClaim['spec'] }) {
    const source = spec?.dataSourceRef ?? spec?.dataSource
    if (source?.kind === 'VolumeSnapshot') queue.add(`${metadata.namespace ?? ''}/${source.name}`)
  }
  const tell = ({ metadata }: Snapshot, type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.event({ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata }, type, reason, message)

  async function reconcile(key: string, signal: AbortSignal): Promise<undefined> {
    const snapshot = snapshots.lister.byKey(key)
    if (!snapshot) return
    if (snapshot.metadata.deletionTimestamp) {
      await letGo(snapshot, signal)
    } else {
      try {
        await serve(snapshot, signal)
      } catch (error) {
        if (!(error instanceof SnapshotFault)) throw error
        await fail(snapshot, error, signal)
        throw error
      }
    }
    await releaseClaim(snapshot, signal)
  }

  async function serve(snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const kept = await protect(snapshot, signal)
    const content = await contentOf(kept, signal)
    const next = statusFrom(content)
    if (isDeepStrictEqual(next, kept.status)) return
    await api.update(volumeSnapshots, { ...kept, status: next }, { subresource: 'status', signal })
    const name = keyOf(snapshot)
    if (next.creationTime && !kept.status?.creationTime) {
      tell(snapshot, 'Normal', 'SnapshotCreated', `Snapshot ${name} was successfully created by the CSI driver.`)
    }
    if (next.readyToUse && !kept.status?.readyToUse) {
      tell(snapshot, 'Normal', 'SnapshotReady', `Snapshot ${name} is ready to use.`)
    }
  }

  async function protect(snapshot: Snapshot, signal: AbortSignal): Promise<Snapshot> {
    const missing = [asSourceProtection, boundProtection].filter(
      (name) => !snapshot.metadata.finalizers?.includes(name),
    )
    if (missing.length === 0) return snapshot
    const next = missing.reduce((made, finalizer) => withFinalizer(made, finalizer, true), snapshot)
    return api.update(volumeSnapshots, next, { signal })
  }

  /** The content of the snapshot, made or bound if that has not been done. */
  async function contentOf(snapshot: Snapshot, signal: AbortSignal): Promise<Content> {
    const content = contents.lister.get(undefined, contentNameOf(snapshot))
    if (!content) {
      const isOver = snapshot.spec.source.volumeSnapshotContentName !== undefined || snapshot.status?.readyToUse
      if (isOver) throw new SnapshotFault('SnapshotContentMissing', 'VolumeSnapshotContent is missing')
      return take(snapshot, signal)
    }
    const fault = bindFault(snapshot, content)
    if (fault) throw new SnapshotFault(...fault)
    if (isContentOf(content, snapshot)) return content
    const { uid = '' } = snapshot.metadata
    const { volumeSnapshotClassName } = snapshot.spec
    const spec = {
      ...content.spec,
      volumeSnapshotRef: { ...content.spec.volumeSnapshotRef, uid },
      ...(volumeSnapshotClassName ? { volumeSnapshotClassName } : {}),
    }
    return api.update(volumeSnapshotContents, { ...content, spec }, { signal })
  }

  async function take(snapshot: Snapshot, signal: AbortSignal): Promise<Content> {
    const key = keyOf(snapshot)
    const failed = (message: string) =>
      new SnapshotFault('SnapshotContentCreationFailed', `Failed to create snapshot content with error ${message}`)
    const { namespace } = snapshot.metadata
    const name = snapshot.spec.source.persistentVolumeClaimName ?? ''
    const claim = claims.lister.get(namespace, name)
    if (!claim) throw failed(`the claim ${JSON.stringify(name)} is not there`)
    const volume = volumes.get(undefined, claim.spec?.volumeName ?? '')
    if (claim.status?.phase !== 'Bound' || !volume) throw failed(`the claim ${JSON.stringify(name)} is not yet bound`)
    const { driver = '' } = volume.spec?.csi ?? {}
    if (driver === '') throw failed(`the volume ${volume.metadata.name} is of no storage driver`)
    const made = contentMade(snapshot, volume, driver, failed)
    if (!claim.metadata.finalizers?.includes(claimProtection)) {
      await api.update(persistentVolumeClaims, withFinalizer(claim, claimProtection, true), { signal })
    }
    const content = await api.create(volumeSnapshotContents, made, { signal }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
      return api.get<VolumeSnapshotContent>(volumeSnapshotContents, { name: made.metadata?.name ?? '' }, { signal })
    })
    tell(snapshot, 'Normal', 'CreatingSnapshot', `Waiting for a snapshot ${key} to be created by the CSI driver.`)
    return content
  }

  function contentMade(
    snapshot: Snapshot,
    volume: Parameters<typeof contentFor>[2],
    driver: string,
    failed: (message: string) => Error,
  ): VolumeSnapshotContent {
    const isLocal = volume.spec?.nodeAffinity !== undefined
    const places = isLocal ? drivers.nodesOf(driver).filter((node) => isReachedFrom(volume, node)) : []
    try {
      const snapshotClass = classFor(snapshot, driver, classes.list())
      return contentFor(snapshot, snapshotClass, volume, places.length === 1 ? places[0]?.name : undefined)
    } catch (error) {
      throw failed((error as Error).message)
    }
  }

  async function fail(snapshot: Snapshot, { reason, message }: SnapshotFault, signal: AbortSignal): Promise<void> {
    if (snapshot.status?.error?.message === message) return
    const error = { message, time: formatTime(clock.now()) }
    const body = { status: { error, readyToUse: false } }
    const { namespace, name } = snapshot.metadata
    await api.patch(volumeSnapshots, { namespace, name }, { type: 'merge', body }, { subresource: 'status', signal })
    tell(snapshot, 'Warning', reason, message)
  }

  async function letGo(snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const found = contents.lister.get(undefined, contentNameOf(snapshot))
    const content = found && isContentOf(found, snapshot) ? found : undefined
    if (content && isBeingRestored(snapshot, claims.lister.list(snapshot.metadata.namespace))) {
      tell(snapshot, 'Warning', 'SnapshotDeletePending', 'Snapshot is being used to restore a PVC')
      // Looked at again when the claim has its volume.
      return
    }
    const goesToo = content?.spec.deletionPolicy === 'Delete'
    if (content && content.metadata.annotations?.[beingDeleted] === undefined) {
      const annotations = { ...content.metadata.annotations, [beingDeleted]: 'yes' }
      await api.update(
        volumeSnapshotContents,
        { ...content, metadata: { ...content.metadata, annotations } },
        { signal },
      )
    }
    if (content && goesToo && !content.metadata.deletionTimestamp) {
      await api.delete(volumeSnapshotContents, { name: content.metadata.name }, { signal }).catch(ignoreGone)
    }
    // The snapshot stays until its content has gone with it.
    const over = goesToo ? [asSourceProtection] : [asSourceProtection, boundProtection]
    if (!over.some((finalizer) => snapshot.metadata.finalizers?.includes(finalizer))) return
    const next = over.reduce((made, finalizer) => withFinalizer(made, finalizer, false), snapshot)
    await api.update(volumeSnapshots, next, { signal }).catch(ignoreGone)
  }

  /** A claim may go again when no snapshot is yet to be taken of it. */
  async function releaseClaim({ metadata, spec }: Snapshot, signal: AbortSignal): Promise<void> {
    const name = spec.source.persistentVolumeClaimName ?? ''
    const claim = claims.lister.get(metadata.namespace, name)
    if (!claim?.metadata.finalizers?.includes(claimProtection)) return
    if (isBeingTakenOf(name, snapshots.lister.list(metadata.namespace))) return
    await api.update(persistentVolumeClaims, withFinalizer(claim, claimProtection, false), { signal }).catch(ignoreGone)
  }

  return { name: 'volumesnapshot-controller', queue, reconcile }
}

const ignoreGone = (error: unknown): void => {
  if (!isNotFound(error)) throw error
}
