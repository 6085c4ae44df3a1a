import type { PersistentVolumeClaim, PersistentVolumeClaimCondition } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { codeInWords, type DriverError, isFinal } from '../csi/relay.ts'

type Claim = Stored<PersistentVolumeClaim>

/** What is to be done about the attributes of a claim's volume. */
export type ModifyPlan =
  | { do: 'nothing' }
  /** Nothing is asked for any more: what was being said of it goes. */
  | { do: 'cancel' }
  /** A call of which nobody knows how it ended is repeated, whatever is asked for by now. */
  | { do: 'go-on'; target: string }
  | { do: 'begin'; target: string }

/** `isSettled`: the last call for the claim has failed for certain, so that something else may be asked for. */
export function planModify({ metadata, spec, status }: Claim, isSettled: boolean): ModifyPlan {
  const wanted = spec?.volumeAttributesClassName ?? ''
  const current = status?.currentVolumeAttributesClassName ?? ''
  const modifying = status?.modifyVolumeStatus
  if (metadata.deletionTimestamp || status?.phase !== 'Bound' || (!modifying && wanted === current)) {
    return { do: 'nothing' }
  }
  const target = modifying?.targetVolumeAttributesClassName ?? ''
  if (modifying?.status === 'InProgress' && (!isSettled || wanted === '')) return { do: 'go-on', target }
  if (wanted !== '') return { do: 'begin', target: wanted }
  return status.conditions?.some(({ type }) => type === modifyingType) ? { do: 'cancel' } : { do: 'nothing' }
}

const modifyingType = 'ModifyingVolume'
const errorType = 'ModifyVolumeError'

/** How far a claim has come with the attributes of its volume. */
export type Modification =
  | { state: 'Pending' }
  | { state: 'InProgress'; target: string }
  | { state: 'failed'; target: string; error: DriverError }
  | { state: 'cancelled' }
  | { state: 'done'; target: string }

/** What no second try will change: the class itself has to be another. */
const isInfeasible = ({ code }: DriverError): boolean => code === 'INVALID_ARGUMENT'

/** The claim that says how far it has come. */
export function withModification(claim: Claim, modification: Modification, nowMs: number): Claim {
  const { conditions = [], modifyVolumeStatus, ...status } = claim.status ?? {}
  const others = conditions.filter(({ type }) => type !== modifyingType && type !== errorType)
  const saying = (all: readonly PersistentVolumeClaimCondition[], more: Claim['status']): Claim => ({
    ...claim,
    status: { ...status, ...(all.length > 0 ? { conditions: [...all] } : {}), ...more },
  })
  switch (modification.state) {
    case 'Pending':
      // What was said of an earlier try stays.
      return saying(conditions, { modifyVolumeStatus: { ...modifyVolumeStatus, status: 'Pending' } })
    case 'cancelled':
      return saying(
        conditions.filter(({ type }) => type !== modifyingType),
        modifyVolumeStatus ? { modifyVolumeStatus } : {},
      )
    case 'done':
      return saying(others, { currentVolumeAttributesClassName: modification.target })
    default: {
      const { target } = modification
      const isOver = modification.state === 'failed' && isInfeasible(modification.error)
      return saying([...others, ...conditionsOf(modification, nowMs)], {
        modifyVolumeStatus: {
          targetVolumeAttributesClassName: target,
          status: isOver ? 'Infeasible' : 'InProgress',
        },
      })
    }
  }
}

function conditionsOf(
  modification: Extract<Modification, { target: string; state: 'InProgress' | 'failed' }>,
  nowMs: number,
): PersistentVolumeClaimCondition[] {
  const lastProbeTime = formatTime(nowMs)
  const to = `Modifying volume to ${JSON.stringify(modification.target)}`
  const modifying = (message: string) => ({ type: modifyingType, status: 'True', lastProbeTime, message })
  if (modification.state === 'InProgress') return [modifying(`${to} is in progress.`)]
  const { error } = modification
  return [
    modifying(isFinal(error) ? `${to} failed. Waiting for retry.` : `${to} is still in progress.`),
    { type: errorType, status: 'True', lastProbeTime, reason: codeInWords(error.code), message: error.why },
  ]
}
