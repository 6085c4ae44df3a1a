import { expect, it } from 'vitest'
import { revisionAtTime } from './commit-search.ts'
import type { Current } from './contract.ts'
import { put, remove } from './contract-tools.ts'
import type { Version } from './store.ts'

/** What a store tells of its past: who made which commit when, and what stood at a key. */
export function historyContract(current: Current): void {
  it('says who made a commit, and when', async () => {
    const { store, subject } = current()
    const before = Date.now()
    const first = await store.commit([put('/a', '1', 'absent')], { user: 'ann', manager: 'kubectl' })
    const second = await store.commit([put('/a', '2', first)], { user: 'bob', subresource: 'status' })
    const third = await store.commit([remove('/a', second)], { user: 'ann' })
    const nobody = await store.commit([put('/b', '1', 'any')])
    const reopened = await subject.reopen()
    const commits = await Promise.all([first, second, third, nobody].map((at) => reopened.commitAt(at)))
    expect(commits.map((commit) => [commit?.revision, commit?.author])).toEqual([
      [first, { user: 'ann', manager: 'kubectl' }],
      [second, { user: 'bob', subresource: 'status' }],
      [third, { user: 'ann' }],
      [nobody, undefined],
    ])
    for (const commit of commits) {
      expect(commit?.timeMs).toBeGreaterThanOrEqual(before)
      expect(commit?.timeMs).toBeLessThanOrEqual(Date.now())
    }
  })

  it('tells every version of a key, through deletion and creation', async () => {
    const { store } = current()
    const author = { user: 'ann' }
    const created = await store.commit([put('/k', '1', 'absent'), put('/k2', 'x', 'absent')], author)
    const updated = await store.commit([put('/k', '2', created)], author)
    const deleted = await store.commit([remove('/k', updated), put('/other', 'x', 'any')], author)
    await store.commit([put('/other', 'y', 'any')], author)
    const again = await store.commit([put('/k', '3', 'absent')], author)
    const gone = await store.commit([remove('/k', again)], author)
    const all = [
      `${gone} deleted ${gone}`,
      `${again} 3 ${again}`,
      `${deleted} deleted ${deleted}`,
      `${updated} 2 ${created}`,
      `${created} 1 ${created}`,
    ]
    const whole = await store.versions('/k', { limit: 10 })
    expect(whole.versions.map(told)).toEqual(all)
    expect(whole.more).toBe(false)
    const page = await store.versions('/k', { limit: 2 })
    expect(page.versions.map(told)).toEqual(all.slice(0, 2))
    expect(page.more).toBe(true)
    const rest = await store.versions('/k', { limit: 3, before: again })
    expect(rest.versions.map(told)).toEqual(all.slice(2))
    expect(rest.more).toBe(false)
    expect((await store.versions('/nothing', { limit: 10 })).versions).toEqual([])
  })

  it('begins a key’s versions with what stood there when history begins', async () => {
    const { store } = current()
    const first = await store.commit([put('/k', '1', 'absent')])
    const second = await store.commit([put('/k', '2', 'any')])
    const middle = await store.commit([put('/other', 'x', 'any')])
    const third = await store.commit([put('/k', '3', 'any')])
    await store.compact(middle)
    expect(await store.oldest()).toBe(middle)
    const { versions, more } = await store.versions('/k', { limit: 10 })
    expect(versions.map(told)).toEqual([`${third} 3 ${first}`, `${second} 2 ${first}`])
    expect(more).toBe(false)
    expect(await store.commitAt(first)).toBeUndefined()
  })

  it('finds what was there at a time', async () => {
    const { store } = current()
    const revisions: number[] = []
    for (let i = 0; i < 8; i++) {
      revisions.push(await store.commit([put('/t', String(i), 'any')]))
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    const at = async (timeMs: number) =>
      revisionAtTime((revision) => store.commitAt(revision), timeMs, await store.oldest(), await store.revision())
    for (const revision of revisions) {
      const { timeMs } = (await store.commitAt(revision))!
      expect(await at(timeMs)).toBe(revision)
      if (revision !== revisions[0]) expect(await at(timeMs - 1)).toBe(revision - 1)
    }
    expect(await at(Date.now() + 1000)).toBe(await store.revision())
  })

  it('takes as many changes from an author as from anybody', async () => {
    const { store } = current()
    const keys = Array.from({ length: 128 }, (_, i) => `/many/${i}`)
    const author = { user: 'ann' }
    const made = await store.commit(
      keys.map((key) => put(key, 'x', 'absent')),
      author,
    )
    await store.commit(
      keys.map((key) => remove(key, made)),
      author,
    )
    expect((await store.list('/many/')).entries).toEqual([])
    const few = await store.commit(
      keys.slice(0, 60).map((key) => put(key, 'y', 'absent')),
      author,
    )
    const gone = await store.commit(
      keys.slice(0, 60).map((key) => remove(key, few)),
      author,
    )
    const { versions } = await store.versions('/many/59', { limit: 2 })
    expect(versions.map(told)).toEqual([`${gone} deleted ${gone}`, `${few} y ${few}`])
  })
}

const told = ({ revision, value, createRevision }: Version): string =>
  `${revision} ${value ?? 'deleted'} ${createRevision}`
