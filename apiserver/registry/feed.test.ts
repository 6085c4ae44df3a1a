import { expect, test } from 'vitest'
import { Compacted, type Entry, type Progress, type Store, type StoreEvent } from '../storage/store.ts'
import { type FeedSink, StoreFeed } from './feed.ts'

/** A store whose watch gives what the test pushes, and whose list is what the test says. */
function scripted(entries: Entry[], revision: number) {
  const waiting: (StoreEvent[] | Progress | Error)[] = []
  let wake = () => {}
  const state = { entries, revision, watchedFrom: [] as number[], progressAsked: 0 }
  const store = {
    list: async () => ({ entries: state.entries, revision: state.revision, more: false, remaining: -1 }),
    revision: async () => state.revision,
    requestProgress: async () => void state.progressAsked++,
    async *watch(_prefix: string, after: number, signal: AbortSignal) {
      state.watchedFrom.push(after)
      signal.addEventListener('abort', () => wake())
      while (!signal.aborted) {
        const next = waiting.shift()
        if (next instanceof Error) throw next
        if (next) yield next
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
  } as unknown as Store
  const push = (item: StoreEvent[] | Progress | Error) => {
    waiting.push(item)
    wake()
  }
  return { store, state, push }
}

function sink(prefix: string): FeedSink & { seen: string[] } {
  const seen: string[] = []
  return {
    prefix,
    seen,
    reset: (entries, revision) => void seen.push(`reset ${entries.length} at ${revision}`),
    apply: (events) => void seen.push(...events.map(({ key, revision }) => `${key} at ${revision}`)),
  }
}

const event = (key: string, revision: number): StoreEvent => ({
  ...{ type: 'put', key, revision, value: Buffer.from('{}'), previous: undefined, created: true },
})

test('each change goes to the kind with the longest prefix, and the revision follows', async () => {
  const { store, push } = scripted([], 5)
  const feed = new StoreFeed(store)
  const [pods, services, specs] = [sink('/pods/'), sink('/services/endpoints/'), sink('/services/specs/')]
  for (const each of [pods, services, specs]) feed.add(each)
  await feed.start()
  push([event('/pods/a/b', 6), event('/services/specs/a/b', 6), event('/unknown/x', 7)])
  expect(await feed.waitFor(7)).toBe(true)
  expect(pods.seen).toEqual(['reset 0 at 5', '/pods/a/b at 6'])
  expect(services.seen).toEqual(['reset 0 at 5'])
  expect(specs.seen).toEqual(['reset 0 at 5', '/services/specs/a/b at 6'])
  await feed.stop()
})

test('a wait asks for progress once for all who wait, and gives up in time', async () => {
  const { store, state, push } = scripted([], 5)
  const feed = new StoreFeed(store)
  await feed.start()
  const waits = [feed.waitFor(6), feed.waitFor(6), feed.waitFor(9, 20)]
  await Promise.resolve()
  expect(state.progressAsked).toBe(1)
  push({ progress: 6 })
  expect(await Promise.all(waits)).toEqual([true, true, false])
  await feed.stop()
})

test('after a broken watch it goes on from where it was; after a lost history it begins anew', async () => {
  const errors: unknown[] = []
  const { store, state, push } = scripted([], 5)
  const feed = new StoreFeed(store, { onError: (error) => errors.push(error) })
  const pods = sink('/pods/')
  feed.add(pods)
  await feed.start()
  push([event('/pods/a/b', 6)])
  push(new Error('cut'))
  push([event('/pods/a/c', 8)])
  expect(await feed.waitFor(8)).toBe(true)
  state.revision = 20
  push(new Compacted(8, 15))
  expect(await feed.waitFor(20)).toBe(true)
  push([event('/pods/a/d', 21)])
  expect(await feed.waitFor(21)).toBe(true)
  expect(state.watchedFrom).toEqual([5, 6, 20])
  expect(pods.seen).toEqual(['reset 0 at 5', '/pods/a/b at 6', '/pods/a/c at 8', 'reset 0 at 20', '/pods/a/d at 21'])
  expect(errors).toHaveLength(2)
  await feed.stop()
})
