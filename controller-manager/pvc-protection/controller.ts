import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf } from '../../client/key.ts'
import { persistentVolumeClaims, pods as podResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { claimKeys, claimPodInformer, podsOfClaim } from '../volumes/pods-of-claims.ts'
import { claimProtection, keepsClaim, planProtection, withFinalizer } from './plan.ts'

/** Lets a claim that is being deleted go when no pod uses it any more. */
export function newPvcProtectionController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'pvcprotection' })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const pods = claimPodInformer(informers)
  const see = (claim: Live<PersistentVolumeClaim>) => {
    if (planProtection(claim, claimProtection) !== 'nothing') queue.add(keyOf(claim))
  }
  claims.on({ add: see, update: (_, after) => see(after) })
  const seePod = (pod: Live<Pod>) => {
    for (const key of claimKeys(pod)) {
      const claim = claims.lister.byKey(key)
      if (claim?.metadata.deletionTimestamp) queue.add(key)
    }
  }
  pods.on({ add: seePod, update: (_, after) => seePod(after), delete: seePod })

  /** The cache first; before a claim is let go, the server itself: a pod may have been given a node just now. */
  async function isInUse(claim: Live<PersistentVolumeClaim>, signal: AbortSignal): Promise<boolean> {
    if (podsOfClaim(pods, keyOf(claim)).some((pod) => keepsClaim(pod, claim))) return true
    const { namespace = '' } = claim.metadata
    const { items } = await api.list(podResource, { namespace, signal })
    return items.some((pod) => keepsClaim(pod, claim))
  }

  return {
    name: 'pvc-protection',
    queue,
    async reconcile(key, signal) {
      const claim = claims.lister.byKey(key)
      if (!claim) return
      const plan = planProtection(claim, claimProtection)
      if (plan === 'nothing' || (plan === 'release-if-unused' && (await isInUse(claim, signal)))) return
      const next = withFinalizer(claim, claimProtection, plan === 'protect')
      await api.update(persistentVolumeClaims, next, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    },
  }
}
