import { expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { builtinKinds } from '../../api/registry.ts'
import { Compacted, type StoreEvent } from '../storage/store.ts'
import { type CacheEvent, WatchCache } from './watch-cache.ts'

const resource = builtinKinds.find(({ plural }) => plural === 'configmaps')!
const key = (name: string) => `/configmaps/default/${name}`

function cacheOf(...names: string[]): WatchCache {
  const cache = new WatchCache(resource)
  const entries = names.map((name) => ({ key: key(name), value: stored(name, '0'), createRevision: 1, modRevision: 1 }))
  cache.reset(entries, 1)
  return cache
}

function stored(name: string, value: string): Buffer {
  return new WatchCache(resource).codec.encode({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels: { value } },
  })
}

const put = (name: string, value: string, revision: number, created = false): StoreEvent => ({
  ...{ type: 'put', key: key(name), revision, value: stored(name, value), previous: undefined, created },
})
const gone = (name: string, revision: number): StoreEvent => ({
  ...{ type: 'delete', key: key(name), revision, value: undefined, previous: undefined, created: false },
})

test('a deletion shows the last version at its own revision, also when the store has forgotten what it was', () => {
  const cache = cacheOf('a')
  cache.apply([gone('a', 5)])
  const [event] = cache.eventsAfter(1) as CacheEvent[]
  expect(event).toMatchObject({ type: 'DELETED', revision: 5 })
  expect(event?.object.object.metadata).toMatchObject({ name: 'a', resourceVersion: '5', labels: { value: '0' } })
  expect(cache.size).toBe(0)
})

test('a change whose version before is nowhere to be had is refused, not guessed', () => {
  const cache = cacheOf()
  expect(() => cache.toCacheEvent(put('a', '1', 7))).toThrow(Compacted)
  expect(() => cache.toCacheEvent(gone('a', 7))).toThrow(Compacted)
  expect(cache.toCacheEvent(put('a', '1', 7, true)).type).toBe('ADDED')
})

test('history reaches back to the reset and no further', () => {
  const cache = cacheOf('a')
  cache.apply([put('a', '1', 3)])
  expect(cache.eventsAfter(0)).toBeUndefined()
  expect(cache.eventsAfter(1)?.map(({ revision }) => revision)).toEqual([3])
  expect(cache.eventsAfter(3)).toEqual([])
})

test('history that is forgotten goes in whole commits, and never the newest', () => {
  const cache = cacheOf('a', 'b')
  for (let revision = 2; revision < 6000; revision++) {
    cache.apply([put('a', String(revision), revision), put('b', String(revision), revision)])
  }
  let oldest = 5998
  while (cache.eventsAfter(oldest - 1)) oldest--
  expect(oldest).toBeGreaterThan(1)
  const events = cache.eventsAfter(oldest) as CacheEvent[]
  expect(events[0]?.revision).toBe(oldest + 1)
  expect(events.length).toBe((5999 - oldest) * 2)
})

test('a range is in key order, within its prefix, after the key given', () => {
  const cache = cacheOf('b', 'd')
  cache.apply([put('c', '1', 2, true)])
  cache.apply([put('a', '1', 3, true)])
  const names = (after?: string) =>
    cache.range('/configmaps/default/', after).map((object) => object.key.slice(object.key.lastIndexOf('/') + 1))
  expect(names()).toEqual(['a', 'b', 'c', 'd'])
  expect(names(key('b'))).toEqual(['c', 'd'])
  expect(names(key('bb'))).toEqual(['c', 'd'])
  expect(cache.range('/configmaps/other/')).toEqual([])
})

test("while a change is handed on, selectors look at the writer's object, and keep what they saw and nothing else", () => {
  const cache = cacheOf()
  const object = { metadata: { name: 'a', namespace: 'default', labels: { value: 'as sent' } }, data: { k: 'as sent' } }
  const value = cache.codec.encode(object)
  // What stands in the bytes is not looked at: nothing is parsed.
  object.metadata.labels.value = object.data.k = 'as lent'
  const read = (of: AnyObject) => (of as typeof object).data.k
  const seen: string[] = []
  cache.listen({
    onEvents: ([change]) => seen.push(change?.object.field('k', read) ?? '', change?.object.labels.value ?? ''),
    onReset: () => {},
  })
  cache.apply([{ ...put('a', '1', 2, true), value }])
  expect(seen).toEqual(['as lent', 'as lent'])
  object.metadata.labels.value = object.data.k = 'changed since'
  const cached = cache.get(key('a'))
  expect([cached?.field('k', read), cached?.labels.value]).toEqual(['as lent', 'as lent'])
  expect(cached?.field('other', read)).toBe('as sent')
})
