import { expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { PodInfo } from '../../scheduler/framework/pod-info.ts'
import { pod } from '../../scheduler/testing/builders.ts'
import { evictAll } from './evict.ts'

const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
const owned = {
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'w', controller: true }],
}
const web = (name: string, on: string) =>
  pod({ name, node: on, metadata: owned, status: ready, terminationGracePeriodSeconds: 0 })

function stage() {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const said: string[] = []
  const run = async (...names: string[]) => {
    const moves = api
      .objects(pods)
      .filter(({ metadata }) => names.includes(metadata.name))
      .map((each) => ({ pod: new PodInfo(each), from: 'a', to: 'b', why: '' }))
    let ended: unknown = 'running'
    void evictAll(moves, { api, clock, timeoutMs: 10_000, say: (line) => said.push(line) }).then(
      () => (ended = 'done'),
      (error: Error) => (ended = error.message),
    )
    for (let i = 0; i < 20 && ended === 'running'; i++) await clock.advance(1000)
    return ended
  }
  return { api, said, run }
}

test('each pod is evicted when the one before it has been replaced', async () => {
  const { api, said, run } = stage()
  await api.create(pods, web('one', 'a'))
  await api.create(pods, web('two', 'a'))
  const standing: number[] = []
  api.posts.set('pods/eviction', async ({ namespace, name }) => {
    standing.push(api.objects(pods).length)
    await api.delete(pods, { ...(namespace ? { namespace } : {}), name })
    await api.create(pods, web(`${name}-again`, 'b'))
  })
  expect(await run('one', 'two')).toBe('done')
  expect(standing).toEqual([2, 2])
  expect(said).toEqual([
    '[1/2] evicting pod default/one from a',
    '[1/2] pod default/one is replaced by one-again on b',
    '[2/2] evicting pod default/two from a',
    '[2/2] pod default/two is replaced by two-again on b',
  ])
})

test('a budget is waited for, and not forever', async () => {
  const { api, said, run } = stage()
  await api.create(pods, web('one', 'a'))
  api.posts.set('pods/eviction', () => {
    throw new StatusError(429, 'TooManyRequests', 'the budget is used up')
  })
  expect(await run('one')).toBe('pod default/one cannot be evicted within its budget: the budget is used up')
  expect(said).toEqual(['[1/1] evicting pod default/one from a', '    waiting for its budget: the budget is used up'])
})

test('without a replacement, nothing further is moved', async () => {
  const { api, run } = stage()
  await api.create(pods, web('one', 'a'))
  await api.create(pods, web('two', 'a'))
  api.posts.set('pods/eviction', ({ namespace, name }) =>
    api.delete(pods, { ...(namespace ? { namespace } : {}), name }),
  )
  expect(await run('one', 'two')).toBe('pod default/one has no ready replacement after 10s: nothing further is moved')
  expect(api.objects(pods).map(({ metadata }) => metadata.name)).toEqual(['two'])
})
