import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { controllerReference, type Owner } from '../pods/ownership.ts'
import { inRange, parseName } from './identity.ts'

type Claim = Live<PersistentVolumeClaim>

/**
 * The owners a claim should have, so that the garbage collector deletes it when the policy says: with its set, or with its pod
 * once that is scaled away. Undefined if they are right, or not to be touched: references to a former set or pod of the name
 * mean that the claim is about to go.
 */
export function claimOwners(set: Live<StatefulSet>, pod: Live<Pod>, claim: Claim): OwnerReference[] | undefined {
  const setOwner: Owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata }
  const podOwner: Owner = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata }
  const references = claim.metadata.ownerReferences ?? []
  if (isStale(references, setOwner) || isStale(references, podOwner)) return undefined
  const wanted = wantedOwners(set, pod, references, setOwner, podOwner)
  const has = (owner: Owner) => references.filter(({ uid }) => uid === owner.metadata.uid)
  const right = [setOwner, podOwner].every((owner) => {
    const standing = has(owner)
    return standing.length > 0 === wanted.includes(owner) && (standing[0]?.controller === true || standing.length === 0)
  })
  if (right) return undefined
  const others = references.filter((reference) => ![setOwner, podOwner].some((owner) => refersTo(reference, owner)))
  return [...others, ...wanted.map(controllerReference)]
}

/** Whether the claim still belongs to a former pod of the name, and will be deleted after it. */
export const belongsToFormerPod = (claim: Claim, podName: string): boolean =>
  (claim.metadata.ownerReferences ?? []).some(
    ({ apiVersion, kind, name }) => apiVersion === 'v1' && kind === 'Pod' && name === podName,
  )

function wantedOwners(
  set: Live<StatefulSet>,
  pod: Live<Pod>,
  references: readonly OwnerReference[],
  setOwner: Owner,
  podOwner: Owner,
): Owner[] {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {}
  if (whenDeleted !== 'Delete' && whenScaled !== 'Delete') return []
  const foreign = references.some(
    (reference) => reference.controller && !refersTo(reference, setOwner) && !refersTo(reference, podOwner),
  )
  // Somebody else's claim: their business when it goes.
  if (foreign) return []
  const scaledAway = !inRange(set, parseName(pod.metadata.name)?.ordinal ?? -1)
  if (whenScaled === 'Delete' && scaledAway) return [podOwner]
  return whenDeleted === 'Delete' ? [setOwner] : []
}

const refersTo = ({ apiVersion, kind, name }: OwnerReference, owner: Owner): boolean =>
  apiVersion === owner.apiVersion && kind === owner.kind && name === owner.metadata.name

const isStale = (references: readonly OwnerReference[], owner: Owner): boolean =>
  references.some((reference) => refersTo(reference, owner) && reference.uid !== (owner.metadata.uid ?? ''))
