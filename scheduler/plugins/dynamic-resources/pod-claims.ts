import { isOwnedBy, notOwnedBy, podClaimOf } from '../../../api/resource/pod-claims.ts'
import type { Claim, DeviceWorld } from '../../dra/device-world.ts'
import type { PodInfo } from '../../framework/pod-info.ts'

/** The claims of a pod that it needs devices of; or, in upstream's words, what it has to wait for. */
export function claimsOf({ pod, namespace }: PodInfo, world: Pick<DeviceWorld, 'claim'>): Claim[] | string {
  const claims: Claim[] = []
  for (const entry of pod.spec?.resourceClaims ?? []) {
    const wanted = podClaimOf(pod, entry)
    if ('fault' in wanted) return wanted.fault
    if (wanted.claim === undefined) continue
    const claim = world.claim(namespace, wanted.claim)
    if (!claim) return `resourceclaim.resource.k8s.io ${JSON.stringify(wanted.claim)} not found`
    if (claim.metadata.deletionTimestamp) return `resourceclaim ${JSON.stringify(wanted.claim)} is being deleted`
    if (wanted.generated && !isOwnedBy(claim, pod)) return notOwnedBy(claim, pod)
    claims.push(claim)
  }
  return claims
}
