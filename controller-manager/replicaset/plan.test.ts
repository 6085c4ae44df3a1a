import { describe, expect, test } from 'vitest'
import { pod, replicaSet, t0 } from '../testing/build.ts'
import { planReplicas } from './plan.ts'
import { replicaStatus, statusDiffers } from './status.ts'

const some = (count: number) => Array.from({ length: count }, (_, i) => pod({ name: `p${i}` }))

describe('what is to be done', () => {
  test.each([
    ['nothing when the number is right', 3, 3, { do: 'nothing' }],
    ['nothing for nothing', 0, 0, { do: 'nothing' }],
    ['what is missing is created', 5, 3, { do: 'create', count: 2 }],
    ['at most 500 at once', 600, 3, { do: 'create', count: 500 }],
  ])('%s', (_, desired, has, plan) => {
    expect(planReplicas({ desired, pods: some(has), related: () => [], nowMs: t0 })).toEqual(plan)
  })

  test.each([
    ['what is too many is deleted', 1, 3, 2],
    ['all, for none', 0, 3, 3],
    ['at most 500 at once', 0, 600, 500],
  ])('%s', (_, desired, has, deleted) => {
    const plan = planReplicas({ desired, pods: some(has), related: () => [], nowMs: t0 })
    expect(plan.do === 'delete' && plan.pods).toHaveLength(deleted)
  })
})

describe('the status', () => {
  const web = { app: 'web', 'pod-template-hash': 'web-1' }
  const statusOf = (set: ReturnType<typeof replicaSet>, more: Partial<Parameters<typeof replicaStatus>[0]> = {}) =>
    replicaStatus({ object: set, active: [], terminating: 0, failure: undefined, nowMs: t0 + 100_000, ...more })

  test('counts pods, those with all labels of the template, ready and available ones', () => {
    const set = replicaSet({ generation: 7 })
    set.spec!.minReadySeconds = 10
    const active = [
      pod({ labels: web, ready: 90 }),
      pod({ labels: { ...web, more: 'x' }, ready: 95 }),
      pod({ labels: { app: 'web' } }),
    ]
    expect(statusOf(set, { active, terminating: 2 })).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 2,
      observedGeneration: 7,
    })
  })

  test.each([
    ['creating', 3, 'FailedCreate'],
    ['deleting', 0, 'FailedDelete'],
  ])('tells what stands in the way of %s', (_, replicas, reason) => {
    const status = statusOf(replicaSet({ replicas }), { active: [pod()], failure: new Error('quota') })
    expect(status.conditions).toEqual([
      { type: 'ReplicaFailure', status: 'True', reason, message: 'quota', lastTransitionTime: '2026-01-01T00:01:40Z' },
    ])
  })

  const failed = replicaSet({ replicas: 3 })
  failed.status!.conditions = [
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota', lastTransitionTime: 'then' },
    { type: 'Other', status: 'True' },
  ]

  test('keeps the first failure while there is one', () => {
    expect(statusOf(failed, { failure: new Error('another') }).conditions).toEqual(failed.status?.conditions)
  })

  test('forgets it when all is well', () => {
    expect(statusOf(failed).conditions).toEqual([{ type: 'Other', status: 'True' }])
  })

  test('says nothing of terminating pods for kinds that do not', () => {
    expect(statusOf(replicaSet(), { terminating: undefined })).not.toHaveProperty('terminatingReplicas')
  })

  test('differs only where it says something else', () => {
    const set = replicaSet({ status: { replicas: 0, terminatingReplicas: 0, observedGeneration: 1 } })
    expect(statusDiffers(set, statusOf(set))).toBe(false)
    expect(statusDiffers(set, statusOf(set, { terminating: 1 }))).toBe(true)
    expect(statusDiffers(set, statusOf(set, { failure: new Error('x') }))).toBe(true)
  })
})
