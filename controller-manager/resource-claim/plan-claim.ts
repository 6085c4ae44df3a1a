import type { Pod, ResourceClaimConsumerReference, ResourceV1ResourceClaim } from '../../api/generated/types.ts'
import { claimFinalizer } from '../../api/resource/pod-claims.ts'
import type { Live } from '../../client/types.ts'
import { isTerminal } from '../pods/condition.ts'
import { controllerOf } from '../pods/ownership.ts'

export type Claim = Live<ResourceV1ResourceClaim>

/** What is to be done with a claim, in this order. */
export interface ClaimPlan {
  status?: NonNullable<Claim['status']>
  /** It has no devices that would have to be given back: it may go. */
  release: boolean
  delete: boolean
}

/** A pod that will not run any more, or never will: nobody gives a node to one that is being deleted. */
export const isDone = (pod: Live<Pod>): boolean =>
  isTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName)

/** Whether a claim is kept for a pod. Of other users nothing is known here, so they stay. */
export const isPod = ({ apiGroup = '', resource }: ResourceClaimConsumerReference): boolean =>
  apiGroup === '' && resource === 'pods'

/**
 * Takes off a claim the users that are `gone`, by their uids; with the last of them its devices; and then what keeps it from
 * being deleted. One that was made for a pod (`owner`, as far as it is known) goes when that does not run any more.
 */
export function planClaim(claim: Claim, gone: ReadonlySet<string>, owner: Live<Pod> | undefined): ClaimPlan {
  const { metadata, status = {} } = claim
  const users = status.reservedFor ?? []
  const left = users.filter((user) => !(isPod(user) && gone.has(user.uid)))
  const isGuarded = metadata.finalizers?.includes(claimFinalizer) ?? false
  const isUnused = left.length === 0
  // What has devices and was never used is not taken back: whoever has them may be about to use it.
  const isLeft = left.length < users.length || metadata.deletionTimestamp !== undefined
  const givesBack = isUnused && isGuarded && isLeft
  const { reservedFor: _users, allocation, ...rest } = status
  const next = {
    ...rest,
    ...(allocation && !givesBack ? { allocation } : {}),
    ...(isUnused ? {} : { reservedFor: left }),
  }
  const changes = left.length < users.length || (givesBack && allocation !== undefined)
  const uid = controllerOf(claim)?.uid
  return {
    ...(changes ? { status: next } : {}),
    release: givesBack,
    delete: isUnused && owner !== undefined && (owner.metadata.uid !== uid || isDone(owner)),
  }
}
