import { isReachedFrom, type PersistentVolumeLike, provisionedBy } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, VolumeAttachment } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumes, volumeAttachments } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { Drivers } from '../csi/drivers.ts'
import { DriverError } from '../csi/relay.ts'
import { readSecret } from '../csi/secrets.ts'
import { withFinalizer } from '../pvc-protection/plan.ts'
import type { ControllerDeps } from '../types.ts'
import { deletionSecret, provisionerFinalizer } from './create.ts'
import { retryDelays } from './provision.ts'

/** What is to become of a volume that one of our drivers has made. */
export function planDelete(volume: PersistentVolumeLike, isAttached: boolean): 'nothing' | 'delete' | 'let-go' {
  const { finalizers = [], deletionTimestamp } = volume.metadata
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec ?? {}
  const { phase } = volume.status ?? {}
  // Whoever makes it stay after all, or takes its object away, is to do so.
  if (policy !== 'Delete') return finalizers.includes(provisionerFinalizer) ? 'let-go' : 'nothing'
  const isUnused = phase === 'Released' || phase === 'Failed' || (!claimRef && deletionTimestamp !== undefined)
  return isUnused && !isAttached ? 'delete' : 'nothing'
}

/** Has the volumes of claims that have gone deleted by the drivers that have made them. */
export function newDeleteController(deps: ControllerDeps, drivers: Drivers): Controller {
  const { api, clock, events, informers, log } = deps
  const queue = new WorkQueue({ clock, name: 'csi_provisioner_volumes', ...retryDelays })
  const volumes = informers.for<PersistentVolume>(persistentVolumes)
  const attachments = informers.for<VolumeAttachment>(volumeAttachments)
  const see = (volume: Live<PersistentVolume>) => {
    if (volume.spec?.csi && volume.metadata.annotations?.[provisionedBy] === volume.spec.csi.driver)
      queue.add(volume.metadata.name)
  }
  volumes.on({ add: see, update: (_, after) => see(after) })
  attachments.on({ delete: ({ spec }) => queue.add(spec.source.persistentVolumeName ?? '') })
  const isAttached = (name: string) =>
    attachments.lister.list().some(({ spec }) => spec.source.persistentVolumeName === name)

  async function reconcile(name: string, signal: AbortSignal): Promise<undefined> {
    const volume = volumes.lister.get(undefined, name)
    const driver = volume?.spec?.csi?.driver ?? ''
    if (!volume || volume.metadata.annotations?.[provisionedBy] !== driver || !drivers.isOurs(driver)) return
    const plan = planDelete(volume, isAttached(name))
    if (plan === 'nothing') return
    if (plan === 'delete') await deleteVolume(volume, signal)
    await letGo(volume, plan === 'delete', signal)
  }

  async function deleteVolume(volume: Live<PersistentVolume>, signal: AbortSignal): Promise<void> {
    const { driver = '', volumeHandle = '' } = volume.spec?.csi ?? {}
    try {
      const place = drivers.nodesOf(driver).find((node) => isReachedFrom(volume, node))
      if (!place) throw new Error(`no ready node that has the volume runs the driver ${driver}`)
      const secret = await readSecret(api, deletionSecret(volume), signal).catch((error: Error) => {
        signal.throwIfAborted()
        // It may have been deleted before the volume, and the driver may do without.
        log.warn({ volume: volume.metadata.name, err: error.message }, 'deleted without its secret')
        return {}
      })
      await drivers.call(place.name, driver, 'DeleteVolume', { volumeId: volumeHandle, ...secret }, signal)
    } catch (error) {
      if (error instanceof DriverError && error.code === 'NOT_FOUND') return
      const about = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: volume.metadata }
      events.event(about, 'Warning', 'VolumeFailedDelete', (error as Error).message)
      throw error
    }
  }

  async function letGo(volume: Live<PersistentVolume>, remove: boolean, signal: AbortSignal): Promise<void> {
    const { name, uid = '' } = volume.metadata
    try {
      // The object first: without its finalizer it might be taken for one that nobody has made.
      if (remove) await api.delete(persistentVolumes, { name }, { preconditions: { uid }, signal })
      const live = await api.get(persistentVolumes, { name }, { signal })
      if (live.metadata.uid !== uid || !live.metadata.finalizers?.includes(provisionerFinalizer)) return
      await api.update(persistentVolumes, withFinalizer(live, provisionerFinalizer, false), { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  return { name: 'csi-provisioner-volumes', queue, reconcile }
}
