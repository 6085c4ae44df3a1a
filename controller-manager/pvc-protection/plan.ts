import type { Claim } from '../../api/core/volume-binding.ts'
import { claimedVolumes, isMadeFor } from '../../api/core/volume-claims.ts'
import type { Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'

export const claimProtection = 'kubernetes.io/pvc-protection'

/**
 * Whether a pod keeps the claim from going. One without a node does not: it will not get one any more. A pod that its node is
 * done with does not keep what was made for it alone, or the two would wait for each other.
 */
export function keepsClaim(pod: Stored<Pod>, claim: Claim): boolean {
  if (!pod.spec?.nodeName || pod.metadata.namespace !== claim.metadata.namespace) return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  const isDone = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0
  return claimedVolumes(pod).some(({ claim: name, ephemeral }) => {
    if (name !== claim.metadata.name) return false
    return !ephemeral || (!isDone && isMadeFor(claim, pod))
  })
}

/** What is to be done with the finalizer of something that is protected while in use. */
export function planProtection(
  { metadata }: Pick<Claim, 'metadata'>,
  finalizer: string,
): 'protect' | 'release-if-unused' | 'nothing' {
  const isProtected = metadata.finalizers?.includes(finalizer) ?? false
  if (metadata.deletionTimestamp) return isProtected ? 'release-if-unused' : 'nothing'
  return isProtected ? 'nothing' : 'protect'
}

/** The same object with the finalizer, or without it. */
export function withFinalizer<T extends Pick<Claim, 'metadata'>>(object: T, finalizer: string, has: boolean): T {
  const others = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  return { ...object, metadata: { ...object.metadata, finalizers: has ? [...others, finalizer] : others } }
}
