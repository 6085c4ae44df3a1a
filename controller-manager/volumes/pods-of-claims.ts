import { claimedVolumes } from '../../api/core/volume-claims.ts'
import type { Pod } from '../../api/generated/types.ts'
import type { Informer, InformerFactory } from '../../client/informer.ts'
import { pods } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'

const byClaim = 'claim'
const indexed = new WeakSet<object>()

/** The shared informer of pods, with the index that {@link podsOfClaim} asks. */
export function claimPodInformer(informers: InformerFactory): Informer<Pod> {
  const informer = informers.for<Pod>(pods)
  if (!indexed.has(informer)) {
    indexed.add(informer)
    informer.addIndexers({ [byClaim]: claimKeys })
  }
  return informer
}

/** `namespace/name` of the claims a pod uses. */
export const claimKeys = (pod: Live<Pod>): string[] =>
  claimedVolumes(pod).map(({ claim }) => `${pod.metadata.namespace ?? ''}/${claim}`)

/** The pods that use the claim `namespace/name`, or whatever has that name once it is made. */
export const podsOfClaim = (informer: Informer<Pod>, key: string): Live<Pod>[] => informer.lister.byIndex(byClaim, key)
