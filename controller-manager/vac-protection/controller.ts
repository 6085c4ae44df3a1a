import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumeClaims, persistentVolumes, volumeAttributesClasses } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { planProtection, withFinalizer } from '../pvc-protection/plan.ts'
import type { ControllerDeps } from '../types.ts'

const attributesProtection = 'kubernetes.io/vac-protection'

/** The attributes classes that a claim asks for, has, or is on its way to. */
export const classesOfClaim = ({ spec, status }: Live<PersistentVolumeClaim>): string[] =>
  [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].flatMap((name) => name || [])

const classesOfVolume = ({ spec }: Live<PersistentVolume>): string[] =>
  spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []

/** Lets an attributes class that is being deleted go when neither a claim nor a volume names it any more. */
export function newVacProtectionController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'vacprotection' })
  const classes = informers.for<VolumeAttributesClass>(volumeAttributesClasses)
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const volumes = informers.for<PersistentVolume>(persistentVolumes)
  const see = (attributes: Live<VolumeAttributesClass>) => {
    if (planProtection(attributes, attributesProtection) !== 'nothing') queue.add(attributes.metadata.name)
  }
  classes.on({ add: see, update: (_, after) => see(after) })
  const letGoOf = (names: readonly string[]) => {
    for (const name of names) if (classes.lister.get(undefined, name)?.metadata.deletionTimestamp) queue.add(name)
  }
  claims.on({
    update: (before) => letGoOf(classesOfClaim(before)),
    delete: (claim) => letGoOf(classesOfClaim(claim)),
  })
  volumes.on({
    update: (before) => letGoOf(classesOfVolume(before)),
    delete: (volume) => letGoOf(classesOfVolume(volume)),
  })

  /** The caches first; before a class is let go, the server itself: a claim may have been made just now. */
  async function isInUse(name: string, signal: AbortSignal): Promise<boolean> {
    const isNamed = (c: readonly Live<PersistentVolumeClaim>[], v: readonly Live<PersistentVolume>[]) =>
      c.some((claim) => classesOfClaim(claim).includes(name)) ||
      v.some((volume) => classesOfVolume(volume).includes(name))
    if (isNamed(claims.lister.list(), volumes.lister.list())) return true
    const [c, v] = await Promise.all([
      api.list(persistentVolumeClaims, { signal }),
      api.list(persistentVolumes, { signal }),
    ])
    return isNamed(c.items, v.items)
  }

  return {
    name: 'vac-protection',
    queue,
    async reconcile(name, signal) {
      const attributes = classes.lister.get(undefined, name)
      if (!attributes) return
      const plan = planProtection(attributes, attributesProtection)
      if (plan === 'nothing' || (plan === 'release-if-unused' && (await isInUse(name, signal)))) return
      const next = withFinalizer(attributes, attributesProtection, plan === 'protect')
      await api.update(volumeAttributesClasses, next, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    },
  }
}
