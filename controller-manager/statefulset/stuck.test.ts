import { describe, expect, test } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { at, pod, t0 } from '../testing/build.ts'
import { untilStuckMs } from './stuck.ts'

const minuteMs = 60_000
const status = (more: object): Live<Pod> => ({ ...pod(), status: { startTime: at(1), ...more } })
const waiting = (reason: string) => ({
  containerStatuses: [
    { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason } } },
  ],
})
const unready = (since: number) => ({ conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: at(since) }] })

describe('a pod of an old revision', () => {
  test.each<[string, Live<Pod>, number | undefined]>([
    ['that is ready is not stuck', pod({ ready: 0 }), undefined],
    ['that leaves is not stuck', pod({ deleted: 0 }), undefined],
    ['whose image cannot be had is', status(waiting('ImagePullBackOff')), 0],
    ['that crashes is, though it was ready', status({ ...waiting('CrashLoopBackOff'), ...unready(40) }), 0],
    ['that is starting has ten minutes', status({ ...waiting('ContainerCreating'), ...unready(1) }), 9 * minuteMs],
    ['of which nothing is known has ten minutes', pod(), 9 * minuteMs],
    ['that never became ready in them is', pod({ created: -600 }), 0],
    ['that was ready is waited for', status(unready(40)), undefined],
    [
      'that fits on no node is',
      status({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }),
      0,
    ],
    [
      'that is held back is not yet',
      status({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      9 * minuteMs,
    ],
  ])('%s', (_, candidate, wanted) => expect(untilStuckMs(candidate, t0 + minuteMs)).toBe(wanted))
})
