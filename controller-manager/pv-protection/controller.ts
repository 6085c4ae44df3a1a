import type { PersistentVolume } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumes } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { planProtection, withFinalizer } from '../pvc-protection/plan.ts'
import type { ControllerDeps } from '../types.ts'

const volumeProtection = 'kubernetes.io/pv-protection'

/** Lets a volume that is being deleted go when it is bound to no claim any more. */
export function newPvProtectionController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'pvprotection' })
  const volumes = informers.for<PersistentVolume>(persistentVolumes)
  const see = (volume: Live<PersistentVolume>) => {
    if (planProtection(volume, volumeProtection) !== 'nothing') queue.add(volume.metadata.name)
  }
  volumes.on({ add: see, update: (_, after) => see(after) })
  return {
    name: 'pv-protection',
    queue,
    async reconcile(name, signal) {
      const volume = volumes.lister.get(undefined, name)
      if (!volume) return
      const plan = planProtection(volume, volumeProtection)
      if (plan === 'nothing' || (plan === 'release-if-unused' && volume.status?.phase === 'Bound')) return
      const next = withFinalizer(volume, volumeProtection, plan === 'protect')
      await api.update(persistentVolumes, next, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    },
  }
}
