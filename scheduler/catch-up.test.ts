import { expect, test } from 'vitest'
import { StatusError } from '../api/machinery/errors.ts'
import { pods } from '../client/resources.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import { catchUp } from './catch-up.ts'
import { pod } from './testing/builders.ts'

function stage() {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const known = new Set<string>()
  const errors: string[] = []
  let isDone = false
  const start = () => {
    const context = {
      api,
      clock,
      isKnown: (uid: string) => known.has(uid),
      onError: (error: Error) => errors.push(error.message),
    }
    void catchUp(context, new AbortController().signal).then(() => (isDone = true))
  }
  return { clock, api, known, errors, start, isDone: () => isDone }
}

test('who takes over waits until it knows of every pod that has a node', async () => {
  const { clock, api, known, start, isDone } = stage()
  await api.create(pods, pod({ name: 'waiting' }))
  await api.create(pods, pod({ name: 'ended', node: 'a', status: { phase: 'Succeeded' } }))
  const placed = await api.create(pods, pod({ name: 'placed', node: 'a' }))
  start()
  await clock.advance(10_000)
  expect(isDone()).toBe(false)
  known.add(placed.metadata.uid ?? '')
  await clock.advance(100)
  expect(isDone()).toBe(true)
})

test('a pod that has gone in the meantime is not waited for', async () => {
  const { clock, api, start, isDone } = stage()
  await api.create(pods, pod({ name: 'placed', node: 'a', terminationGracePeriodSeconds: 0 }))
  start()
  await clock.advance(100)
  await api.delete(pods, { namespace: 'default', name: 'placed' })
  await clock.advance(2000)
  expect(isDone()).toBe(true)
})

test('a server that does not answer is asked again', async () => {
  const { clock, api, errors, start, isDone } = stage()
  api.fault = () => {
    throw new StatusError(503, 'ServiceUnavailable', 'nobody answers')
  }
  start()
  await clock.advance(100)
  api.fault = undefined
  await clock.advance(2000)
  expect([isDone(), errors]).toEqual([true, ['nobody answers']])
})
