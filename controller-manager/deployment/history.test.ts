import { describe, expect, test } from 'vitest'
import { deployment, replicaSet } from '../testing/build.ts'
import { draftOf } from './draft.ts'
import { annotationsForRevision, lastRevision, maxRevision, surplusHistory } from './history.ts'

const name = (word: string) => `deployment.kubernetes.io/${word}`

describe('revisions', () => {
  test.each([
    ['none', [], 0, 0],
    ['one', [3], 3, 0],
    ['several', [1, 5, 3], 5, 3],
    ['one that makes no sense', [1, 'x', 3], 3, 1],
    ['one without', [undefined, 2], 2, 0],
    ['one beyond what a double holds', ['3546343826724305832', 1], 3546343826724305832n, 1],
    ['one beyond 64 bits', ['9223372036854775808', 1], 1, 0],
  ])('%s', (_, revisions, max, last) => {
    const sets = revisions.map((revision) => replicaSet(revision === undefined ? {} : { revision }))
    expect([maxRevision(sets), lastRevision(sets)]).toEqual([BigInt(max), BigInt(last)])
  })
})

describe('the annotations of the newest revision', () => {
  test.each([
    ['a set that is new', {}, {}, 1, { [name('revision')]: '1' }],
    ['a set that serves already', { [name('revision')]: '2' }, {}, 2, { [name('revision')]: '2' }],
    ['one that had a higher revision', { [name('revision')]: '7' }, {}, 2, { [name('revision')]: '7' }],
    [
      'one that served before',
      { [name('revision')]: '1' },
      {},
      3,
      { [name('revision')]: '3', [name('revision-history')]: '1' },
    ],
    [
      'one that served twice',
      { [name('revision')]: '3', [name('revision-history')]: '1' },
      {},
      5,
      { [name('revision')]: '5', [name('revision-history')]: '1,3' },
    ],
    ['nonsense is left', { [name('revision')]: 'x' }, {}, 2, { [name('revision')]: 'x' }],
    [
      "the deployment's are passed on, but not its own business",
      { gone: 'stays' },
      {
        'kubernetes.io/change-cause': 'because',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
        [name('revision')]: '9',
      },
      2,
      { gone: 'stays', 'kubernetes.io/change-cause': 'because', [name('revision')]: '2' },
    ],
  ])('%s', (_, own, annotations, revision, wanted) => {
    expect(annotationsForRevision(deployment({ annotations }), own, BigInt(revision))).toEqual(wanted)
  })

  test('the history keeps to 2,000 characters, and forgets the oldest', () => {
    const long = Array.from({ length: 500 }, (_, i) => String(1000 + i)).join(',')
    const own = { [name('revision')]: '2000', [name('revision-history')]: long }
    const history = annotationsForRevision(deployment(), own, 2001n)[name('revision-history')] ?? ''
    expect(history.length).toBeLessThanOrEqual(2000)
    expect(history.endsWith(',1499,2000')).toBe(true)
  })
})

describe('history beyond the limit', () => {
  const old = (revision: number, more: Parameters<typeof replicaSet>[0] = {}) =>
    draftOf(replicaSet({ name: `r${revision}`, revision, replicas: 0, created: 100 - revision, ...more }))
  test.each([
    ['none too many', 3, [old(1), old(2), old(3)], []],
    ['the lowest revisions go, whatever their age', 1, [old(3), old(1), old(2)], ['r1', 'r2']],
    ['all', 0, [old(1), old(2)], ['r1', 'r2']],
    ['not one that has pods', 0, [old(1, { has: 1 }), old(2)], ['r2']],
    ['not one that is to have pods', 0, [old(1, { replicas: 1, has: 0 }), old(2)], ['r2']],
    ['not one whose change has not been seen', 0, [old(1, { generation: 2, observed: 1 }), old(2)], ['r2']],
    ['one that is being deleted does not count', 1, [old(1, { deleted: 1 }), old(2)], []],
    ['no limit', 2 ** 31 - 1, [old(1), old(2)], []],
  ])('%s', (_, historyLimit, sets, gone) => {
    expect(surplusHistory(deployment({ historyLimit }), sets).map(({ set }) => set.metadata.name)).toEqual(gone)
  })
})
