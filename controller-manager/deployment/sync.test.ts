import { describe, expect, test } from 'vitest'
import { at, deployment, pod, replicaSet, t0 } from '../testing/build.ts'
import { type Plan, planDeployment, type World } from './sync.ts'

const sized = (desired: number, max: number) => ({
  'deployment.kubernetes.io/desired-replicas': String(desired),
  'deployment.kubernetes.io/max-replicas': String(max),
})
const plan = (world: Partial<World> & Pick<World, 'deployment'>): Plan =>
  planDeployment({ sets: [], podsOf: () => [], nowMs: t0 + 10_000, ...world })

/** `create web-…=3`, `update web-1=2`, `delete web-1`. */
const told = ({ steps }: Plan) =>
  steps.map((step) =>
    step.do === 'rollback'
      ? `rollback: ${step.rollback.event.message}`
      : `${step.do} ${step.draft.exists ? step.draft.set.metadata.name : 'new'}${step.do === 'delete' ? '' : `=${step.draft.replicas}`}`,
  )
const conditionsOf = ({ status }: Plan) =>
  (status.conditions ?? []).map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)

const v1 = (replicas: number, more: Parameters<typeof replicaSet>[0] = {}) =>
  replicaSet({ name: 'web-1', image: 'v1', revision: 1, replicas, annotations: sized(3, 4), ...more })
const v2 = (replicas: number, more: Parameters<typeof replicaSet>[0] = {}) =>
  replicaSet({ name: 'web-2', image: 'v2', revision: 2, replicas, created: 5, annotations: sized(3, 4), ...more })
const done = {
  observedGeneration: 1,
  replicas: 3,
  updatedReplicas: 3,
  readyReplicas: 3,
  availableReplicas: 3,
  terminatingReplicas: 0,
  conditions: [
    {
      type: 'Available',
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
      lastUpdateTime: at(1),
      lastTransitionTime: at(1),
    },
    {
      type: 'Progressing',
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: '',
      lastUpdateTime: at(1),
      lastTransitionTime: at(1),
    },
  ],
}

describe('a deployment', () => {
  test('that is new gets its first set at full size, as revision 1', () => {
    const result = plan({ deployment: deployment({ replicas: 3 }) })
    expect(told(result)).toEqual(['create new=3'])
    expect(result.revision).toBe('1')
    expect(conditionsOf(result)).toEqual([
      'Progressing=True NewReplicaSetCreated',
      'Available=False MinimumReplicasUnavailable',
    ])
    const [step] = result.steps
    expect(step?.do === 'create' && step.draft.set.metadata).toMatchObject({
      name: expect.stringMatching(/^web-[a-z0-9]+$/),
      ownerReferences: [{ kind: 'Deployment', name: 'web', uid: 'web', controller: true, blockOwnerDeletion: true }],
    })
    expect(step?.do === 'create' && step.draft.annotations).toEqual({
      'deployment.kubernetes.io/revision': '1',
      ...sized(3, 4),
    })
  })

  test('that is done has nothing to do and nothing to say', () => {
    const web = deployment({ replicas: 3, status: done })
    const result = plan({ deployment: web, sets: [v1(3)] })
    expect(result).toMatchObject({ steps: [], status: done, revision: '1', requeueAfterMs: undefined })
  })

  test('of a new template starts a set beside the old one', () => {
    const result = plan({ deployment: deployment({ image: 'v2', replicas: 3, status: done }), sets: [v1(3)] })
    expect(told(result)).toEqual(['create new=1'])
    expect(result.revision).toBe('2')
    expect(result.status).toMatchObject({ replicas: 3, availableReplicas: 3, unavailableReplicas: 1 })
    expect(result.status).not.toHaveProperty('updatedReplicas')
    expect(conditionsOf(result)).toContain('Progressing=True NewReplicaSetCreated')
    expect(result.requeueAfterMs).toBe(601_000)
  })

  test('that goes back takes the old set up again, under a new revision', () => {
    const web = deployment({ image: 'v1', replicas: 3, status: done })
    const result = plan({ deployment: web, sets: [v1(0), v2(3)] })
    expect(told(result)).toEqual(['update web-1=1'])
    expect(result.revision).toBe('3')
    const [step] = result.steps
    expect(step?.do === 'update' && step.draft.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    })
  })

  test('passes on minReadySeconds and annotations to its newest set', () => {
    const web = deployment({ replicas: 3, status: done, annotations: { team: 'a' } })
    web.spec!.minReadySeconds = 5
    const [step] = plan({ deployment: web, sets: [v1(3)] }).steps
    expect(step).toMatchObject({ do: 'update', draft: { minReadySeconds: 5, annotations: { team: 'a' } } })
  })

  test('of several sets with the template takes the oldest', () => {
    const twin = replicaSet({ name: 'web-0', image: 'v1', created: 9, replicas: 0 })
    const result = plan({ deployment: deployment({ replicas: 3, status: done }), sets: [twin, v1(3)] })
    expect(told(result)).toEqual([])
  })

  test('of another size is scaled before anything is rolled out', () => {
    const web = deployment({ image: 'v2', replicas: 6, status: done })
    expect(told(plan({ deployment: web, sets: [v1(3)] }))).toEqual(['update web-1=6'])
  })

  test('that got its deadline late begins to count now', () => {
    const web = deployment({ replicas: 3, status: { ...done, conditions: [] } })
    const result = plan({ deployment: web, sets: [v1(3, { available: 2 })] })
    expect(conditionsOf(result)).toContain('Progressing=True FoundNewReplicaSet')
  })

  test('that is being deleted is only counted', () => {
    const web = deployment({ image: 'v2', replicas: 3, status: done })
    web.metadata.deletionTimestamp = at(9)
    const result = plan({ deployment: web, sets: [v1(3)] })
    expect(told(result)).toEqual([])
    expect(result.status).toMatchObject({ replicas: 3, availableReplicas: 3 })
  })

  test('adds up terminating pods, unless a set does not tell', () => {
    const web = deployment({ replicas: 3, status: done })
    const set = v1(3)
    set.status!.terminatingReplicas = 2
    expect(plan({ deployment: web, sets: [set, v2(0)] }).status.terminatingReplicas).toBe(2)
    delete set.status!.terminatingReplicas
    expect(plan({ deployment: web, sets: [set, v2(0)] }).status).not.toHaveProperty('terminatingReplicas')
  })

  test('forgets old revisions when it is done, and not before', () => {
    const web = deployment({ image: 'v2', replicas: 3, historyLimit: 0, status: done })
    expect(told(plan({ deployment: web, sets: [v1(0), v2(3)] }))).toEqual(['delete web-1'])
    const going = { ...web, status: { ...done, updatedReplicas: 2 } }
    expect(told(plan({ deployment: going, sets: [v1(0), v2(3)] }))).toEqual([])
  })
})

describe('a paused deployment', () => {
  const paused = (facts: Parameters<typeof deployment>[0]) =>
    deployment({ paused: true, replicas: 3, status: done, ...facts })

  test('rolls nothing out', () => {
    const result = plan({ deployment: paused({ image: 'v2' }), sets: [v1(3)] })
    expect(told(result)).toEqual([])
    expect(conditionsOf(result)).toContain('Progressing=Unknown DeploymentPaused')
  })

  test('is scaled all the same', () => {
    expect(told(plan({ deployment: paused({ image: 'v2', replicas: 5 }), sets: [v1(3)] }))).toEqual(['update web-1=5'])
  })

  test('forgets old revisions', () => {
    const web = paused({ image: 'v2', historyLimit: 0 })
    expect(told(plan({ deployment: web, sets: [v1(0), v2(3)] }))).toEqual(['delete web-1'])
  })
})

describe('recreating', () => {
  const web = deployment({ image: 'v2', replicas: 3, recreate: true, status: done })

  test('ends the old set first', () => {
    expect(told(plan({ deployment: web, sets: [v1(3)] }))).toEqual(['update web-1=0'])
  })

  test.each([
    ['that are counted', v1(0, { has: 1 }), []],
    ['that are being deleted', v1(0), [pod({ deleted: 1 })]],
  ])('waits for old pods %s', (_, old, pods) => {
    expect(told(plan({ deployment: web, sets: [old], podsOf: () => pods }))).toEqual([])
  })

  test('goes on when the old pods are gone or have ended', () => {
    const podsOf = () => [pod({ phase: 'Failed' }), pod({ phase: 'Succeeded', deleted: 1 })]
    expect(told(plan({ deployment: web, sets: [v1(0)], podsOf }))).toEqual(['create new=3'])
  })

  test('takes an old set up again', () => {
    const again = deployment({ image: 'v1', replicas: 3, recreate: true, status: done })
    expect(told(plan({ deployment: again, sets: [v1(0), v2(0)] }))).toEqual(['update web-1=3'])
  })
})

describe('a rollback asked for by annotation', () => {
  const ask = (revision: string, facts: Parameters<typeof deployment>[0] = {}) =>
    deployment({
      image: 'v2',
      replicas: 3,
      status: done,
      annotations: { 'deprecated.deployment.rollback.to': revision, 'kubernetes.io/change-cause': 'v2' },
      ...facts,
    })
  const sets = [v1(0, { annotations: { ...sized(3, 4), 'kubernetes.io/change-cause': 'v1' } }), v2(3)]

  test.each([
    ['to a revision', ask('1'), 'Rolled back deployment "web" to revision 1'],
    ['to the one before', ask('0'), 'Rolled back deployment "web" to revision 1'],
    ['to one that is not there', ask('7'), 'Unable to find the revision to rollback to.'],
    ['to the present one', ask('2'), 'The rollback revision contains the same template as current deployment "web"'],
  ])('%s', (_, web, message) => {
    expect(told(plan({ deployment: web, sets })).at(-1)).toBe(`rollback: ${message}`)
  })

  test('brings template and annotations back, and the request is gone', () => {
    const step = plan({ deployment: ask('1'), sets }).steps.at(-1)
    expect(step?.do === 'rollback' && step.rollback.deployment).toMatchObject({
      metadata: { annotations: { 'kubernetes.io/change-cause': 'v1' } },
      spec: { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ image: 'v1' }] } } },
    })
    const annotations = step?.do === 'rollback' ? step.rollback.deployment.metadata.annotations : {}
    expect(annotations).not.toHaveProperty(['deprecated.deployment.rollback.to'])
  })

  test('the present template is made a revision first', () => {
    const result = plan({ deployment: ask('0', { image: 'v3' }), sets })
    expect(told(result).at(-1)).toBe('rollback: Rolled back deployment "web" to revision 2')
  })

  test('without any other there is none', () => {
    expect(told(plan({ deployment: ask('0'), sets: [v2(3)] })).at(-1)).toBe('rollback: Unable to find last revision.')
  })
})
