import { describe, expect, test } from 'vitest'
import type { Pod, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { at, deployment, pod, replicaSet, t0 } from '../testing/build.ts'
import { crashLoop } from './crash-loop.ts'
import { planRollout, type RolloutPlan } from './plan.ts'

type State = 'available' | 'settled' | 'failed'

const set = (image: string, revision: number, state?: State): Live<ReplicaSet> => {
  const made = replicaSet({ name: `web-${image}`, image, revision, created: revision })
  return state ? { ...made, metadata: { ...made.metadata, labels: { 'gantry.dev/revision': state } } } : made
}
const running = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 }
const late = {
  observedGeneration: 1,
  conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too late' }],
}
const looping = (restarts = 2, reason = 'CrashLoopBackOff'): Live<Pod> => {
  const crash = { name: 'c', image: '', imageID: '', ready: false, restartCount: restarts }
  const last = { terminated: { exitCode: 3, reason: 'Error' } }
  return {
    ...pod({ name: 'web-x' }),
    status: { containerStatuses: [{ ...crash, state: { waiting: { reason } }, lastState: last }] },
  }
}

/** What is done, in short: `rollback v2 → v1: why`. */
function said(plan: RolloutPlan): string {
  const image = ({ metadata }: Live<ReplicaSet>) => metadata.name.slice('web-'.length)
  switch (plan.do) {
    case 'nothing':
      return plan.requeueAfterMs === undefined ? 'nothing' : `wait ${plan.requeueAfterMs}`
    case 'mark':
      return `mark ${image(plan.set)} ${plan.state}`
    case 'rollback':
      return `rollback ${image(plan.from)} to ${image(plan.to)}: ${plan.failure.reason}`
    case 'analyse':
      return `analyse step ${plan.hold.index} at ${plan.hold.replicas}`
    case 'complain':
      return `complain: ${plan.failure.reason}`
  }
}

interface Case {
  image?: string
  states: (State | undefined)[]
  status?: object
  pods?: Live<Pod>[]
  paused?: boolean
  generation?: number
}

/** Revisions v1, v2, … in these states; the deployment wants the last, or `image`. */
const plan = ({ states, image = `v${states.length}`, status = {}, pods = [], ...facts }: Case): string =>
  said(
    planRollout({
      deployment: deployment({ image, status: { observedGeneration: 1, ...status }, ...facts }),
      sets: states.map((state, i) => set(`v${i + 1}`, i + 1, state)),
      podsOf: ({ metadata }) => (metadata.name === `web-${image}` ? pods : []),
      nowMs: t0 + 90_000,
    }),
  )

describe('a rollout that minds itself', () => {
  test.each<[string, Case, string]>([
    ['is marked when it is complete', { states: [undefined], status: running }, 'mark v1 available'],
    ['waits while it is not', { states: ['available', undefined] }, 'nothing'],
    ['is looked at again', { states: ['available'], status: running, pods: [pod({ ready: 50 })] }, 'wait 20000'],
    ['settles', { states: ['available'], status: running, pods: [pod({ ready: 20 })] }, 'mark v1 settled'],
    ['needs all its pods for that', { states: ['available'], status: running, pods: [pod()] }, 'nothing'],
    ['is left alone then', { states: ['settled'], status: running, pods: [looping()] }, 'nothing'],
    [
      'goes back from a crash loop',
      { states: ['settled', undefined], pods: [looping()] },
      'rollback v2 to v1: CrashLoop',
    ],
    [
      'goes back though it was available for a moment',
      { states: ['settled', 'available'], status: running, pods: [looping()] },
      'rollback v2 to v1: CrashLoop',
    ],
    [
      'goes back when it is late',
      { states: ['available', undefined], status: late },
      'rollback v2 to v1: ProgressDeadlineExceeded',
    ],
    ['knows lateness of another revision', { states: ['available', 'failed'], image: 'v1', status: late }, 'nothing'],
    [
      'goes back to the newest that was available',
      { states: ['settled', 'available', 'failed', undefined], status: late },
      'rollback v4 to v2: ProgressDeadlineExceeded',
    ],
    ['is not tried again', { states: ['settled', 'failed'], status: running }, 'rollback v2 to v1: FailedBefore'],
    ['has nowhere to go', { states: ['failed', undefined], status: late }, 'complain: ProgressDeadlineExceeded'],
    ['may be paused', { states: ['settled', undefined], status: late, paused: true }, 'nothing'],
    ['must have been observed', { states: ['settled', undefined], status: late, generation: 2 }, 'nothing'],
    ['must have its set', { states: ['settled'], image: 'v2', status: late }, 'nothing'],
  ])('%s', (_, facts, wanted) => expect(plan(facts)).toBe(wanted))
})

describe('a crash loop', () => {
  test('is told with the container and its end', () => {
    expect(crashLoop(looping())).toBe('container c of pod web-x crashes again and again (exit code 3)')
  })

  test.each([
    ['one restart', looping(1)],
    ['another reason to wait', looping(5, 'ImagePullBackOff')],
    ['a pod that leaves', { ...looping(), metadata: { name: 'x', deletionTimestamp: at(0) } }],
    ['a pod that runs', pod({ ready: 0, restarts: 7 })],
  ])('is not %s', (_, candidate) => expect(crashLoop(candidate)).toBeUndefined())
})
