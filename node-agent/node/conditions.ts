import type { NodeCondition } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Pressures } from '../eviction/pressures.ts'

/** The conditions of the node in upstream's order and words. `faults`: why it cannot run pods. */
export function nodeConditions(
  pressures: Pressures,
  faults: readonly string[],
  before: readonly NodeCondition[],
  now: number,
): NodeCondition[] {
  const pressure = (
    type: string,
    on: boolean,
    yes: readonly [string, string],
    no: readonly [string, string],
  ): NodeCondition => {
    const [reason, message] = on ? yes : no
    return { type, status: on ? 'True' : 'False', reason, message }
  }
  const conditions: NodeCondition[] = [
    pressure(
      'MemoryPressure',
      pressures.memory,
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ),
    pressure(
      'DiskPressure',
      pressures.disk,
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ),
    pressure(
      'PIDPressure',
      pressures.pid,
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ),
    faults.length === 0
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: describe(faults) },
  ]
  const time = formatTime(now)
  return conditions.map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    const same = old?.status === condition.status
    return { ...condition, lastHeartbeatTime: time, lastTransitionTime: same ? (old.lastTransitionTime ?? time) : time }
  })
}

const describe = (faults: readonly string[]): string =>
  faults.length === 1 ? (faults[0] as string) : `[${faults.join(', ')}]`
