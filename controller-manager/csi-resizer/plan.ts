import { requestOf } from '../../api/core/volume-binding.ts'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
} from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { compareQuantity } from '../../api/machinery/quantity.ts'
import { formatTime } from '../../api/machinery/time.ts'

type Claim = Stored<PersistentVolumeClaim>

/** What a claim's volume is to grow to; undefined when it is as large, or its node is to do the rest. */
export function sizeToGrowTo(claim: Claim, volume: Stored<PersistentVolume>): string | undefined {
  const { phase, capacity, allocatedResourceStatuses } = claim.status ?? {}
  const wanted = requestOf(claim)
  if (phase !== 'Bound' || claim.metadata.deletionTimestamp) return undefined
  if (compareQuantity(wanted, capacity?.storage ?? '0') <= 0) return undefined
  const isWithNode = allocatedResourceStatuses?.storage?.startsWith('NodeResize') ?? false
  const isGrown = compareQuantity(volume.spec?.capacity?.storage ?? '0', wanted) >= 0
  return isWithNode && isGrown ? undefined : wanted
}

export type Growth =
  | { state: 'ControllerResizeInProgress'; size: string }
  | { state: 'ControllerResizeInfeasible'; size: string; message: string }
  /** The volume has grown; what is on it is to follow where it is mounted. */
  | { state: 'NodeResizePending'; size: string }
  | { state: 'done'; size: string }

const conditionTypes = ['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError']

/** The claim that says how far its growth has come. */
export function withGrowth(claim: Claim, growth: Growth, nowMs: number): Claim {
  const { conditions = [], allocatedResources, allocatedResourceStatuses, ...status } = claim.status ?? {}
  const others = conditions.filter(({ type }) => !conditionTypes.includes(type))
  const condition = conditionOf(growth, nowMs)
  const all = condition ? [...others, condition] : others
  const { storage: _a, ...otherAmounts } = allocatedResources ?? {}
  const { storage: _s, ...otherStates } = allocatedResourceStatuses ?? {}
  const isDone = growth.state === 'done'
  const amounts = isDone ? otherAmounts : { ...otherAmounts, storage: growth.size }
  const states = isDone ? otherStates : { ...otherStates, storage: growth.state }
  return {
    ...claim,
    status: {
      ...status,
      ...(isDone ? { capacity: { ...status.capacity, storage: growth.size } } : {}),
      ...(all.length > 0 ? { conditions: all } : {}),
      ...(Object.keys(amounts).length > 0 ? { allocatedResources: amounts } : {}),
      ...(Object.keys(states).length > 0 ? { allocatedResourceStatuses: states } : {}),
    },
  }
}

function conditionOf(growth: Growth, nowMs: number): PersistentVolumeClaimCondition | undefined {
  const condition = (type: string, message?: string) => ({
    type,
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    ...(message ? { message } : {}),
  })
  switch (growth.state) {
    case 'ControllerResizeInProgress':
      return condition('Resizing')
    case 'ControllerResizeInfeasible':
      return condition('ControllerResizeError', growth.message)
    case 'NodeResizePending':
      return condition(
        'FileSystemResizePending',
        'Waiting for user to (re-)start a pod to finish file system resize of volume on node.',
      )
    case 'done':
      return undefined
  }
}
