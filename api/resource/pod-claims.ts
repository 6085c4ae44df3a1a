import type { ObjectMeta, PodResourceClaim, PodSpec, PodStatus, ResourceV1ResourceClaim } from '../generated/types.ts'

interface PodLike {
  metadata: ObjectMeta
  spec?: PodSpec
  status?: PodStatus
}
type Claim = Pick<ResourceV1ResourceClaim, 'metadata' | 'status'>

/** Kept on a claim that has devices, so that it does not go before they are given back. */
export const claimFinalizer = 'resource.kubernetes.io/delete-protection'
/** On a claim made from a template: which of its pod's claims it is. */
export const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name'

/** The claim that an entry of a pod's `resourceClaims` stands for. */
export interface PodClaim {
  /** Undefined where none is needed: its maker has said so. */
  claim: string | undefined
  /** Made for this pod alone, from a template. */
  generated: boolean
}

/** The claim behind an entry; `fault`, in upstream's words, while it has not been made yet. */
export function podClaimOf(
  { metadata, status }: PodLike,
  { name, resourceClaimName, resourceClaimTemplateName }: PodResourceClaim,
): PodClaim | { fault: string } {
  if (resourceClaimName !== undefined) return { claim: resourceClaimName, generated: false }
  const pod = `pod "${metadata.namespace ?? ''}/${metadata.name ?? ''}"`
  if (resourceClaimTemplateName === undefined) {
    return { fault: `${pod}, spec.resourceClaim ${JSON.stringify(name)}: none of the supported fields are set` }
  }
  const made = (status?.resourceClaimStatuses ?? []).find((entry) => entry.name === name)
  return made ? { claim: made.resourceClaimName, generated: true } : { fault: `${pod}: ResourceClaim not created yet` }
}

/** Whether the pod is what the claim was made for. */
export const isOwnedBy = ({ metadata }: Claim, pod: PodLike): boolean =>
  metadata?.ownerReferences?.find(({ controller }) => controller)?.uid === pod.metadata.uid

/** Upstream's words for a claim that is another's than the pod's whose it should be. */
export function notOwnedBy({ metadata }: Claim, pod: PodLike): string {
  const [space, name] = [pod.metadata.namespace ?? '', pod.metadata.name ?? '']
  return `ResourceClaim ${metadata?.namespace ?? ''}/${metadata?.name ?? ''} was not created for Pod ${space}/${name} (Pod is not owner)`
}

/** Whether the pod may use the claim's devices. */
export const isReservedFor = ({ status }: Claim, pod: PodLike): boolean =>
  (status?.reservedFor ?? []).some(({ uid }) => uid === pod.metadata.uid)
