import { expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { CycleState } from '../framework/cycle-state.ts'
import { PodInfo } from '../framework/pod-info.ts'
import { pod } from '../testing/builders.ts'
import { newDefaultBinder } from './default-binder.ts'

const unanswered = () => new StatusError(503, 'ServiceUnavailable', 'nobody answers')

async function stage() {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const made = new PodInfo(await api.create(pods, pod({ name: 'web' })))
  const binder = newDefaultBinder({ api, clock, stopping: new AbortController().signal })
  const real = api.posts.get('pods/binding')
  let outcome: string | undefined
  const bind = async () => {
    binder.bind?.(new CycleState(), made, 'a').then(
      (result) => (outcome = result),
      (error: Error) => (outcome = error.message),
    )
    await clock.advance(10_000)
    return outcome
  }
  const posted = () => api.calls.filter(({ verb }) => verb === 'post').length
  return { api, real, bind, posted }
}

test('a binding whose answer was lost has been made', async () => {
  const { api, real, bind, posted } = await stage()
  api.posts.set('pods/binding', (key, body) => {
    real?.(key, body)
    throw unanswered()
  })
  expect([await bind(), posted()]).toEqual(['bound', 1])
})

test('a binding that was lost is made again', async () => {
  const { api, real, bind, posted } = await stage()
  api.posts.set('pods/binding', () => {
    if (real) api.posts.set('pods/binding', real)
    throw unanswered()
  })
  expect([await bind(), posted()]).toEqual(['bound', 2])
})

test('a pod that somebody else has bound in the meantime, or deleted, is given up', async () => {
  const taken = await stage()
  taken.api.posts.set('pods/binding', (key, _body) => {
    taken.real?.(key, { target: { name: 'elsewhere' } })
    throw unanswered()
  })
  expect(await taken.bind()).toBe('binding rejected: nobody answers')
  const gone = await stage()
  gone.api.posts.set('pods/binding', async (key) => {
    await gone.api.delete(pods, key, { gracePeriodSeconds: 0 })
    throw unanswered()
  })
  expect(await gone.bind()).toBe('binding rejected: nobody answers')
})

test('a fault of the server is told, for the pod to be tried anew', async () => {
  const { api, bind, posted } = await stage()
  api.posts.set('pods/binding', () => {
    throw new StatusError(500, 'InternalError', 'out of order')
  })
  expect([await bind(), posted()]).toEqual(['binding rejected: out of order', 1])
})

test('a refusal is one', async () => {
  const { api, bind, posted } = await stage()
  api.posts.set('pods/binding', () => {
    throw new StatusError(409, 'Conflict', 'it is assigned already')
  })
  expect([await bind(), posted()]).toEqual(['binding rejected: it is assigned already', 1])
})
