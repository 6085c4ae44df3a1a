import { describe, expect, test } from 'vitest'
import type { DeploymentSpec, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { deployment, replicaSet } from '../testing/build.ts'
import { draftOf } from './draft.ts'
import { heldAt, nextHold } from './hold.ts'
import { planRolling } from './rolling.ts'

const probe = 'http://web'
const stepped = (replicas: number) =>
  deployment({
    replicas,
    annotations: {
      'gantry.dev/rollout-steps': JSON.stringify([
        { hold: '25%', probe },
        { hold: 7, probe },
      ]),
    },
  })
const labelled = (labels: Record<string, string>): Live<ReplicaSet> => {
  const set = replicaSet()
  return { ...set, metadata: { ...set.metadata, labels } }
}

describe('a rollout in steps', () => {
  test.each([
    ['stops at the first', {}, 10, 3],
    ['stops with one pod at least', {}, 1, 1],
    ['stops at the next', { 'gantry.dev/rollout-steps-passed': '1' }, 10, 7],
    ['stops with no more than there are to be', { 'gantry.dev/rollout-steps-passed': '1' }, 4, 4],
    ['goes on after the last', { 'gantry.dev/rollout-steps-passed': '2' }, 10, undefined],
    ['goes back without a stop', { 'gantry.dev/revision': 'settled' }, 10, undefined],
    ['stops for what has failed', { 'gantry.dev/revision': 'failed' }, 10, 3],
  ])('%s', (_, labels, replicas, wanted) => {
    expect(nextHold(stepped(replicas), labelled(labels))?.replicas).toBe(wanted)
  })

  test('stops only where others serve meanwhile', () => {
    const fresh = draftOf(replicaSet({ name: 'new' }))
    expect(heldAt(stepped(10), fresh, [draftOf(replicaSet({ replicas: 3 }))])).toBe(3)
    expect(heldAt(stepped(10), fresh, [draftOf(replicaSet({ replicas: 0 }))])).toBeUndefined()
    expect(heldAt(deployment({ replicas: 10 }), fresh, [draftOf(replicaSet({ replicas: 3 }))])).toBeUndefined()
  })
})

describe('a rolling update that is held', () => {
  // [replicas, surge, unavailable], hold, new [replicas, available], old [replicas, available] → new, old
  type Case = [string, [number, number, number], number, [number, number], [number, number], number, number]
  test.each<Case>([
    ['grows to the hold', [10, 5, 0], 3, [0, 0], [10, 10], 3, 10],
    ['waits for its pods', [10, 5, 0], 3, [3, 1], [10, 10], 3, 9],
    ['then takes as many away', [10, 5, 0], 3, [3, 3], [10, 10], 3, 7],
    ['and no more, whatever may be missing', [10, 5, 4], 3, [3, 3], [10, 10], 3, 7],
    ['rests', [10, 5, 4], 3, [3, 3], [7, 7], 3, 7],
    ['makes room without a surge', [10, 0, 2], 3, [0, 0], [10, 10], 0, 8],
    ['no more than the hold needs', [10, 0, 5], 3, [0, 0], [10, 10], 0, 7],
    ['keeps what it has when the hold moves down', [10, 5, 0], 3, [5, 5], [5, 5], 5, 5],
    ['goes on', [10, 5, 0], 7, [3, 3], [7, 7], 7, 7],
  ])('%s', (_, [replicas, surge, unavailable], hold, [fresh, ready], [old, serving], wantedNew, wantedOld) => {
    const spec = deployment({ replicas, surge, unavailable }).spec as DeploymentSpec
    const planned = planRolling(
      spec,
      {
        fresh: draftOf(replicaSet({ name: 'new', replicas: fresh, available: ready })),
        old: [draftOf(replicaSet({ name: 'old', replicas: old, available: serving }))],
      },
      hold,
    )
    expect([planned.fresh.replicas, planned.old[0]?.replicas]).toEqual([wantedNew, wantedOld])
  })
})
