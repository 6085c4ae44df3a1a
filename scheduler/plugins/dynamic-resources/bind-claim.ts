import type { AllocationResult } from '../../../api/generated/types.ts'
import { claimFinalizer, isReservedFor } from '../../../api/resource/pod-claims.ts'
import { isConflict, isServerDown } from '../../../client/errors.ts'
import { resourceClaims } from '../../../client/resources.ts'
import type { Api, Clock } from '../../../client/types.ts'
import type { Claim } from '../../dra/device-world.ts'
import type { PodInfo } from '../../framework/pod-info.ts'

export interface ClaimWriter {
  api: Api
  clock: Clock
  stopping: AbortSignal
}

const mostAttempts = 5
const readBackMs = 1000

/**
 * Writes into a claim what was chosen for it, if anything was, and that the pod may use it. Throws where that has become
 * impossible; what the claim has by then is known for sure, also where an answer was lost.
 */
export async function bindClaim(
  writer: ClaimWriter,
  claim: Claim,
  pod: PodInfo,
  allocation: AllocationResult | undefined,
): Promise<Claim> {
  let latest = claim
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(writer, latest, pod, allocation)
    } catch (error) {
      if (isConflict(error)) latest = await read(writer, claim)
      else if (isServerDown(error)) latest = await readBack(writer, claim)
      else throw error
      if (attempt >= mostAttempts) throw error
    }
  }
}

async function write(
  { api, stopping: signal }: ClaimWriter,
  claim: Claim,
  pod: PodInfo,
  allocation: AllocationResult | undefined,
): Promise<Claim> {
  const { metadata, status = {} } = claim
  const key = `${metadata.namespace ?? ''}/${metadata.name}`
  if (isReservedFor(claim, pod.pod)) return claim
  if (metadata.deletionTimestamp) throw new Error(`claim ${key} got deleted in the meantime`)
  if (allocation && status.allocation) throw new Error(`claim ${key} got allocated elsewhere in the meantime`)
  if (!allocation && !status.allocation) throw new Error(`claim ${key} got deallocated elsewhere in the meantime`)
  const { finalizers = [] } = metadata
  const guarded =
    !allocation || finalizers.includes(claimFinalizer)
      ? claim
      : await api.update(
          resourceClaims,
          { ...claim, metadata: { ...metadata, finalizers: [...finalizers, claimFinalizer] } },
          { signal },
        )
  const reservedFor = [...(status.reservedFor ?? []), { resource: 'pods', name: pod.name, uid: pod.uid }]
  const bound = { ...guarded, status: { ...status, ...(allocation ? { allocation } : {}), reservedFor } }
  return api.update(resourceClaims, bound, { subresource: 'status', signal })
}

async function read({ api, stopping: signal }: ClaimWriter, { metadata }: Claim): Promise<Claim> {
  const { namespace, name, uid } = metadata
  const found = await api.get(resourceClaims, { namespace, name }, { signal })
  if (found.metadata.uid !== uid) throw new Error(`claim ${namespace ?? ''}/${name} got deleted in the meantime`)
  return found
}

/** The claim as it is after a write of which nobody has heard: its devices are given to nobody until that is known. */
async function readBack(writer: ClaimWriter, claim: Claim): Promise<Claim> {
  for (;;) {
    try {
      return await read(writer, claim)
    } catch (error) {
      if (!isServerDown(error)) throw error
      await writer.clock.sleep(readBackMs, writer.stopping)
    }
  }
}

/** Gives back what the pod was to use, when it is not going to. */
export async function unbindClaim({ api, stopping: signal }: ClaimWriter, claim: Claim, pod: PodInfo): Promise<void> {
  const { namespace, name, uid } = claim.metadata
  const body = { metadata: { uid }, status: { reservedFor: [{ $patch: 'delete', uid: pod.uid }] } }
  await api.patch(resourceClaims, { namespace, name }, { type: 'strategic', body }, { subresource: 'status', signal })
}

/** Gives back the devices of a claim, for others to be chosen. */
export async function deallocate({ api, stopping: signal }: ClaimWriter, claim: Claim): Promise<void> {
  const { reservedFor: _reservedFor, allocation: _allocation, devices: _devices, ...status } = claim.status ?? {}
  await api.update(resourceClaims, { ...claim, status }, { subresource: 'status', signal })
}
