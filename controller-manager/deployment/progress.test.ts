import { describe, expect, test } from 'vitest'
import type { DeploymentCondition, DeploymentStatus } from '../../api/generated/types.ts'
import { at, deployment, replicaSet, t0 } from '../testing/build.ts'
import { draftOf } from './draft.ts'
import { pauseCondition, rolloutConditions, untilDeadlineMs } from './progress.ts'

const progressing = (reason: string, status = 'True', updated = 0): DeploymentCondition => ({
  type: 'Progressing',
  status,
  reason,
  message: '',
  lastUpdateTime: at(updated),
  lastTransitionTime: at(updated),
})
const counts = (replicas: number, updated: number, available: number): DeploymentStatus => ({
  observedGeneration: 1,
  replicas,
  updatedReplicas: updated,
  readyReplicas: available,
  availableReplicas: available,
})

describe('progress', () => {
  const fresh = draftOf(replicaSet({ name: 'web-2' }))
  const going = progressing('ReplicaSetUpdated')

  type Case = [string, DeploymentStatus, DeploymentStatus, DeploymentCondition | undefined, number, string]
  const cases: Case[] = [
    ['a new pod', counts(3, 0, 3), counts(4, 1, 3), going, 5, 'ReplicaSetUpdated True 0'],
    ['an old pod less', counts(4, 1, 4), counts(3, 1, 3), going, 5, 'ReplicaSetUpdated True 0'],
    ['one more available', counts(4, 1, 3), counts(4, 1, 4), going, 5, 'ReplicaSetUpdated True 0'],
    ['from nothing known', counts(3, 0, 3), counts(4, 1, 3), undefined, 5, 'ReplicaSetUpdated True 5'],
    [
      'after a failure',
      counts(3, 0, 3),
      counts(4, 1, 3),
      progressing('ProgressDeadlineExceeded', 'False'),
      5,
      'ReplicaSetUpdated True 5',
    ],
    ['no change, in time', counts(4, 1, 3), counts(4, 1, 3), going, 60, 'ReplicaSetUpdated True 0'],
    ['no change for too long', counts(4, 1, 3), counts(4, 1, 3), going, 61, 'ProgressDeadlineExceeded False 61'],
    [
      'no change since a failure',
      counts(4, 1, 3),
      counts(4, 1, 3),
      progressing('ProgressDeadlineExceeded', 'False'),
      99,
      'ProgressDeadlineExceeded False 0',
    ],
    [
      'no change since it was resumed',
      counts(4, 1, 3),
      counts(4, 1, 3),
      progressing('DeploymentResumed', 'Unknown', 50),
      100,
      'DeploymentResumed Unknown 50',
    ],
    ['all there', counts(4, 3, 3), counts(3, 3, 3), going, 5, 'NewReplicaSetAvailable True 0'],
    [
      'all there since long, one pod missing',
      counts(3, 3, 3),
      counts(3, 3, 2),
      progressing('NewReplicaSetAvailable'),
      99,
      'NewReplicaSetAvailable True 0',
    ],
    [
      'a rollout that has not begun',
      counts(3, 3, 3),
      counts(3, 0, 3),
      progressing('NewReplicaSetAvailable'),
      99,
      'NewReplicaSetAvailable True 0',
    ],
  ]
  test.each(cases)('%s', (_, before, after, condition, second, wanted) => {
    const conditions = condition ? [condition] : []
    const web = deployment({ replicas: 3, deadline: 60, status: { ...before, conditions } })
    const result = rolloutConditions(web, { ...after, conditions }, fresh, [], t0 + second * 1000)
    expect(
      result.map(
        ({ reason, status, lastTransitionTime = '' }) =>
          `${reason} ${status} ${(Date.parse(lastTransitionTime) - t0) / 1000}`,
      ),
    ).toEqual([wanted])
  })

  test('the deadline stands still in a hold, and counts anew from its end', () => {
    const annotations = { 'gantry.dev/rollout-steps': '[{hold: 1, probe: http://web}]' }
    const old = [draftOf(replicaSet({ replicas: 2 }))]
    const ofStep = (passed: string) => {
      const set = replicaSet({ name: 'web-2', replicas: 1 })
      return draftOf({ ...set, metadata: { ...set.metadata, labels: { 'gantry.dev/rollout-steps-passed': passed } } })
    }
    const look = (conditions: DeploymentCondition[], passed: string, second: number) => {
      const status = { ...counts(3, 1, 3), conditions }
      const web = deployment({ replicas: 3, deadline: 60, annotations, status })
      const result = rolloutConditions(web, status, ofStep(passed), old, t0 + second * 1000)
      return {
        result: [...result],
        wait: untilDeadlineMs(web, { ...status, conditions: [...result] }, t0 + second * 1000),
      }
    }
    const held = look([going], '0', 500)
    expect(held.result).toMatchObject([{ reason: 'RolloutHeld', status: 'True', lastTransitionTime: at(0) }])
    expect(held.wait).toBeUndefined()
    const released = look(held.result, '1', 900)
    expect(released.result).toMatchObject([{ reason: 'ReplicaSetUpdated', lastUpdateTime: at(900) }])
    expect(released.wait).toBe(61_000)
  })

  test('every progress moves the deadline, though nothing else of the condition changes', () => {
    const web = deployment({ replicas: 3, status: { ...counts(3, 0, 3), conditions: [going] } })
    const [condition] = rolloutConditions(web, { ...counts(4, 1, 3), conditions: [going] }, fresh, [], t0 + 5000)
    expect(condition).toEqual({
      type: 'Progressing',
      status: 'True',
      reason: 'ReplicaSetUpdated',
      message: 'ReplicaSet "web-2" is progressing.',
      lastUpdateTime: at(5),
      lastTransitionTime: at(0),
    })
  })

  test('nobody waits: no condition', () => {
    const web = deployment({ replicas: 3, deadline: 2 ** 31 - 1, status: { ...counts(3, 0, 3), conditions: [going] } })
    expect(rolloutConditions(web, { ...counts(4, 1, 3), conditions: [going] }, fresh, [], t0)).toEqual([])
  })
})

describe('what keeps a set from its pods', () => {
  const failing = (name: string) => {
    const set = replicaSet({ name })
    set.status!.conditions = [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: name, lastTransitionTime: at(7) },
    ]
    return draftOf(set)
  }
  const web = deployment({ deadline: 2 ** 31 - 1, status: {} })
  const healthy = draftOf(replicaSet({ name: 'healthy' }))

  test.each([
    ['the new one counts first', failing('new'), [failing('old')], ['new']],
    ['an old one counts, too', healthy, [failing('old')], ['old']],
    ['none', healthy, [healthy], []],
  ])('%s', (_, fresh, old, messages) => {
    const before = [{ type: 'ReplicaFailure', status: 'False', message: 'long ago' }]
    const result = rolloutConditions(web, { conditions: before }, fresh, old, t0)
    expect(result.map(({ message }) => message)).toEqual(messages)
    if (messages.length > 0) expect(result[0]).toMatchObject({ lastUpdateTime: at(7), lastTransitionTime: at(7) })
  })
})

describe('a pause', () => {
  const status = (reason?: string) => ({ conditions: reason ? [progressing(reason)] : [] })
  test.each([
    ['begins', true, 'ReplicaSetUpdated', 'DeploymentPaused'],
    ['goes on', true, 'DeploymentPaused', 'DeploymentPaused'],
    ['ends', false, 'DeploymentPaused', 'DeploymentResumed'],
    ['has not been', false, 'ReplicaSetUpdated', 'ReplicaSetUpdated'],
    ['begins before anything', true, undefined, 'DeploymentPaused'],
    ['does not hide a failure', true, 'ProgressDeadlineExceeded', 'ProgressDeadlineExceeded'],
  ])('%s', (_, paused, before, after) => {
    const conditions = pauseCondition(deployment({ paused, status: status(before) }), t0)
    expect(conditions.map(({ reason }) => reason)).toEqual([after])
  })
})

describe('the next look at the deadline', () => {
  test.each([
    ['comes a second after it', 'ReplicaSetUpdated', 10, 51_000],
    ['comes soon when it has passed', 'ReplicaSetUpdated', 70, 1000],
    ['is not needed after a failure', 'ProgressDeadlineExceeded', 10, undefined],
  ])('%s', (_, reason, second, wait) => {
    const status = { ...counts(4, 1, 3), conditions: [progressing(reason)] }
    expect(untilDeadlineMs(deployment({ replicas: 3, deadline: 60 }), status, t0 + second * 1000)).toBe(wait)
  })

  test('is not needed in the end', () => {
    const status = { ...counts(3, 3, 3), conditions: [progressing('NewReplicaSetAvailable')] }
    expect(untilDeadlineMs(deployment({ replicas: 3, deadline: 60 }), status, t0)).toBeUndefined()
  })
})
