import type { ObjectMeta, OwnerReference } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import { isInvalid, isNotFound } from '../../client/errors.ts'
import type { Api, Live, ResourceRef } from '../../client/types.ts'

/** Who owns: the object and what it is. */
export interface Owner {
  apiVersion: string
  kind: string
  metadata: ObjectMeta & { name: string }
}

type Owned = Live<object>

/** The owner reference that says "this one manages me". */
export const controllerOf = ({ metadata }: { metadata: ObjectMeta }): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true)

/** A reference that makes `owner` the controller, and lets foreground deletion wait for what it owns. */
export const controllerReference = ({ apiVersion, kind, metadata }: Owner): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

export interface Claims<T> {
  owned: T[]
  adopt: T[]
  release: T[]
}

/**
 * Of the candidates, which the owner has, which orphans it should take, and which it must let go. `belongs` is a further
 * condition beside the labels, such as the form of the name.
 */
export function planClaims<T extends Owned>(
  owner: Owner,
  matches: (labels: Labels) => boolean,
  candidates: readonly T[],
  belongs: (candidate: T) => boolean = () => true,
): Claims<T> {
  const claims: Claims<T> = { owned: [], adopt: [], release: [] }
  const leaving = owner.metadata.deletionTimestamp !== undefined
  for (const candidate of candidates) {
    const { metadata } = candidate
    const controller = controllerOf(candidate)
    const fits = matches(metadata.labels ?? {}) && belongs(candidate)
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue
      if (fits) claims.owned.push(candidate)
      else if (!leaving) claims.release.push(candidate)
    } else if (fits && !leaving && metadata.deletionTimestamp === undefined) {
      if (metadata.namespace === owner.metadata.namespace) claims.adopt.push(candidate)
    }
  }
  return claims
}

/**
 * Adopts and releases as {@link planClaims} says. Returns all that the owner has then; candidates that vanish meanwhile are left
 * out. Before the first adoption the owner is read afresh, past every cache: one that is being deleted adopts nothing. Throws
 * the first error after having tried all.
 */
export async function claim<T extends Owned>(options: {
  api: Api
  owner: Owner
  ownerRef: ResourceRef<object>
  matches: (labels: Labels) => boolean
  candidates: readonly T[]
  candidateRef: ResourceRef<object>
  belongs?: (candidate: T) => boolean
  /** A finalizer of the owner's, taken off what is released: nobody else would. */
  finalizer?: string
  signal: AbortSignal
}): Promise<T[]> {
  const { api, owner, ownerRef, candidateRef, signal } = options
  const { owned, adopt, release } = planClaims(owner, options.matches, options.candidates, options.belongs)
  if (adopt.length === 0 && release.length === 0) return owned
  const failures: unknown[] = []
  if (adopt.length > 0) await requireAlive(api, ownerRef, owner, signal)
  for (const candidate of adopt) {
    try {
      await patchMetadata(api, candidateRef, candidate, { ownerReferences: [controllerReference(owner)] }, signal)
      owned.push(candidate)
    } catch (error) {
      if (!isNotFound(error)) failures.push(error)
    }
  }
  for (const candidate of release) {
    try {
      const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
      const { finalizer } = options
      const finalizers = finalizer === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': [finalizer] }
      await patchMetadata(api, candidateRef, candidate, { ownerReferences, ...finalizers }, signal)
    } catch (error) {
      // Invalid: it has another uid now, or no owners; either way it is not ours.
      if (!isNotFound(error) && !isInvalid(error)) failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return owned
}

async function requireAlive(api: Api, ref: ResourceRef<object>, owner: Owner, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = owner.metadata
  const fresh = await api.get(ref, { namespace, name }, { signal })
  const what = `${owner.kind} ${namespace}/${name}`
  if (fresh.metadata.uid !== uid) {
    throw new Error(`original ${what} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`)
  }
  if (fresh.metadata.deletionTimestamp !== undefined) {
    throw new Error(`${what} has just been deleted at ${fresh.metadata.deletionTimestamp}`)
  }
}

/** The uid in the patch is the precondition: the server refuses it for another object of the same name. */
async function patchMetadata(
  api: Api,
  ref: ResourceRef<object>,
  { metadata }: Owned,
  changes: object,
  signal: AbortSignal,
): Promise<void> {
  const body = { metadata: { uid: metadata.uid, ...changes } }
  await api.patch(ref, { namespace: metadata.namespace, name: metadata.name }, { type: 'strategic', body }, { signal })
}
