import { beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { Plugin } from '../framework/plugin.ts'
import { refusal } from '../framework/refusal.ts'
import { prioritySort } from '../plugins/priority-sort.ts'
import { schedulingGates } from '../plugins/scheduling-gates.ts'
import { node, type PodParts, podInfo } from '../testing/builders.ts'
import type { QueuedPod } from './queued-pod.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

const fit: Plugin = {
  name: 'Fit',
  hints: [
    { on: ['Pod/Delete'] },
    { on: ['Node/Add'], worthATry: (pod, { node }) => node?.after?.metadata.name === pod.labels.wants },
  ],
}
const labelled: Plugin = {
  name: 'Labelled',
  hints: [{ on: ['Pod/UpdateLabel'], worthATry: (pod, { pod: changed }) => changed?.after?.uid === pod.uid }],
}

let clock: FakeClock
let queue: SchedulingQueue
let incoming: string[]

beforeEach(() => {
  clock = new FakeClock(0)
  incoming = []
  queue = new SchedulingQueue({
    clock,
    profiles: new Map([['default-scheduler', [prioritySort, schedulingGates, fit, labelled]]]),
    onIncoming: (name, cause) => incoming.push(`${name} ${cause}`),
  })
})

const named = (name: string, parts: PodParts = {}) => podInfo({ name, uid: name, ...parts })
const next = (): QueuedPod => queue.next() as QueuedPod
const refusedBy = (...plugins: string[]) => ({ rejectors: new Set(plugins), pending: new Set<string>() })
const failed = refusedBy()
const onNode = (name: string) => ({ node: { after: node({ name }) } })

test('each profile has its own opinion of what is worth a try', () => {
  const never: Plugin = { name: 'Fit', hints: [{ on: ['Pod/Delete'], worthATry: () => false }] }
  queue = new SchedulingQueue({
    clock,
    profiles: new Map([
      ['default-scheduler', [prioritySort, fit]],
      ['other', [prioritySort, never]],
    ]),
  })
  for (const schedulerName of ['default-scheduler', 'other']) {
    queue.add(named(schedulerName, { schedulerName }))
    queue.giveBack(next(), refusedBy('Fit'))
  }
  expect(queue.rejected()).toEqual([
    { plugin: 'Fit', profile: 'default-scheduler', pods: 1 },
    { plugin: 'Fit', profile: 'other', pods: 1 },
  ])
  queue.moveOn('Pod/Delete', {})
  expect(next().pod.name).toBe('default-scheduler')
  expect(queue.next()).toBeUndefined()
})

describe('order', () => {
  test('the highest priority comes first, then who has waited longest', async () => {
    queue.add(named('old'))
    await clock.advance(10)
    queue.add(named('urgent', { priority: 10 }))
    await clock.advance(10)
    queue.add(named('young'))
    expect([next().pod.name, next().pod.name, next().pod.name]).toEqual(['urgent', 'old', 'young'])
    expect(queue.next()).toBeUndefined()
  })

  test('a priority that changes while waiting counts', () => {
    queue.add(named('a'))
    queue.add(named('b'))
    queue.update(named('b'), named('b', { priority: 5 }))
    expect(next().pod.name).toBe('b')
  })
})

describe('a refused pod', () => {
  const refuse = (name: string, ...plugins: string[]) => {
    queue.add(named(name, { labels: { wants: 'big' } }))
    queue.giveBack(next(), refusedBy(...plugins))
  }

  test('rests until an event that its plugin waits for', () => {
    refuse('pod', 'Fit')
    expect(queue.sizes()).toEqual({ active: 0, backoff: 0, unschedulable: 1, gated: 0 })
    queue.moveOn('Node/UpdateTaint', onNode('big'))
    queue.moveOn('Node/Add', onNode('small'))
    expect(queue.sizes().unschedulable).toBe(1)
    queue.moveOn('Node/Add', onNode('big'))
    expect(queue.sizes()).toEqual({ active: 0, backoff: 1, unschedulable: 0, gated: 0 })
    expect(incoming.at(-1)).toBe('backoff NodeAdd')
  })

  test('is not woken by what another plugin waits for', () => {
    refuse('pod', 'Labelled')
    queue.moveOn('Pod/Delete', {})
    expect(queue.sizes().unschedulable).toBe(1)
  })

  test('is not woken by an event that is not meant for it', () => {
    refuse('pod', 'Fit')
    queue.moveOn('Pod/Delete', {}, ({ name }) => name !== 'pod')
    expect(queue.sizes().unschedulable).toBe(1)
  })

  test('is active at once when its back-off is over by then', async () => {
    refuse('pod', 'Fit')
    await clock.advance(3000)
    queue.moveOn('Pod/Delete', {})
    expect(queue.sizes().active).toBe(1)
  })

  test('is tried again when it changes in a way that may help, and not for another change', () => {
    refuse('pod', 'Labelled')
    const before = named('pod', { labels: { wants: 'big' } })
    queue.update(before, named('pod', { labels: { wants: 'big' }, status: { phase: 'Pending' } }))
    expect(queue.sizes().unschedulable).toBe(1)
    queue.update(before, named('pod', { labels: { wants: 'small' } }))
    expect(queue.sizes().backoff).toBe(1)
  })

  test('is tried again after five minutes without any event', async () => {
    refuse('pod', 'Fit')
    await clock.advance(300_000)
    queue.flush()
    expect(queue.sizes().unschedulable).toBe(1)
    await clock.advance(1)
    queue.flush()
    expect(queue.sizes().active).toBe(1)
    expect(next().flushed).toBe(true)
  })

  test('that has been deleted is gone', () => {
    refuse('pod', 'Fit')
    queue.delete('pod')
    queue.moveOn('Pod/Delete', {})
    expect(queue.next()).toBeUndefined()
    expect(queue.rejected()).toContainEqual({ plugin: 'Fit', profile: 'default-scheduler', pods: 0 })
  })

  test('counts for each plugin that refused it', () => {
    refuse('a', 'Fit', 'Labelled')
    refuse('b', 'Fit')
    expect(queue.rejected()).toEqual([
      { plugin: 'Fit', profile: 'default-scheduler', pods: 2 },
      { plugin: 'Labelled', profile: 'default-scheduler', pods: 1 },
    ])
  })
})

describe('back-off', () => {
  test('doubles with each refusal from one second to ten', () => {
    queue.add(named('pod'))
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      const queued = next()
      queue.giveBack(queued, refusedBy('Fit'))
      waits.push(queued.backoffUntil)
      queue.activate('pod')
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  test('is cut short when there is nothing else to do', () => {
    queue.add(named('pod'))
    queue.giveBack(next(), refusedBy('Fit'))
    queue.moveOn('Pod/Delete', {})
    expect(queue.sizes().backoff).toBe(1)
    expect(next().pod.name).toBe('pod')
  })

  test('gives way to those that are active', () => {
    queue.add(named('refused', { priority: 100 }))
    queue.giveBack(next(), refusedBy('Fit'))
    queue.moveOn('Pod/Delete', {})
    queue.add(named('fresh'))
    expect(next().pod.name).toBe('fresh')
  })

  test('of a failure is never cut short: it spares the API server', async () => {
    queue.add(named('pod'))
    queue.giveBack(next(), failed)
    expect(queue.next()).toBeUndefined()
    await clock.advance(1999)
    expect(queue.next()).toBeUndefined()
    await clock.advance(1)
    expect(next().pod.name).toBe('pod')
  })

  test('of failures starts anew after a refusal', () => {
    queue.add(named('pod'))
    for (const outcome of [failed, failed, refusedBy('Fit')]) {
      const queued = next()
      queue.giveBack(queued, outcome)
      queue.activate('pod')
      expect([queued.errors, queued.refusals]).toEqual(outcome === failed ? [expect.any(Number), 0] : [0, 1])
    }
  })
})

describe('waiting', () => {
  const waits = async (until: () => void | Promise<void>) => {
    let woken = false
    const stop = new AbortController()
    const waiting = queue.wait(stop.signal).then(() => {
      woken = true
    })
    await clock.advance(0)
    expect(woken).toBe(false)
    await until()
    await clock.advance(0)
    const result = woken
    stop.abort()
    await waiting
    return result
  }

  test('ends when a pod comes', async () => {
    expect(await waits(() => queue.add(named('pod')))).toBe(true)
  })

  test('ends when a failed one may be tried again', async () => {
    queue.add(named('pod'))
    queue.giveBack(next(), failed)
    expect(await waits(() => clock.advance(1500))).toBe(false)
    expect(await waits(() => clock.advance(500))).toBe(true)
    expect(next().pod.name).toBe('pod')
  })

  test('goes on while what comes is kept out of the queue', async () => {
    expect(await waits(() => queue.add(named('gated', { schedulingGates: [{ name: 'wait' }] })))).toBe(false)
  })
})

describe('a gated pod', () => {
  const gates = { schedulingGates: [{ name: 'wait' }] }

  test('is not woken by anything but the end of its gates', async () => {
    queue.add(named('pod', gates))
    expect(queue.sizes().gated).toBe(1)
    queue.moveOn('Pod/Delete', {})
    await clock.advance(600_000)
    queue.flush()
    expect(queue.sizes().gated).toBe(1)
    queue.update(named('pod', gates), named('pod'))
    expect(queue.sizes()).toEqual({ active: 1, backoff: 0, unschedulable: 0, gated: 0 })
  })

  test('can be gated by a plugin for a while, after a refusal too', () => {
    let busy = true
    const busyGate: Plugin = {
      name: 'Busy',
      hints: [{ on: ['Pod/Delete'], worthATry: () => false }],
      preEnqueue: () => (busy ? refusal('Busy', 'UnschedulableAndUnresolvable', 'busy') : undefined),
    }
    queue = new SchedulingQueue({ clock, profiles: new Map([['default-scheduler', [prioritySort, busyGate, fit]]]) })
    busy = false
    queue.add(named('pod'))
    queue.giveBack(next(), refusedBy('Fit'))
    busy = true
    queue.moveOn('Pod/Delete', {})
    expect(queue.sizes().gated).toBe(1)
    busy = false
    queue.moveOn('Pod/Delete', {})
    expect(queue.sizes().backoff).toBe(1)
  })

  test('that was to be tried while a plugin gated it is tried when that is over, and no other', () => {
    let busy = false
    const busyGate: Plugin = {
      name: 'Busy',
      preEnqueue: () => (busy ? refusal('Busy', 'UnschedulableAndUnresolvable', 'busy') : undefined),
    }
    queue = new SchedulingQueue({ clock, profiles: new Map([['default-scheduler', [prioritySort, busyGate, fit]]]) })
    for (const name of ['wanted', 'resting']) {
      queue.add(named(name))
      queue.giveBack(next(), refusedBy('Fit'))
    }
    busy = true
    queue.moveOn('Node/Add', onNode('any'))
    queue.update(named('wanted'), named('wanted', { labels: { wants: 'any' } }))
    queue.moveOn('Node/Add', onNode('any'))
    busy = false
    queue.opened('wanted')
    queue.opened('resting')
    expect(queue.sizes()).toEqual({ active: 0, backoff: 1, unschedulable: 1, gated: 0 })
  })
})

test('a pod keeps the node it is promised until it goes', () => {
  queue.add(named('pod', { status: { nominatedNodeName: 'a' } }))
  expect(queue.nominations.on('a').map(({ name }) => name)).toEqual(['pod'])
  queue.update(
    named('pod', { status: { nominatedNodeName: 'a' } }),
    named('pod', { status: { nominatedNodeName: 'b' } }),
  )
  expect(queue.nominations.nodeOf('pod')).toBe('b')
  expect(queue.nominations.on('a')).toEqual([])
  queue.delete('pod')
  expect(queue.nominations.nodeOf('pod')).toBe('')
})
