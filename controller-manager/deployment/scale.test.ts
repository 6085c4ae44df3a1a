import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DeploymentSpec } from '../../api/generated/types.ts'
import { deployment, replicaSet } from '../testing/build.ts'
import { draftOf, totalReplicas } from './draft.ts'
import { planScale, sizeChanged } from './scale.ts'
import { maxSurge } from './sizes.ts'

const sized = (desired: number, max: number) => ({
  'deployment.kubernetes.io/desired-replicas': String(desired),
  'deployment.kubernetes.io/max-replicas': String(max),
})

describe('scaling', () => {
  // replicas before → after, surge; sizes new, old (newest first) → sizes wanted
  type Case = [string, number, number, number, number | undefined, number[], number | undefined, number[]]
  const cases: Case[] = [
    ['up: the only set gets all', 10, 12, 0, 10, [], 12, []],
    ['down: the same', 10, 5, 0, 10, [], 5, []],
    ['in the middle: each its share', 10, 12, 0, 5, [5], 6, [6]],
    ['down in the middle', 10, 5, 0, 5, [5], 3, [2]],
    ['what is left over goes to the largest', 10, 20, 0, 5, [3, 2], 10, [6, 4]],
    ['down, with more than two', 10, 5, 0, 5, [3, 2], 2, [2, 1]],
    ['up with sets of one size: the newer gets more', 10, 13, 0, 5, [5], 7, [6]],
    ['down, by more than the largest has left', 20, 1, 2, 4, [4, 4, 4, 4], 1, [1, 1, 0, 0]],
    ['to nothing', 10, 0, 0, 3, [3, 4], 0, [0, 0]],
    ['from nothing: the new set', 0, 6, 0, 0, [0, 0], 6, [0, 0]],
    ['from nothing without a new one: the newest of the old', 0, 6, 0, undefined, [0, 0], undefined, [6, 0]],
    ['with a surge, the surge grows as well', 10, 20, 2, 6, [6], 11, [11]],
    ['one old set only', 10, 15, 0, undefined, [10], undefined, [15]],
  ]
  test.each(cases)('%s', (_, before, after, surge, fresh, old, freshWanted, oldWanted) => {
    const annotations = sized(before, before + surge)
    const web = deployment({ replicas: after, surge, unavailable: 1, status: { replicas: before } })
    const draft = (name: string, replicas: number, created: number) =>
      draftOf(replicaSet({ name, replicas, available: 0, created, annotations }))
    const plan = planScale(
      web,
      fresh === undefined ? undefined : draft('new', fresh, 100),
      old.map((size, i) => draft(`old-${i}`, size, 50 - i)),
    )
    expect([plan.fresh?.replicas, plan.old.map(({ replicas }) => replicas)]).toEqual([freshWanted, oldWanted])
  })

  test('an available new set of full size ends the old ones', () => {
    const fresh = draftOf(replicaSet({ name: 'new', replicas: 3, annotations: sized(3, 4), created: 9 }))
    const old = [draftOf(replicaSet({ name: 'old', replicas: 2, annotations: sized(3, 4) }))]
    const plan = planScale(deployment({ replicas: 3 }), fresh, old)
    expect(plan.old.map(({ replicas }) => replicas)).toEqual([0])
  })

  test('the sets remember the size they were made for', () => {
    const web = deployment({ replicas: 12, surge: 2 })
    const plan = planScale(web, draftOf(replicaSet({ replicas: 10, annotations: sized(10, 12) })), [])
    expect(plan.fresh?.annotations).toMatchObject(sized(12, 14))
    expect(sizeChanged(web.spec as DeploymentSpec, [plan.fresh!])).toBe(false)
  })

  test('a set that has the size, but remembers another, learns it', () => {
    const web = deployment({ replicas: 5 })
    const draft = draftOf(replicaSet({ replicas: 5, annotations: sized(3, 4) }))
    expect(sizeChanged(web.spec as DeploymentSpec, [draft])).toBe(true)
    const { fresh } = planScale(web, draft, [])
    expect(sizeChanged(web.spec as DeploymentSpec, [fresh!])).toBe(false)
  })

  test('whatever the sizes, all sets together have size and surge, and none is negative', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 10 }), (all, after, surge) => {
        const before = all.reduce((total, size) => total + size, 0)
        const drafts = all.map((replicas, i) =>
          draftOf(
            replicaSet({ name: `s${i}`, created: i, replicas, available: 0, annotations: sized(before, before) }),
          ),
        )
        const web = deployment({ replicas: after, surge, unavailable: 1 })
        const plan = planScale(web, drafts[0], drafts.slice(1))
        const result = [plan.fresh!, ...plan.old]
        expect(result.every(({ replicas }) => replicas >= 0)).toBe(true)
        expect(totalReplicas(result)).toBe(after === 0 ? 0 : after + maxSurge(web.spec as DeploymentSpec))
      }),
    )
  })
})
