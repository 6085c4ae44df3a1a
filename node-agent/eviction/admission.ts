import { podQOS } from '../../api/core/pod-qos.ts'
import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Rejection } from '../pods/admit.ts'
import type { BoundPod } from '../pods/types.ts'
import { isCriticalPod } from './rank.ts'

const pressureTypes = ['MemoryPressure', 'DiskPressure', 'PIDPressure']

/**
 * Why a node that is short of something takes no new pod. Memory alone keeps out only those that have asked for none, and do
 * not tolerate it: the others have their share.
 */
export function pressureRejection(pod: BoundPod, node: Live<Node>): Rejection | undefined {
  const pressures = (node.status?.conditions ?? []).flatMap(({ type, status }) =>
    status === 'True' && pressureTypes.includes(type) ? [type] : [],
  )
  if (pressures.length === 0 || isCriticalPod(pod)) return undefined
  if (pressures.every((type) => type === 'MemoryPressure') && (hasShare(pod) || toleratesMemoryPressure(pod))) {
    return undefined
  }
  return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` }
}

const hasShare = (pod: BoundPod): boolean => podQOS(pod) !== 'BestEffort'

const toleratesMemoryPressure = ({ spec }: BoundPod): boolean =>
  (spec.tolerations ?? []).some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (!effect || effect === 'NoSchedule') &&
      (key ? key === 'node.kubernetes.io/memory-pressure' : operator === 'Exists') &&
      (operator === 'Exists' || value === ''),
  )
