import type {
  Pod,
  PodResourceClaimStatus,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim,
} from '../../api/generated/types.ts'
import { isOwnedBy, isReservedFor, podClaimAnnotation, podClaimOf } from '../../api/resource/pod-claims.ts'
import type { Live } from '../../client/types.ts'
import type { Claim } from './plan-claim.ts'

/** What is there of a pod's claims. */
export interface ClaimsAround {
  /** By its name, in the pod's namespace. */
  claim(name: string): Claim | undefined
  /** Made for this entry of the pod's claims, and perhaps not yet known to the pod. */
  madeFor(entry: string): Claim | undefined
}

/** What is to be done for the claims of a pod. */
export interface PodPlan {
  /** Entries of the pod, each with the name of the template of the claim that it lacks. */
  make: readonly { entry: string; template: string }[]
  /** What the pod has to be told of claims that are there. */
  tell: readonly PodResourceClaimStatus[]
  /** Claims with devices that a pod uses which was given its node by somebody who did not say so. */
  reserve: readonly Claim[]
}

/** Decides what a pod's claims lack. A pod that is being deleted gets nothing more. */
export function planPod(pod: Live<Pod>, around: ClaimsAround): PodPlan {
  const make: { entry: string; template: string }[] = []
  const tell: PodResourceClaimStatus[] = []
  const reserve: Claim[] = []
  if (pod.metadata.deletionTimestamp) return { make, tell, reserve }
  for (const entry of pod.spec?.resourceClaims ?? []) {
    const known = podClaimOf(pod, entry)
    const name = 'fault' in known ? '' : known.claim
    // It has been found out before that none is needed.
    if (name === undefined) continue
    const claim = name === '' ? undefined : around.claim(name)
    const template = entry.resourceClaimTemplateName
    const isRight = claim !== undefined && (template === undefined || isOwnedBy(claim, pod))
    if (isRight) {
      if (pod.spec?.nodeName && claim.status?.allocation && !isReservedFor(claim, pod)) reserve.push(claim)
    } else if (template !== undefined) {
      const made = around.madeFor(entry.name)
      if (made) tell.push({ name: entry.name, resourceClaimName: made.metadata.name })
      else make.push({ entry: entry.name, template })
    }
  }
  return { make, tell, reserve }
}

/** Leaves room for a dash and five random characters in a name of 63. */
const longestPrefix = 57

/** The names of pod and entry, each cut in proportion where they are too long together. */
export function namePrefix(pod: string, entry: string): string {
  const whole = `${pod}-${entry}-`
  if (whole.length <= longestPrefix) return whole
  const cut = (text: string) => text.slice(0, Math.floor((text.length * longestPrefix) / whole.length))
  return `${cut(pod)}-${cut(entry)}`
}

/** The claim that a template describes, for one entry of a pod's claims. */
export function claimFromTemplate(
  pod: Live<Pod>,
  entry: string,
  { spec: { metadata = {}, spec } }: Live<ResourceClaimTemplate>,
): ResourceV1ResourceClaim {
  const { name, namespace, uid = '' } = pod.metadata
  return {
    metadata: {
      generateName: namePrefix(name, entry),
      ...(namespace ? { namespace } : {}),
      ...(metadata.labels ? { labels: metadata.labels } : {}),
      annotations: { ...metadata.annotations, [podClaimAnnotation]: entry },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
    },
    spec,
  }
}
