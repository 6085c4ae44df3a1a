import { afterEach, expect, test, vi } from 'vitest'
import { events, pods } from '../client/resources.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import { tellTroubles } from './quickstart-troubles.ts'

const namespace = 'default'
const ended = new AbortController()
afterEach(() => ended.abort())

test('what keeps its pods for some seconds is told, once for all, and nothing of others', async () => {
  const [api, clock] = [new MemoryApi(), new FakeClock()]
  const told: string[] = []
  const done = tellTroubles(api, { namespace, name: 'hello' }, (text) => told.push(text), clock, ended.signal)
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
  for (const name of ['other-1', 'hello-brief', 'hello-1', 'hello-2']) await api.create(pods, podOf(name))
  await vi.waitFor(() => expect(api.calls.some(({ verb }) => verb === 'watch')).toBe(true))
  for (const name of ['other-1', 'hello-gone', 'hello-brief', 'hello-1', 'hello-2']) await warn(name)
  await vi.waitFor(() => expect(clock.sleeping).toBe(4))
  const [brief] = api.objects(pods).filter(({ metadata }) => metadata.name === 'hello-brief')
  await api.update(pods, { ...brief, status: { phase: 'Running' } }, { subresource: 'status' })
  await clock.advance(4999)
  expect(told).toEqual([])
  await clock.advance(1)
  await vi.waitFor(() => expect(api.calls.filter(({ verb }) => verb === 'get')).toHaveLength(4))
  expect(told).toEqual([expect.stringContaining('pod hello-1: the node laptop sees no cgroups')])
  ended.abort()
  await done.catch(() => {})
})
