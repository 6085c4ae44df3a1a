import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { historyContract } from './contract-history.ts'
import { runModel } from './contract-model.ts'
import { eventKeys, gather, put, remove, text } from './contract-tools.ts'
import { expiryContract, watchContract } from './contract-watch.ts'
import type { Store } from './store.ts'
import { Compacted, Conflict, FutureRevision } from './store.ts'

/** One store under test. */
export interface Subject {
  store: Store
  /** Closes the store and opens it again, with its data. */
  reopen(): Promise<Store>
  /** Closes the store and removes its data. */
  destroy(): Promise<void>
}

export interface ContractOptions {
  /** Command sequences for the model test. */
  modelRuns: number
  /** How long the store may take to expire an entry after its time. */
  expirySlackMs: number
}

/** Every promise of store.ts, as tests of whatever `create` makes. */
export function describeStore(name: string, create: () => Promise<Subject>, options: ContractOptions): void {
  describe(name, () => {
    let subject: Subject
    let store: Store
    beforeEach(async () => {
      subject = await create()
      store = subject.store
    })
    afterEach(() => subject.destroy())
    const current = () => ({ store, subject, options })
    commitContract(current)
    readContract(current)
    compactionContract(current)
    historyContract(current)
    watchContract(current)
    expiryContract(current)
    it('behaves like the model under any sequence of commands', async () => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.nat()), async (random) => {
          const fresh = await create()
          try {
            await runModel(fresh, random)
          } finally {
            await fresh.destroy()
          }
        }),
        { numRuns: options.modelRuns, endOnFailure: true },
      )
    }, 60_000)
  })
}

/** The store of the test that runs. */
export type Current = () => { store: Store; subject: Subject; options: ContractOptions }

function commitContract(current: Current): void {
  it('stores, replaces and deletes, each at a newer revision', async () => {
    const { store } = current()
    const start = await store.revision()
    const created = await store.commit([put('/a', 'one', 'absent')])
    const updated = await store.commit([put('/a', 'two', created)])
    expect(start).toBeGreaterThan(0)
    expect(created).toBeGreaterThan(start)
    expect(updated).toBeGreaterThan(created)
    expect(await store.get('/a')).toEqual({
      key: '/a',
      value: Buffer.from('two'),
      createRevision: created,
      modRevision: updated,
    })
    const deleted = await store.commit([remove('/a', updated)])
    expect(deleted).toBeGreaterThan(updated)
    expect(await store.get('/a')).toBeUndefined()
    const again = await store.commit([put('/a', 'three', 'absent')])
    expect((await store.get('/a'))?.createRevision).toBe(again)
  })

  it.each([
    ['a create of what is there', 'absent' as const, 'there'],
    ['an update of an older revision', 1, 'there'],
    ['an update of what is absent', 5, undefined],
  ])('refuses %s and names what stood in the way', async (_name, expectation, standing) => {
    const { store } = current()
    if (standing) await store.commit([put('/k', standing, 'any')])
    const before = await store.revision()
    const error = await store.commit([put('/k', 'new', expectation)]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Conflict)
    expect((error as Conflict).key).toBe('/k')
    expect((error as Conflict).entry).toEqual(await store.get('/k'))
    expect(text((error as Conflict).entry)).toBe(standing)
    expect(await store.revision()).toBe(before)
  })

  it('commits all of several keys at one revision or none', async () => {
    const { store } = current()
    const revision = await store.commit([put('/a', '1', 'absent'), put('/b', '2', 'absent'), put('/c', '3', 'any')])
    const { entries } = await store.list('/')
    expect(entries.map((entry) => [entry.key, text(entry), entry.modRevision])).toEqual([
      ['/a', '1', revision],
      ['/b', '2', revision],
      ['/c', '3', revision],
    ])
    const refused = store.commit([put('/a', 'x', revision), remove('/b', revision), put('/c', 'y', 'absent')])
    await expect(refused).rejects.toMatchObject({ name: 'Conflict', key: '/c' })
    expect((await store.list('/')).entries).toEqual(entries)
  })

  it('names the first change that does not hold', async () => {
    const { store } = current()
    await store.commit([put('/b', '2', 'any')])
    const refused = store.commit([put('/a', 'x', 'absent'), put('/b', 'y', 'absent'), put('/c', 'z', 7)])
    await expect(refused).rejects.toMatchObject({ name: 'Conflict', key: '/b' })
  })

  it('changes nothing when only absent keys are deleted', async () => {
    const { store } = current()
    const before = await store.commit([put('/a', '1', 'any')])
    expect(await store.commit([remove('/nothing', 'any')])).toBe(before)
    expect(await store.revision()).toBe(before)
    const mixed = await store.commit([remove('/nothing', 'any'), put('/b', '2', 'any')])
    expect(mixed).toBeGreaterThan(before)
  })

  it.each([
    ['no changes', []],
    ['too many changes', Array.from({ length: 129 }, (_, i) => put(`/${i}`, 'x', 'any'))],
    ['an empty key', [put('', 'x', 'any')]],
    ['a key without a slash', [put('a', 'x', 'any')]],
    ['a key with a NUL', [put('/a\0b', 'x', 'any')]],
    ['a key too long', [put(`/${'k'.repeat(1500)}`, 'x', 'any')]],
    ['one key twice', [put('/a', 'x', 'any'), remove('/a', 'any')]],
  ])('refuses %s', async (_name, changes) => {
    await expect(current().store.commit(changes)).rejects.toBeInstanceOf(TypeError)
  })

  it('lets exactly one of many racing writers through, every time', async () => {
    const { store } = current()
    let standing = await store.commit([put('/counter', '0', 'absent')])
    for (let round = 1; round <= 20; round++) {
      const racers = Array.from({ length: 16 }, (_, i) => store.commit([put('/counter', `${round}.${i}`, standing)]))
      const won = (await Promise.allSettled(racers)).flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
      expect(won).toHaveLength(1)
      standing = won[0]!
    }
    expect((await store.get('/counter'))?.modRevision).toBe(standing)
  })

  it('counts without loss when many increment one number', async () => {
    const { store } = current()
    const increment = async () => {
      for (;;) {
        const entry = await store.get('/n')
        const next = String(Number(text(entry) ?? 0) + 1)
        try {
          return await store.commit([put('/n', next, entry?.modRevision ?? 'absent')])
        } catch (error) {
          if (!(error instanceof Conflict)) throw error
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, async () => Promise.all([increment(), increment()])))
    expect(text(await store.get('/n'))).toBe('16')
  })

  it('keeps what was acknowledged, and its revision, when opened again', async () => {
    const { store, subject } = current()
    const created = await store.commit([put('/a', 'one', 'absent')])
    const last = await store.commit([put('/b', 'two', 'absent')])
    const reopened = await subject.reopen()
    expect(await reopened.revision()).toBeGreaterThanOrEqual(last)
    expect((await reopened.get('/a'))?.modRevision).toBe(created)
    expect(await reopened.commit([put('/c', 'three', 'absent')])).toBeGreaterThan(last)
  })

  it('holds large values and empty ones', async () => {
    const { store } = current()
    const large = Buffer.alloc(1_500_000, 'Gantry')
    await store.commit([{ key: '/large', value: large, expect: 'absent' }, put('/empty', '', 'absent')])
    expect((await store.get('/large'))?.value.equals(large)).toBe(true)
    expect((await store.get('/empty'))?.value).toHaveLength(0)
    const next = Buffer.alloc(1_500_000, 'second')
    const revision = await store.commit([{ key: '/large', value: next, expect: 'any' }])
    expect((await store.get('/large', revision - 1))?.value.equals(large)).toBe(true)
  })
}

function readContract(current: Current): void {
  it('lists by byte order, not by UTF-16 order', async () => {
    const { store } = current()
    const keys = ['/k/\u{1F600}', '/k/\uFFFD', '/k/a', '/k/B', '/k/a/b', '/k/a-b', '/k/é', '/k']
    for (const key of keys) await store.commit([put(key, key, 'absent')])
    const expected = keys.filter((key) => key.startsWith('/k/')).sort(byBytes)
    expect((await store.list('/k/')).entries.map((entry) => entry.key)).toEqual(expected)
  })

  it('reads the past, by key and by list', async () => {
    const { store } = current()
    const first = await store.commit([put('/a', '1', 'any'), put('/b', '1', 'any')])
    const second = await store.commit([put('/a', '2', 'any'), remove('/b', 'any'), put('/c', '2', 'any')])
    const third = await store.commit([remove('/a', 'any'), put('/b', '3', 'any')])
    const states = await Promise.all(
      [first, second, third].map(async (at) =>
        (await store.list('/', { at })).entries.map((entry) => `${entry.key}=${text(entry)}`),
      ),
    )
    expect(states).toEqual([
      ['/a=1', '/b=1'],
      ['/a=2', '/c=2'],
      ['/b=3', '/c=2'],
    ])
    expect(text(await store.get('/b', first))).toBe('1')
    expect(await store.get('/b', second)).toBeUndefined()
    expect((await store.get('/b', third))?.createRevision).toBe(third)
    expect(await store.get('/a', first - 1)).toBeUndefined()
  })

  it('pages through one revision while others write', async () => {
    const { store } = current()
    for (let i = 0; i < 25; i++) await store.commit([put(`/p/${String(i).padStart(2, '0')}`, String(i), 'any')])
    const at = await store.revision()
    const expected = (await store.list('/p/')).entries
    const pages = []
    let after: string | undefined
    for (let page = 0; ; page++) {
      const result = await store.list('/p/', { at, limit: 7, ...(after === undefined ? {} : { after }) })
      expect(result.revision).toBe(at)
      expect(result.remaining).toBe(result.more ? 25 - 7 * (page + 1) : -1)
      pages.push(...result.entries)
      if (!result.more) break
      after = result.entries[result.entries.length - 1]!.key
      await store.commit([remove(`/p/${String(24 - page).padStart(2, '0')}`, 'any'), put(`/p/0${page}x`, 'new', 'any')])
      await store.commit([put(`/p/1${page}`, 'changed', 'any')])
    }
    expect(pages).toEqual(expected)
  })

  it('says whether more follows, at the exact edge', async () => {
    const { store } = current()
    for (const key of ['/q/a', '/q/b', '/q/c']) await store.commit([put(key, key, 'any')])
    expect(await store.list('/q/', { limit: 3 })).toMatchObject({ more: false, remaining: -1 })
    expect(await store.list('/q/', { limit: 2 })).toMatchObject({ more: true, remaining: 1 })
    expect((await store.list('/q/', { after: '/q/c' })).entries).toEqual([])
    expect((await store.list('/q/', { after: '/q/b' })).entries).toHaveLength(1)
    expect((await store.list('/nothing/')).entries).toEqual([])
  })

  it('reads what was just acknowledged, from any side', async () => {
    const { store } = current()
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const revision = await store.commit([put(`/r/${i}`, 'x', 'absent')])
        const [entry, list, newest] = await Promise.all([store.get(`/r/${i}`), store.list('/r/'), store.revision()])
        expect(entry?.modRevision).toBe(revision)
        expect(list.revision).toBeGreaterThanOrEqual(revision)
        expect(Math.max(...list.entries.map((e) => e.modRevision))).toBeLessThanOrEqual(list.revision)
        expect(newest).toBeGreaterThanOrEqual(revision)
      }),
    )
  })

  it('refuses the future', async () => {
    const { store } = current()
    const now = await store.commit([put('/a', '1', 'any')])
    await expect(store.get('/a', now + 1)).rejects.toBeInstanceOf(FutureRevision)
    await expect(store.list('/', { at: now + 1 })).rejects.toBeInstanceOf(FutureRevision)
    await expect(gather(store, '/', now + 1, () => true)).rejects.toBeInstanceOf(FutureRevision)
    await expect(store.compact(now + 1)).rejects.toBeInstanceOf(FutureRevision)
  })

  it('lists thousands of entries whole', async () => {
    const { store } = current()
    const size = 2500
    const value = Buffer.alloc(2000, 'v')
    for (let i = 0; i < size; i += 50)
      await store.commit(
        Array.from({ length: 50 }, (_, j) => ({ key: `/m/${i + j}`, value, expect: 'absent' as const })),
      )
    expect((await store.list('/m/')).entries).toHaveLength(size)
    expect(await store.list('/m/', { limit: 1500 })).toMatchObject({ more: true, remaining: 1000 })
  })
}

function compactionContract(current: Current): void {
  it('refuses reads below the compaction revision and serves those at it', async () => {
    const { store, subject } = current()
    const first = await store.commit([put('/a', '1', 'any'), put('/z', 'z', 'any')])
    const second = await store.commit([put('/a', '2', 'any')])
    const third = await store.commit([remove('/a', 'any')])
    await store.compact(second)
    for (const open of [store, await subject.reopen()]) {
      if (open !== store) expect(await open.revision()).toBeGreaterThanOrEqual(third)
      const reader = open === store ? subject.store : open
      await expect(reader.get('/a', first)).rejects.toBeInstanceOf(Compacted)
      await expect(reader.list('/', { at: first })).rejects.toBeInstanceOf(Compacted)
      await expect(gather(reader, '/', first, () => true)).rejects.toBeInstanceOf(Compacted)
      expect(text(await reader.get('/a', second))).toBe('2')
      expect((await reader.list('/', { at: second })).entries.map((entry) => entry.key)).toEqual(['/a', '/z'])
      expect(eventKeys(await gather(reader, '/', second, (events) => events.length === 1))).toEqual(['delete /a'])
      expect(text(await reader.get('/z'))).toBe('z')
    }
  })

  it('keeps the present through any compaction, and takes compacting twice', async () => {
    const { store } = current()
    for (let i = 0; i < 30; i++) await store.commit([put(`/k/${i % 7}`, String(i), 'any')])
    const before = (await store.list('/k/')).entries
    const now = await store.revision()
    await store.compact(now)
    await store.compact(now)
    await store.compact(now - 5)
    expect((await store.list('/k/')).entries).toEqual(before)
    expect((await store.list('/k/', { at: now })).entries).toEqual(before)
    await expect(store.list('/k/', { at: now - 1 })).rejects.toMatchObject({ requested: now - 1 })
  })
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
