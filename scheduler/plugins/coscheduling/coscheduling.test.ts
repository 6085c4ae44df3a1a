import { afterEach, beforeEach, expect, test } from 'vitest'
import { EventRecorder } from '../../../client/events.ts'
import { InformerFactory } from '../../../client/informer.ts'
import { silentLogger } from '../../../client/logger.ts'
import { events as eventRef, nodes, pods } from '../../../client/resources.ts'
import { FakeClock } from '../../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import { SchedulerMetrics } from '../../metrics.ts'
import { Scheduler } from '../../scheduler.ts'
import { node, type PodParts, pod } from '../../testing/builders.ts'

let clock: FakeClock
let api: MemoryApi
let events: EventRecorder
let stop: AbortController
let running: Promise<void>
let scheduler: Scheduler

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  events = new EventRecorder(api, { component: 'default-scheduler' }, { clock })
  stop = new AbortController()
  const informers = new InformerFactory(api, { clock })
  const common = { api, informers, clock, log: silentLogger, metrics: new SchedulerMetrics() }
  scheduler = new Scheduler({ ...common, eventsOf: () => events })
  await informers.start(stop.signal)
  running = scheduler.run(stop.signal)
})

afterEach(async () => {
  stop.abort(new Error('the test is over'))
  await running
})

const addNode = (name: string, cpu: string) => api.create(nodes, node({ name, cpu }))
const addPod = (parts: PodParts) => api.create(pods, pod(parts))
const addMember = (gang: string, i: number, minMembers: number, parts: PodParts = {}) => {
  const annotations = { 'gantry.dev/gang': gang, 'gantry.dev/gang-min-members': String(minMembers) }
  return addPod({ name: `${gang}-${i}`, cpu: '1', metadata: { annotations }, ...parts })
}
/** Lets everything happen that needs no time. */
const settle = async () => {
  for (let i = 0; i < 4; i++) await clock.advance(0)
  await events.flush()
}
/** Time passes in small steps, so that what happens has its consequences. */
const pass = async (seconds: number) => {
  for (let i = 0; i < seconds * 2; i++) {
    await clock.advance(500)
    await settle()
  }
}
const bound = () =>
  api
    .objects(pods)
    .flatMap(({ metadata, spec }) => (spec?.nodeName ? [metadata.name] : []))
    .sort()
const told = () => api.objects(eventRef).filter(({ reason }) => reason === 'FailedScheduling')

test('a gang waits until there are enough of it, and then all of it goes', async () => {
  await addNode('a', '4')
  await addMember('g', 1, 3)
  await addMember('g', 2, 3)
  await settle()
  expect(bound()).toEqual([])
  expect(scheduler.queue.sizes().gated).toBe(2)
  await addMember('g', 3, 3)
  await settle()
  expect(bound()).toEqual(['g-1', 'g-2', 'g-3'])
  await addMember('g', 4, 3)
  await settle()
  expect(bound()).toContain('g-4')
})

test('without room for all, none goes, and others get what was kept for it', async () => {
  await addNode('a', '2')
  for (const i of [1, 2, 3]) await addMember('g', i, 3)
  await settle()
  expect(bound()).toEqual([])
  expect(scheduler.cache.assumedCount).toBe(0)
  expect(
    told()
      .map(({ message }) => message)
      .join('\n'),
  ).toContain('gang g: the nodes kept for its other pods are given back')
  await addPod({ name: 'other', cpu: '2' })
  await settle()
  expect(bound()).toEqual(['other'])
  await addNode('b', '4')
  await pass(5)
  expect(bound()).toEqual(['g-1', 'g-2', 'g-3', 'other'])
})

test('who waits for a mate in vain gives its node back after a while', async () => {
  await addNode('a', '4')
  await addMember('g', 1, 2)
  await addMember('g', 2, 2, { schedulerName: 'nobody' })
  await settle()
  expect(scheduler.cache.assumedCount).toBe(1)
  await pass(61)
  expect(bound()).toEqual([])
  const messages = told().map(({ message }) => message)
  expect(messages.join('\n')).toContain('rejected due to timeout after waiting 60s at plugin Coscheduling')
})

test('of two gangs with room for one, one goes', async () => {
  await addNode('a', '4')
  for (const i of [1, 2, 3]) {
    await addMember('g', i, 3)
    await addMember('h', i, 3)
  }
  await pass(30)
  const names = bound()
  expect(names).toHaveLength(3)
  expect(new Set(names.map((name) => name[0])).size).toBe(1)
})

test('a gang that does not fit is not tried over and over', async () => {
  await addNode('a', '2')
  for (const i of [1, 2, 3]) await addMember('g', i, 3)
  await pass(120)
  expect(told().reduce((sum, { count = 1 }) => sum + count, 0)).toBe(3)
  expect(scheduler.cache.assumedCount).toBe(0)
})

test('a gang that fails again and again rests for longer and longer, and is tried still', async () => {
  await addNode('a', '2')
  for (const i of [1, 2, 3]) await addMember('g', i, 3)
  for (let i = 0; i < 60; i++) {
    // News that could help, and does not.
    await addNode(`small-${i}`, '500m')
    await pass(1)
  }
  const tries = told().reduce((sum, { count = 1 }) => sum + count, 0)
  expect(tries).toBeGreaterThan(6)
  expect(tries).toBeLessThan(25)
  await addNode('large', '4')
  await pass(70)
  expect(bound()).toHaveLength(3)
})

test('a mate that is deleted is waited for no longer', async () => {
  await addNode('a', '1')
  await addMember('g', 1, 2, { terminationGracePeriodSeconds: 0 })
  await addMember('g', 2, 2)
  await settle()
  await api.delete(pods, { namespace: 'default', name: 'g-1' })
  await addNode('b', '4')
  await pass(5)
  expect(bound()).toEqual([])
  expect(scheduler.queue.sizes()).toMatchObject({ active: 0, backoff: 0, gated: 1 })
})
