import { describe, expect, test } from 'vitest'
import type { DaemonSet, Deployment, StatefulSet } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { daemonSetRollout, deploymentRollout, statefulSetRollout } from './rollout.ts'

const deployment = (spec: object, status: object, generation = 1) =>
  ({ metadata: { generation }, spec, status: { observedGeneration: 1, ...status } }) as unknown as Stored<Deployment>
const counts = (replicas: number, updatedReplicas: number, readyReplicas: number) => ({
  replicas,
  updatedReplicas,
  readyReplicas,
})

describe('a deployment', () => {
  test.each<[string, object, object, string, string]>([
    ['has what it wants', { replicas: 3 }, counts(3, 3, 3), 'good', 'As wanted'],
    ['rolls out', { replicas: 4 }, counts(5, 2, 4), 'busy', 'Rolling out, 2 of 4'],
    ['waits for the last old pods', { replicas: 2 }, counts(3, 2, 3), 'busy', 'Rolling out, 2 of 2'],
    ['waits for its pods', { replicas: 3 }, counts(3, 3, 1), 'busy', '1 of 3 ready'],
    ['has none that is ready', { replicas: 3 }, counts(3, 3, 0), 'bad', '0 of 3 ready'],
    ['has too many', { replicas: 1 }, counts(3, 3, 3), 'busy', 'Scaling down'],
    ['sleeps', { replicas: 0 }, counts(0, 0, 0), 'over', 'Scaled to zero'],
    ['is paused', { replicas: 1, paused: true }, counts(1, 1, 1), 'busy', 'Paused'],
    [
      'does not get on',
      { replicas: 2 },
      {
        ...counts(3, 1, 2),
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      },
      'bad',
      'Does not get on',
    ],
  ])('that %s', (_, spec, status, health, state) => {
    expect(deploymentRollout(deployment(spec, status))).toMatchObject({ health, state })
  })

  test('whose change nobody has seen yet', () => {
    expect(deploymentRollout(deployment({ replicas: 3 }, counts(3, 3, 3), 2)).state).toBe('About to change')
  })

  test('that rolls out has new pods that are ready, those that are not, and old ones', () => {
    expect(deploymentRollout(deployment({ replicas: 4 }, counts(5, 3, 4)))).toMatchObject({
      updated: 3,
      updatedReady: 2,
      old: 2,
    })
  })
})

test('a stateful set of one revision has no old pods', () => {
  const set = {
    metadata: { generation: 1 },
    spec: { replicas: 2 },
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, currentRevision: 'a', updateRevision: 'a' },
  }
  expect(statefulSetRollout(set as unknown as Stored<StatefulSet>)).toMatchObject({ state: 'As wanted', old: 0 })
  const rolling = { ...set, status: { ...set.status, updateRevision: 'b', updatedReplicas: 1 } }
  expect(statefulSetRollout(rolling as unknown as Stored<StatefulSet>)).toMatchObject({ updated: 1, old: 1 })
})

test('a daemon set wants a pod on each of its nodes', () => {
  const status = {
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    updatedNumberScheduled: 1,
    numberReady: 3,
  }
  const set = { metadata: { generation: 1 }, status } as unknown as Stored<DaemonSet>
  expect(daemonSetRollout(set)).toMatchObject({ desired: 3, old: 2, state: 'Rolling out, 1 of 3' })
})
