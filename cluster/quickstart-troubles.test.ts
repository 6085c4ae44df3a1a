import { afterEach, expect, test, vi } from 'vitest'
import { events, pods } from '../client/resources.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import { tellTroubles } from './quickstart-troubles.ts'

const namespace = 'default'
const ended = new AbortController()
afterEach(() => ended.abort())

test('what keeps its pods is told as soon as they warn of it, once for all, and nothing of others', async () => {
  const api = new MemoryApi()
  const told: string[] = []
  const done = tellTroubles(api, { namespace, name: 'hello' }, (text) => told.push(text), ended.signal)
  const podOf = (name: string) => ({
    metadata: { name, namespace },
    spec: { nodeName: 'laptop', containers: [{ name: 'c' }] },
    status: { phase: 'Pending' },
  })
  const warn = (name: string) =>
    api.create(events, {
      metadata: { name: `${name}.1`, namespace },
      type: 'Warning',
      reason: 'FailedCreatePodSandBox',
      message: 'no cgroup mount found',
      involvedObject: { kind: 'Pod', namespace, name },
    })
  for (const name of ['other-1', 'hello-1', 'hello-2']) await api.create(pods, podOf(name))
  await vi.waitFor(() => expect(api.calls.some(({ verb }) => verb === 'watch')).toBe(true))
  await warn('other-1')
  await warn('hello-gone')
  await warn('hello-1')
  await vi.waitFor(() => expect(told).toHaveLength(1))
  expect(told[0]).toContain('pod hello-1: the node laptop sees no cgroups')
  await warn('hello-2')
  await vi.waitFor(() => expect(api.calls.filter(({ verb }) => verb === 'get')).toHaveLength(3))
  ended.abort()
  await done.catch(() => {})
  expect(told).toHaveLength(1)
})
