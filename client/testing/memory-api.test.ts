import { describe, expect, test } from 'vitest'
import type { ConfigMap, Node, Pod } from '../../api/generated/types.ts'
import { configMaps, nodes, pods } from '../resources.ts'
import type { WatchEvent, WatchOptions } from '../types.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryApi, type MemoryApiOptions } from './memory-api.ts'

const key = { namespace: 'default', name: 'a' }
const map = (v: string): ConfigMap => ({ metadata: { ...key }, data: { v } })

/** Follows config maps; `told` says what came, or why it ended. */
async function follow(options: MemoryApiOptions = {}, more: WatchOptions = {}) {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock, ...options })
  await api.create(configMaps, map('1'))
  const told: string[] = []
  const stop = new AbortController()
  const say = (event: WatchEvent<ConfigMap>) =>
    event.type === 'BOOKMARK' ? `bookmark ${event.object.metadata.resourceVersion}` : `v${event.object.data?.v}`
  const watch = async () => {
    for await (const event of api.watch(configMaps, { resourceVersion: '2', signal: stop.signal, ...more }))
      told.push(say(event))
  }
  const start = () => void watch().catch((error: Error) => told.push(error.message))
  return { api, clock, told, start, stop: () => stop.abort(new Error('stopped')) }
}

describe('a watch', () => {
  test('tells what happens to its kind, in order, until it is stopped', async () => {
    const { api, clock, told, start, stop } = await follow()
    start()
    await api.update(configMaps, map('2'))
    await api.create<Node>(nodes, { metadata: { name: 'n' } })
    await api.update(configMaps, map('3'))
    await clock.advance(0)
    stop()
    await clock.advance(0)
    expect(told).toEqual(['v2', 'v3', 'stopped'])
  })

  test('that begins before what is remembered of its kind is refused', async () => {
    const { api, clock, told, start } = await follow({ historySize: 2 })
    for (const v of ['2', '3', '4']) await api.update(configMaps, map(v))
    start()
    await clock.advance(0)
    expect(told).toEqual(['too old resource version: 2 (3)'])
  })

  test('that falls behind what is remembered ends', async () => {
    const { api, clock, told, start } = await follow({ historySize: 2 })
    start()
    await clock.advance(0)
    for (let v = 2; v < 9; v++) api.edit(configMaps, key, (object: ConfigMap) => Object.assign(object, map(String(v))))
    await clock.advance(0)
    expect(told).toEqual([expect.stringMatching('too old resource version')])
  })

  test('is told of other kinds by bookmarks, as often as was agreed', async () => {
    const { api, clock, told, start, stop } = await follow({ bookmarkEveryMs: 1000 }, { allowWatchBookmarks: true })
    start()
    await clock.advance(0)
    for (let i = 0; i < 3; i++) {
      await api.create<Node>(nodes, { metadata: { name: `n${i}` } })
      await clock.advance(600)
    }
    stop()
    expect(told).toEqual(['bookmark 3', 'bookmark 5'])
  })
})

test('what watchers and lists are given is shared, and cannot be changed', async () => {
  const { api } = await follow()
  const { items } = await api.list(configMaps)
  expect(() => Object.assign(items[0]?.data ?? {}, { v: 'mine' })).toThrow(TypeError)
  const own = await api.get(configMaps, key)
  Object.assign(own.data ?? {}, { v: 'mine' })
  expect((await api.get(configMaps, key)).data).toEqual({ v: '1' })
})

test.each([
  ['of another pod under that name', { metadata: { uid: 'another' } }, 'Precondition failed: UID in precondition'],
  ['that has one', {}, 'pod a is already assigned to node "n"'],
])('a binding %s is refused', async (_what, more, why) => {
  const { api } = await follow()
  await api.create<Pod>(pods, { metadata: { ...key }, spec: { containers: [], nodeName: 'n' } })
  await expect(api.post(pods, key, 'binding', { target: { name: 'm' }, ...more })).rejects.toThrow(why)
})
