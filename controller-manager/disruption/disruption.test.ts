import { afterEach, describe, expect, test } from 'vitest'
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { deployments, podDisruptionBudgets, pods, replicaSets } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { at, deployment, depsFor, pod, replicaSet, t0 } from '../testing/build.ts'
import { newDisruptionController } from './controller.ts'
import { planBudget } from './plan.ts'

const budget = (spec: PodDisruptionBudgetSpec, status: PodDisruptionBudgetStatus = {}): Live<PodDisruptionBudget> => ({
  metadata: { name: 'b', namespace: 'default', generation: 1 },
  spec,
  status,
})

describe('a budget', () => {
  const some = (ready: number, other = 0) => [
    ...Array.from({ length: ready }, (_, i) => pod({ name: `r${i}`, ready: 0 })),
    ...Array.from({ length: other }, (_, i) => pod({ name: `n${i}` })),
  ]
  const scaleOf = (replicas: number) => () => ({ uid: 'x', replicas })

  // spec, pods ready and not ready, replicas wanted → healthy, desired, expected, allowed
  test.each([
    [{ minAvailable: 2 }, 3, 0, 3, [3, 2, 3, 1]],
    [{ minAvailable: 2 }, 1, 2, 3, [1, 2, 3, 0]],
    [{ minAvailable: '50%' }, 3, 0, 5, [3, 3, 5, 0]],
    [{ maxUnavailable: 1 }, 3, 0, 3, [3, 2, 3, 1]],
    [{ maxUnavailable: 1 }, 2, 1, 3, [2, 2, 3, 0]],
    [{ maxUnavailable: '30%' }, 10, 0, 10, [10, 7, 10, 3]],
    [{ maxUnavailable: 5 }, 3, 0, 3, [3, 0, 3, 3]],
    [{ maxUnavailable: 1 }, 0, 0, 3, [0, 0, 0, 0]],
  ])('%j with %i ready, %i not, of %i', (spec, ready, other, replicas, wanted) => {
    const { status } = planBudget(budget(spec), some(ready, other), scaleOf(replicas), t0)
    expect([status.currentHealthy, status.desiredHealthy, status.expectedPods, status.disruptionsAllowed]).toEqual(
      wanted,
    )
    expect(status.conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: (wanted[3] as number) > 0 ? 'True' : 'False' },
    ])
  })

  test('counts a granted eviction as gone, for two minutes', () => {
    const one = budget({ minAvailable: 1 }, { disruptedPods: { r0: at(0), gone: at(0) } })
    const early = planBudget(one, some(3), scaleOf(3), t0 + 60_000)
    expect(early.status).toMatchObject({ currentHealthy: 2, disruptedPods: { r0: at(0) } })
    expect(early.requeueAfterMs).toBe(60_001)
    expect(planBudget(one, some(3), scaleOf(3), t0 + 120_001).status).toMatchObject({ currentHealthy: 3 })
  })

  test('does not count pods that leave', () => {
    const leaving = pod({ name: 'l', ready: 0, deleted: 1 })
    expect(planBudget(budget({ minAvailable: 1 }), [leaving, ...some(1)], scaleOf(2), t0).status.currentHealthy).toBe(1)
  })
})

describe('the disruption controller', () => {
  const stop = new AbortController()
  afterEach(() => stop.abort())

  test('follows pods and the size of their deployment', async () => {
    const clock = new FakeClock()
    const api = new MemoryApi({ clock })
    const informers = new InformerFactory(api, { clock })
    const { deps } = depsFor(api, informers, clock)
    const controller = newDisruptionController(deps)
    const web = await api.create(deployments, deployment({ replicas: 2 }))
    const made = replicaSet({ replicas: 2 })
    made.metadata.ownerReferences![0]!.uid = web.metadata.uid ?? ''
    const set = await api.create(replicaSets, made)
    const owner = { kind: 'ReplicaSet', name: set.metadata.name, uid: set.metadata.uid ?? '' }
    for (const name of ['a', 'b']) await api.create(pods, pod({ name, ready: 0, owner, labels: { app: 'web' } }))
    await api.create(podDisruptionBudgets, budget({ maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } }))
    await informers.start(stop.signal)
    runController(controller, { signal: stop.signal }).catch(() => {})
    const status = () => api.objects(podDisruptionBudgets)[0]?.status
    await clock.advance(100)
    expect(status()).toMatchObject({ currentHealthy: 2, expectedPods: 2, disruptionsAllowed: 1 })
    await api.delete(pods, { namespace: 'default', name: 'a' })
    await clock.advance(100)
    expect(status()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 })
    api.edit(deployments, { namespace: 'default', name: 'web' }, ({ spec }) => {
      spec!.replicas = 1
    })
    await clock.advance(100)
    expect(status()).toMatchObject({ desiredHealthy: 0, expectedPods: 1, disruptionsAllowed: 1 })
  })
})
