import type { PersistentVolumeClaim, PersistentVolumeClaimStatus } from '../../api/generated/types.ts'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { persistentVolumeClaims } from '../../client/resources.ts'
import type { Api, Live } from '../../client/types.ts'
import type { GrpcCode } from '../csi/errors.ts'
import type { VolumeSpec } from './types.ts'

type Persistent = NonNullable<VolumeSpec['persistent']>

/** Conditions of a claim that speak of its growing. */
const resizeConditions = new Set(['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError'])

/** Bytes that the volume has and the claim does not yet say: the node's part of growing is to be done. */
export function wantedBytes({ volume, claim }: Persistent): number | undefined {
  const has = quantityValue(volume.spec?.capacity?.storage)
  const says = quantityValue(claim.status?.capacity?.storage)
  return says > 0 && has > says ? has : undefined
}

/** The claim's status when its volume has grown. */
export function grownStatus({ volume, claim }: Persistent): object {
  const storage = volume.spec?.capacity?.storage
  const { capacity, conditions = [] } = claim.status ?? {}
  return {
    capacity: { ...capacity, storage },
    conditions: conditions.filter(({ type }) => !resizeConditions.has(type)),
    // Null takes away.
    ...(claim.status?.allocatedResourceStatuses?.storage ? { allocatedResourceStatuses: { storage: null } } : {}),
  }
}

/** The claim's status when its volume cannot grow however often it is tried; undefined: it may yet. */
export function failedStatus(
  code: GrpcCode,
  status: PersistentVolumeClaimStatus | undefined,
): { allocatedResourceStatuses: Record<string, string> } | undefined {
  if (!['INVALID_ARGUMENT', 'OUT_OF_RANGE', 'NOT_FOUND'].includes(code)) return undefined
  if (status?.allocatedResourceStatuses?.storage === 'NodeResizeInfeasible') return undefined
  return { allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' } }
}

/** Changes the claim's status as it was read; refused if somebody was faster. */
export async function patchClaimStatus(
  api: Pick<Api, 'patch'>,
  { metadata }: Live<PersistentVolumeClaim>,
  status: object,
): Promise<void> {
  const { namespace, name, resourceVersion } = metadata
  const body = { metadata: { resourceVersion }, status }
  await api.patch(persistentVolumeClaims, { namespace, name }, { type: 'merge', body }, { subresource: 'status' })
}
