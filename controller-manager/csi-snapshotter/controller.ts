import { isReachedFrom } from '../../api/core/volume-binding.ts'
import type { PersistentVolume } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { VolumeSnapshotClass, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumes, volumeSnapshotClasses, volumeSnapshotContents } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { newDrivers } from '../csi/drivers.ts'
import { DriverError, isFinal } from '../csi/relay.ts'
import { readSecret, reservedPrefix } from '../csi/secrets.ts'
import { withFinalizer } from '../pvc-protection/plan.ts'
import {
  beingCreated,
  type Content,
  contentProtection,
  deletionSecretName,
  deletionSecretNamespace,
  managedBy,
} from '../snapshots/names.ts'
import type { ControllerDeps } from '../types.ts'
import { planContent } from './plan.ts'

/** A snapshot as CSI describes it. */
interface MadeSnapshot {
  snapshotId: string
  sizeBytes?: string
  creationTime?: { seconds?: string; nanos?: number } | null
  readyToUse?: boolean
}

/** Between two looks at a snapshot that its driver has cut, and is still at work on. */
const readyLookMs = 5000

/** What upstream's csi-snapshotter does, for the drivers that ask for the built-in controllers. */
export function newCsiSnapshotter(deps: ControllerDeps): Controller {
  const { api, clock, events, informers } = deps
  const drivers = newDrivers(deps)
  const queue = new WorkQueue({ clock, name: 'csi_snapshotter', baseDelayMs: 1000, maxDelayMs: 300_000 })
  const contents = informers.for<VolumeSnapshotContent>(volumeSnapshotContents)
  const classes = informers.for<VolumeSnapshotClass>(volumeSnapshotClasses).lister
  const volumes = informers.for<PersistentVolume>(persistentVolumes).lister
  contents.on({
    add: ({ metadata }) => queue.add(metadata.name),
    update(before, after) {
      // What is written here of a try that fails must not start the next: that has its time.
      const isNew = planContent(before).do !== planContent(after).do
      if (isNew || before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp)
        queue.add(after.metadata.name)
    },
  })
  const tell = ({ metadata }: Content, reason: string, message: string) =>
    events.event(
      { apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshotContent', metadata },
      'Warning',
      reason,
      message,
    )

  async function reconcile(name: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const content = contents.lister.get(undefined, name)
    if (!content || !drivers.isOurs(content.spec.driver)) return
    const plan = planContent(content)
    switch (plan.do) {
      case 'nothing':
        return
      case 'protect':
        await api.update(volumeSnapshotContents, withFinalizer(content, contentProtection, true), { signal })
        return
      case 'delete':
        await remove(content, plan.handle, signal)
        return letGo(content, signal)
      case 'let-go':
        return letGo(content, signal)
      case 'create':
      case 'look':
        return make(content, plan, signal)
    }
  }

  async function make(
    content: Content,
    plan: { do: 'create'; volumeId: string } | { do: 'look'; handle: string },
    signal: AbortSignal,
  ): Promise<{ requeueAfterMs: number } | undefined> {
    const isNew = plan.do === 'create'
    try {
      const made = isNew ? await create(content, plan.volumeId, signal) : await find(content, plan.handle, signal)
      const known = await contentNow(content, signal)
      const status = statusOf(made, clock.now())
      await api.update(volumeSnapshotContents, { ...known, status }, { subresource: 'status', signal })
      if (isNew) await mark(content, false, signal)
      return status.readyToUse ? undefined : { requeueAfterMs: readyLookMs }
    } catch (error) {
      signal.throwIfAborted()
      const { message } = error as Error
      if (isNew && isFinal(error)) await mark(content, false, signal)
      await fail(content, isNew ? creationFailed(message) : lookFailed(message), signal)
      throw error
    }
  }

  async function create(content: Content, volumeId: string, signal: AbortSignal): Promise<MadeSnapshot> {
    const { driver, volumeSnapshotClassName = '', volumeSnapshotRef } = content.spec
    const snapshotClass = classes.get(undefined, volumeSnapshotClassName)
    if (!snapshotClass) throw new Error(`there is no snapshot class ${JSON.stringify(volumeSnapshotClassName)}`)
    const secret = await readSecret(api, secretOf(content), signal)
    const parameters = Object.entries(snapshotClass.parameters ?? {}).filter(([key]) => !key.startsWith(reservedPrefix))
    const place = placeOf(content, volumeId)
    // Before the driver is asked: nobody forgets what it may have made.
    await mark(content, true, signal)
    const message = {
      name: `snapshot-${volumeSnapshotRef.uid ?? ''}`,
      sourceVolumeId: volumeId,
      parameters: Object.fromEntries(parameters),
      ...secret,
    }
    const { snapshot } = await drivers.call<{ snapshot: MadeSnapshot }>(
      place,
      driver,
      'CreateSnapshot',
      message,
      signal,
    )
    return snapshot
  }

  /** What the driver says of a snapshot; one that cannot list any is believed to have it. */
  async function find(content: Content, handle: string, signal: AbortSignal): Promise<MadeSnapshot> {
    const { driver } = content.spec
    const place = placeOf(content, undefined)
    const known = await drivers.capabilities(place, driver, signal)
    if (!known.has('LIST_SNAPSHOTS')) return { snapshotId: handle, readyToUse: true }
    const { entries = [] } = await drivers.call<{ entries?: { snapshot: MadeSnapshot }[] }>(
      place,
      driver,
      'ListSnapshots',
      { snapshotId: handle },
      signal,
    )
    const [found] = entries
    if (!found) throw new Error(`can not find snapshot for snapshotID ${handle}`)
    return found.snapshot
  }

  async function remove(content: Content, snapshotId: string, signal: AbortSignal): Promise<void> {
    try {
      const secret = await readSecret(api, secretOf(content), signal)
      const place = placeOf(content, content.spec.source.volumeHandle)
      await drivers.call(place, content.spec.driver, 'DeleteSnapshot', { snapshotId, ...secret }, signal)
    } catch (error) {
      if (error instanceof DriverError && error.code === 'NOT_FOUND') return
      tell(content, 'SnapshotDeleteError', 'Failed to delete snapshot')
      throw error
    }
  }

  async function letGo(content: Content, signal: AbortSignal): Promise<undefined> {
    const next = withFinalizer(await contentNow(content, signal), contentProtection, false)
    await api.update(volumeSnapshotContents, next, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }

  /** The node whose driver is asked: the one that has the snapshot, or the volume, or any. */
  function placeOf({ metadata, spec }: Content, volumeId: string | undefined): string {
    const nodes = drivers.nodesOf(spec.driver)
    const only = metadata.labels?.[managedBy]
    const volume = volumes
      .list()
      .find(({ spec: { csi } = {} }) => csi?.driver === spec.driver && csi.volumeHandle === volumeId)
    const place = nodes.find((node) => (only ? node.name === only : !volume || isReachedFrom(volume, node)))
    if (!place) throw new Error(`no ready node that has the snapshot runs the driver ${spec.driver}`)
    return place.name
  }

  const contentNow = (content: Content, signal: AbortSignal): Promise<Content> =>
    api.get<VolumeSnapshotContent>(volumeSnapshotContents, { name: content.metadata.name }, { signal })

  async function mark(content: Content, isBeingCreated: boolean, signal: AbortSignal): Promise<void> {
    const body = { metadata: { annotations: { [beingCreated]: isBeingCreated ? 'yes' : null } } }
    await api.patch(volumeSnapshotContents, { name: content.metadata.name }, { type: 'merge', body }, { signal })
  }

  async function fail(content: Content, [reason, message]: [string, string], signal: AbortSignal): Promise<void> {
    tell(content, reason, message)
    if (content.status?.error?.message === message) return
    const body = { status: { error: { message, time: formatTime(clock.now()) }, readyToUse: false } }
    const key = { name: content.metadata.name }
    await api.patch(volumeSnapshotContents, key, { type: 'merge', body }, { subresource: 'status', signal })
  }

  return { name: 'csi-snapshotter', queue, reconcile }
}

const creationFailed = (message: string): [string, string] => [
  'SnapshotCreationFailed',
  `Failed to create snapshot: ${message}`,
]
const lookFailed = (message: string): [string, string] => [
  'SnapshotContentCheckandUpdateFailed',
  `Failed to check and update snapshot content: ${message}`,
]

function statusOf(
  { snapshotId, sizeBytes, creationTime, readyToUse = false }: MadeSnapshot,
  nowMs: number,
): NonNullable<VolumeSnapshotContent['status']> {
  const seconds = Number(creationTime?.seconds ?? 0)
  const bytes = Number(sizeBytes ?? 0)
  return {
    snapshotHandle: snapshotId,
    readyToUse,
    creationTime: seconds > 0 ? seconds * 1e9 + (creationTime?.nanos ?? 0) : nowMs * 1e6,
    ...(bytes > 0 ? { restoreSize: bytes } : {}),
  }
}

/** The secret for the snapshot, as it was written down when it was asked for. */
const secretOf = ({ metadata }: Content) => ({
  name: metadata.annotations?.[deletionSecretName] ?? '',
  namespace: metadata.annotations?.[deletionSecretNamespace] ?? '',
})
