import { describe, expect, test } from 'vitest'
import type { DeploymentSpec } from '../../api/generated/types.ts'
import { deployment, replicaSet } from '../testing/build.ts'
import { draftOf } from './draft.ts'
import { planRolling } from './rolling.ts'
import { maxSurge, maxUnavailable } from './sizes.ts'

const specOf = (facts: Parameters<typeof deployment>[0]) => deployment(facts).spec as DeploymentSpec

describe('surge and unavailable', () => {
  test.each([
    [10, 3, 2, 3, 2],
    [10, '25%', '25%', 3, 2],
    [3, '25%', '25%', 1, 0],
    [1, '25%', '25%', 1, 0],
    [2, 0, '1%', 0, 1],
    [1, 0, '1%', 0, 1],
    [2, '1%', '25%', 1, 0],
    [2, '1%', 0, 1, 0],
    [4, 0, '200%', 0, 4],
    [0, '25%', '25%', 0, 0],
  ])('%i replicas, %s and %s: %i and %i', (replicas, surge, unavailable, most, missing) => {
    const spec = specOf({ replicas, surge, unavailable })
    expect([maxSurge(spec), maxUnavailable(spec)]).toEqual([most, missing])
  })

  test('nothing but a rolling update has any', () => {
    const spec = specOf({ replicas: 10, recreate: true })
    expect([maxSurge(spec), maxUnavailable(spec)]).toEqual([0, 0])
  })
})

describe('a step of a rolling update', () => {
  // [replicas, surge, unavailable], new [replicas, available], old sets [replicas, available]… → new, old…
  type Case = [string, [number, number, number], [number, number], [number, number][], number, number[]]
  const cases: Case[] = [
    ['starts with the surge', [3, 1, 0], [0, 0], [[3, 3]], 1, [3]],
    ['waits for the new pod', [3, 1, 0], [1, 0], [[3, 3]], 1, [3]],
    ['takes an old one away for each new one that is available', [3, 1, 0], [1, 1], [[3, 3]], 1, [2]],
    ['goes on up when there is room', [3, 1, 0], [1, 1], [[2, 2]], 2, [2]],
    ['never exceeds the size', [3, 5, 0], [0, 0], [[3, 3]], 3, [3]],
    ['takes old ones first where no surge is allowed', [3, 0, 1], [0, 0], [[3, 3]], 0, [2]],
    ['fills what was freed', [3, 0, 1], [0, 0], [[2, 2]], 1, [2]],
    ['ends with no old ones', [3, 1, 0], [3, 3], [[1, 1]], 3, [0]],
    ['has nothing to do in the end', [3, 1, 0], [3, 3], [[0, 0]], 3, [0]],
    ['shrinks a new set that is too large', [3, 1, 0], [5, 5], [], 3, []],
    ['takes broken old pods away at once', [10, 0, 2], [0, 0], [[10, 4]], 0, [8]],
    ['does not touch good pods while new ones fail', [10, 3, 2], [5, 0], [[8, 8]], 5, [8]],
    ['nor when an old one fails as well', [10, 3, 2], [5, 0], [[8, 7]], 5, [8]],
    ['after going back, takes away what failed', [10, 3, 2], [8, 7], [[5, 0]], 8, [1]],
    [
      'takes from the oldest first',
      [4, 1, 1],
      [2, 2],
      [
        [2, 2],
        [1, 1],
      ],
      2,
      [0, 1],
    ],
    [
      'takes broken ones of all old sets before good ones',
      [4, 2, 0],
      [2, 2],
      [
        [2, 2],
        [2, 0],
      ],
      2,
      [2, 0],
    ],
  ]
  test.each(cases)('%s', (_, [replicas, surge, unavailable], fresh, old, freshWanted, oldWanted) => {
    const spec = specOf({ replicas, surge, unavailable })
    const draft = (name: string, [size, available]: [number, number], created: number) =>
      draftOf(replicaSet({ name, replicas: size, available, created }))
    const plan = planRolling(spec, {
      fresh: draft('new', fresh, 100),
      old: old.map((one, i) => draft(`old-${i}`, one, i)),
    })
    const sizes = new Map(plan.old.map((one) => [one.set.metadata.name, one.replicas]))
    expect([plan.fresh.replicas, old.map((_, i) => sizes.get(`old-${i}`))]).toEqual([freshWanted, oldWanted])
  })
})
