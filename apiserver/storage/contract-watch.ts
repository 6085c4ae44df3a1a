import { expect, it } from 'vitest'
import type { Current } from './contract.ts'
import { eventKeys, gather, put, remove, text } from './contract-tools.ts'
import type { Revision, StoreEvent } from './store.ts'

/** What a watch promises. */
export function watchContract(current: Current): void {
  it('tells every change with the value before, in order', async () => {
    const { store } = current()
    const start = await store.revision()
    const created = await store.commit([put('/w/a', '1', 'any')])
    const updated = await store.commit([put('/w/a', '2', 'any')])
    const deleted = await store.commit([remove('/w/a', 'any')])
    const events = await gather(store, '/w/', start, (seen) => seen.length === 3)
    expect(events).toEqual([
      { type: 'put', key: '/w/a', revision: created, value: Buffer.from('1'), previous: undefined, created: true },
      {
        type: 'put',
        key: '/w/a',
        revision: updated,
        value: Buffer.from('2'),
        previous: Buffer.from('1'),
        created: false,
      },
      {
        type: 'delete',
        key: '/w/a',
        revision: deleted,
        value: undefined,
        previous: Buffer.from('2'),
        created: false,
      },
    ] satisfies StoreEvent[])
  })

  it('leaves out other prefixes', async () => {
    const { store } = current()
    const start = await store.revision()
    await store.commit([put('/x/a', '1', 'any'), put('/y/a', '1', 'any')])
    await store.commit([put('/y/b', '1', 'any')])
    await store.commit([put('/x/b', '1', 'any')])
    const events = await gather(store, '/x/', start, (seen) => seen.length === 2)
    expect(eventKeys(events)).toEqual(['put /x/a', 'put /x/b'])
  })

  it('never splits a commit over two batches', async () => {
    const { store } = current()
    const start = await store.revision()
    const abort = new AbortController()
    const writes = (async () => {
      for (let i = 0; i < 20; i++) await store.commit([1, 2, 3].map((n) => put(`/w/${n}`, String(i), 'any')))
    })()
    let seen = 0
    for await (const batch of store.watch('/w/', start, abort.signal)) {
      if ('progress' in batch) continue
      const sizes = new Map<Revision, number>()
      for (const event of batch) sizes.set(event.revision, (sizes.get(event.revision) ?? 0) + 1)
      expect([...sizes.values()].every((size) => size === 3)).toBe(true)
      seen += batch.length
      if (seen === 60) break
    }
    await writes
  })

  it('loses and repeats nothing when watches end and resume while writers run', async () => {
    const { store } = current()
    const start = await store.revision()
    let isWriting = true
    const written: Revision[] = []
    const writers = Promise.all(
      Array.from({ length: 4 }, async (_, w) => {
        for (let i = 0; i < 50; i++) written.push(await store.commit([put(`/s/${w}-${i % 5}`, String(i), 'any')]))
      }),
    ).finally(() => {
      isWriting = false
    })
    const seen: StoreEvent[] = []
    let after = start
    while (isWriting || seen.length < 200) {
      const quota = seen.length + 7
      const part = await gather(store, '/s/', after, (events) => seen.length + events.length >= Math.min(quota, 200))
      seen.push(...part)
      if (seen.length > 0) after = seen[seen.length - 1]!.revision
    }
    await writers
    expect(seen.map((event) => event.revision)).toEqual(written.sort((a, b) => a - b))
  })

  it('reports progress when asked, past everything delivered', async () => {
    const { store } = current()
    const start = await store.revision()
    await store.commit([put('/mine/a', '1', 'any')])
    const last = await store.commit([put('/other/a', '1', 'any')])
    const abort = new AbortController()
    const seen: string[] = []
    const asked = setInterval(() => store.requestProgress().catch(() => undefined), 20)
    for await (const batch of store.watch('/mine/', start, abort.signal)) {
      if (!('progress' in batch)) seen.push(...eventKeys(batch))
      else if (batch.progress >= last) break
    }
    clearInterval(asked)
    expect(seen).toEqual(['put /mine/a'])
  })

  it('ends when aborted, before and while waiting', async () => {
    const { store } = current()
    const now = await store.revision()
    await expect(drain(store.watch('/', now, AbortSignal.abort()))).resolves.toBe(0)
    const abort = new AbortController()
    const waiting = drain(store.watch('/nothing/', now, abort.signal))
    await new Promise((resolve) => setTimeout(resolve, 20))
    abort.abort()
    await expect(waiting).resolves.toBe(0)
  })

  it('serves many watchers alike', async () => {
    const { store } = current()
    const start = await store.revision()
    const watchers = Array.from({ length: 20 }, () => gather(store, '/', start, (seen) => seen.length === 30))
    for (let i = 0; i < 30; i++) await store.commit([put(`/v/${i}`, String(i), 'any')])
    const all = await Promise.all(watchers)
    for (const events of all) expect(eventKeys(events)).toEqual(eventKeys(all[0]!))
  })

  it('does not let a slow watcher hold up writers or other watchers, nor lose it anything', async () => {
    const { store } = current()
    const start = await store.revision()
    const abort = new AbortController()
    const slow = store.watch('/', start, abort.signal)[Symbol.asyncIterator]()
    await store.commit([put('/big/first', 'x', 'any')])
    const first = await slow.next()
    const value = Buffer.alloc(400_000, 'b')
    const quick = gather(store, '/big/', start, (seen) => seen.length === 61)
    for (let i = 0; i < 60; i++) await store.commit([{ key: `/big/${i % 3}`, value, expect: 'any' }])
    expect(await quick).toHaveLength(61)
    const late: string[] = 'progress' in first.value ? [] : eventKeys(first.value)
    while (late.length < 61) {
      const next = await slow.next()
      if (!next.done && !('progress' in next.value)) late.push(...eventKeys(next.value))
    }
    expect(late).toEqual(eventKeys(await quick))
    abort.abort()
    await slow.return?.()
  })
}

/** What a time to live promises. */
export function expiryContract(current: Current): void {
  it('deletes what has lived its time, as an event, and not before', async () => {
    const { store, options } = current()
    const start = await store.revision()
    const began = Date.now()
    await store.commit([{ ...put('/t/short', 'x', 'absent'), ttlSeconds: 1 }, put('/t/long', 'y', 'absent')])
    const events = await gather(store, '/t/', start, (seen) => seen.some((event) => event.type === 'delete'))
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000)
    expect(Date.now() - began).toBeLessThan(1000 + options.expirySlackMs)
    expect(events[events.length - 1]).toMatchObject({ type: 'delete', key: '/t/short', previous: Buffer.from('x') })
    expect(await store.get('/t/short')).toBeUndefined()
    expect(text(await store.get('/t/long'))).toBe('y')
  })

  it('lets a later write cancel or renew the expiry, also when contended', async () => {
    const { store, options } = current()
    for (const key of ['/t/kept', '/t/renewed', '/t/gone', '/t/raced'])
      await store.commit([{ ...put(key, 'x', 'absent'), ttlSeconds: 1 }])
    await store.commit([put('/t/kept', 'forever', 'any')])
    await store.commit([{ ...put('/t/renewed', 'longer', 'any'), ttlSeconds: 600 }])
    let isOver = false
    const racer = (async () => {
      while (!isOver) await store.commit([{ ...put('/t/raced', 'again', 'any'), ttlSeconds: 600 }])
    })()
    const deadline = Date.now() + 1000 + options.expirySlackMs
    while ((await store.get('/t/gone')) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50))
    isOver = true
    await racer
    expect((await store.list('/t/')).entries.map((entry) => entry.key)).toEqual(['/t/kept', '/t/raced', '/t/renewed'])
  })

  it('expires also what was written before the store was opened', async () => {
    const { store, subject, options } = current()
    await store.commit([{ ...put('/t/a', 'x', 'absent'), ttlSeconds: 1 }])
    const reopened = await subject.reopen()
    const deadline = Date.now() + 1500 + options.expirySlackMs
    while ((await reopened.get('/t/a')) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await reopened.get('/t/a')).toBeUndefined()
  })
}

async function drain(source: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of source) count++
  return count
}
