import type { ObjectMeta, PersistentVolumeClaim, PodSpec } from '../generated/types.ts'

interface PodLike {
  metadata: ObjectMeta
  spec?: PodSpec
}

/** A claim that a pod uses. */
export interface ClaimedVolume {
  /** The volume's name in the pod. */
  volume: string
  claim: string
  /** Made for this pod alone, by a controller. */
  ephemeral: boolean
}

/** The claims that a pod uses, those made for it alone among them. */
export function claimedVolumes({ metadata, spec }: PodLike): ClaimedVolume[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): ClaimedVolume[] => {
    if (persistentVolumeClaim) return [{ volume: name, claim: persistentVolumeClaim.claimName, ephemeral: false }]
    return ephemeral ? [{ volume: name, claim: `${metadata.name ?? ''}-${name}`, ephemeral: true }] : []
  })
}

/** Whether the claim was made for this pod. */
export const isMadeFor = (claim: Pick<PersistentVolumeClaim, 'metadata'>, { metadata }: PodLike): boolean =>
  claim.metadata?.ownerReferences?.find(({ controller }) => controller)?.uid === metadata.uid

/** Upstream's words for a claim that has the name of one made for a pod, and is another's. */
export function notMadeFor(claim: Pick<PersistentVolumeClaim, 'metadata'>, { metadata }: PodLike): string {
  const { namespace = '', name = '' } = claim.metadata ?? {}
  return `PVC ${namespace}/${name} was not created for pod ${metadata.namespace ?? ''}/${metadata.name ?? ''} (pod is not owner)`
}
