import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Pod } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { EventRecorder } from '../client/events.ts'
import { InformerFactory } from '../client/informer.ts'
import { silentLogger } from '../client/logger.ts'
import { events as eventRef, nodes, pods } from '../client/resources.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import type { Live } from '../client/types.ts'
import type { refusal } from './framework/refusal.ts'
import { SchedulerMetrics } from './metrics.ts'
import { defaultArgs } from './plugins/args.ts'
import { defaultPlugins, defaultProfile, type ProfileContext, pluginMakers, type SchedulerProfile } from './profile.ts'
import { Scheduler, type SchedulerOptions } from './scheduler.ts'
import { type NodeParts, node, type PodParts, pod } from './testing/builders.ts'

let clock: FakeClock
let api: MemoryApi
let events: EventRecorder
let metrics: SchedulerMetrics
let stop: AbortController
let running: Promise<void>
let scheduler: Scheduler

beforeEach(() => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  events = new EventRecorder(api, { component: 'default-scheduler' }, { clock })
  metrics = new SchedulerMetrics()
  stop = new AbortController()
})

afterEach(async () => {
  stop.abort(new Error('the test is over'))
  await running
})

async function start(options: Partial<SchedulerOptions> = {}): Promise<void> {
  const informers = new InformerFactory(api, { clock })
  scheduler = new Scheduler({ api, informers, eventsOf: () => events, clock, log: silentLogger, metrics, ...options })
  await informers.start(stop.signal)
  running = scheduler.run(stop.signal)
}

const addNode = (parts: NodeParts) => api.create(nodes, node(parts))
const addPod = (parts: PodParts) => api.create(pods, pod(parts))
const getPod = (name: string): Live<Pod> =>
  api.objects(pods).find(({ metadata }) => metadata.name === name) as Live<Pod>
const nodeOf = (name: string): string | undefined => getPod(name)?.spec?.nodeName
const told = (reason: string): string[] =>
  api
    .objects(eventRef)
    .filter((event) => event.reason === reason)
    .map(({ involvedObject, message }) => `${involvedObject?.name}: ${message}`)

/** Lets everything happen that needs no time. */
const settle = async () => {
  await clock.advance(0)
  await clock.advance(0)
  await events.flush()
  await clock.advance(0)
}

test('a pod gets the node with the most left, and the world is told', async () => {
  await addNode({ name: 'small', cpu: '1' })
  await addNode({ name: 'large', cpu: '8' })
  await start()
  await addPod({ name: 'web', cpu: '500m' })
  await settle()
  expect(nodeOf('web')).toBe('large')
  expect(told('Scheduled')).toEqual(['web: Successfully assigned default/web to large'])
})

test('a pod of another scheduler is left alone', async () => {
  await addNode({})
  await start()
  await addPod({ name: 'theirs', schedulerName: 'other' })
  await settle()
  expect(nodeOf('theirs')).toBeUndefined()
  expect(api.calls.filter(({ verb }) => verb === 'post' || verb === 'patch')).toEqual([])
})

test('each pod is scheduled by the profile that it asks for, and told of in its name', async () => {
  await addNode({ name: 'full', cpu: '4' })
  await addNode({ name: 'empty', cpu: '4' })
  await addPod({ name: 'there', node: 'full', cpu: '2' })
  const packing: SchedulerProfile = {
    schedulerName: 'packing',
    assemble: (context) => ({
      plugins: defaultPlugins.map((name) => ({
        plugin: pluginMakers[name](context, {
          ...defaultArgs,
          NodeResourcesFit: {
            ...defaultArgs.NodeResourcesFit,
            scoringStrategy: { ...defaultArgs.NodeResourcesFit.scoringStrategy, type: 'MostAllocated' },
          },
        }),
        weight: name === 'NodeResourcesFit' ? 100 : 1,
      })),
    }),
  }
  const usual: SchedulerProfile = {
    schedulerName: 'default-scheduler',
    assemble: (context) => ({ plugins: defaultProfile(context) }),
  }
  const packer = new EventRecorder(api, { component: 'packing' }, { clock })
  await start({ profiles: [usual, packing], eventsOf: (name) => (name === 'packing' ? packer : events) })
  await addPod({ name: 'spread', cpu: '1' })
  await addPod({ name: 'packed', cpu: '1', schedulerName: 'packing' })
  await settle()
  await packer.flush()
  expect([nodeOf('spread'), nodeOf('packed')]).toEqual(['empty', 'full'])
  expect(
    api.objects(eventRef).map(({ involvedObject, source }) => `${involvedObject?.name} ${source?.component}`),
  ).toEqual(expect.arrayContaining(['spread default-scheduler', 'packed packing']))
  const text = await metrics.registry.metrics()
  expect(text).toContain('scheduler_schedule_attempts_total{result="scheduled",profile="packing"} 1')
})

describe('a pod that fits nowhere', () => {
  test('is told why, by the number of nodes for each reason', async () => {
    await addNode({ name: 'a', cpu: '1' })
    await addNode({ name: 'b', cpu: '1' })
    await addNode({ name: 'c', taints: [{ key: 'only', value: 'others', effect: 'NoSchedule' }] })
    await start()
    await addPod({ name: 'big', cpu: '2' })
    await settle()
    const message =
      '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. ' +
      'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'
    expect(told('FailedScheduling')).toEqual([`big: ${message}`])
    expect(getPod('big').status?.conditions).toEqual([
      expect.objectContaining({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }),
    ])
  })

  test('is tried again when a node comes that would do, and not when one comes that would not', async () => {
    await addNode({ name: 'small', cpu: '1' })
    await start()
    await addPod({ name: 'big', cpu: '2' })
    await settle()
    await addNode({ name: 'small-too', cpu: '1' })
    await settle()
    expect(told('FailedScheduling')).toHaveLength(1)
    await addNode({ name: 'large', cpu: '4' })
    await settle()
    expect(nodeOf('big')).toBe('large')
  })

  test('is tried again when a pod goes that took its place', async () => {
    await addNode({ name: 'a', cpu: '1' })
    await start()
    await addPod({ name: 'first', cpu: '800m', terminationGracePeriodSeconds: 0 })
    await settle()
    await addPod({ name: 'second', cpu: '800m' })
    await settle()
    expect(nodeOf('second')).toBeUndefined()
    await api.delete(pods, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 })
    await settle()
    expect(nodeOf('second')).toBe('a')
  })

  test('where there is no node at all, waits for the first', async () => {
    await start()
    await addPod({ name: 'early' })
    await settle()
    expect(told('FailedScheduling')).toEqual(['early: no nodes available to schedule pods'])
    await addNode({ name: 'first' })
    await settle()
    expect(nodeOf('early')).toBe('first')
  })

  test('is tried again after five minutes whatever happened', async () => {
    await addNode({ cpu: '1' })
    await start()
    await addPod({ name: 'big', cpu: '2' })
    await settle()
    const tries = () => scheduler.queue.sizes().unschedulable
    expect(tries()).toBe(1)
    await clock.advance(6 * 60_000)
    await settle()
    const [event] = api.objects(eventRef)
    expect(event?.count).toBe(2)
  })
})

test('a pod with scheduling gates is not tried before the last is gone', async () => {
  await addNode({})
  await start()
  await addPod({ name: 'gated', schedulingGates: [{ name: 'wait' }] })
  await settle()
  expect(nodeOf('gated')).toBeUndefined()
  expect(scheduler.queue.sizes()).toMatchObject({ gated: 1, unschedulable: 0 })
  api.edit(pods, { namespace: 'default', name: 'gated' }, ({ spec }) => {
    if (spec) spec.schedulingGates = []
  })
  await settle()
  expect(nodeOf('gated')).toBe('node')
})

describe('a binding that fails', () => {
  test('frees the place, is told, and is tried again after a while', async () => {
    await addNode({})
    await start()
    let failures = 1
    api.fault = ({ subresource }) => {
      if (subresource === 'binding' && failures-- > 0) throw new StatusError(500, 'InternalError', 'out of order')
    }
    await addPod({ name: 'unlucky' })
    await settle()
    expect(told('FailedScheduling')).toEqual([
      'unlucky: running Bind plugin "DefaultBinder": binding rejected: out of order',
    ])
    expect(getPod('unlucky').status?.conditions?.[0]?.reason).toBe('SchedulerError')
    expect(scheduler.cache.assumedCount).toBe(0)
    await clock.advance(3000)
    await settle()
    expect(nodeOf('unlucky')).toBe('node')
  })

  test('of a pod that is gone is forgotten', async () => {
    await addNode({})
    await start()
    api.fault = async ({ subresource, key }) => {
      if (subresource !== 'binding') return
      await api.delete(pods, { namespace: 'default', name: key.split('/')[1] as string })
      await clock.sleep(10)
    }
    await addPod({ name: 'brief' })
    await settle()
    await clock.advance(20)
    await settle()
    expect(scheduler.queue.sizes()).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 0 })
    expect(scheduler.cache.podCount).toBe(0)
  })
})

describe('a pod of higher priority', () => {
  test('makes room by removing one of lower priority, and gets its node', async () => {
    await addNode({ name: 'a', cpu: '1' })
    await start()
    await addPod({ name: 'low', cpu: '800m', priority: 1, terminationGracePeriodSeconds: 30 })
    await settle()
    await addPod({ name: 'high', cpu: '800m', priority: 100 })
    await settle()
    expect(getPod('low').metadata.deletionTimestamp).toBeDefined()
    expect(getPod('low').status?.conditions).toEqual([
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }),
    ])
    expect(getPod('high').status?.nominatedNodeName).toBe('a')
    expect(told('FailedScheduling')).toEqual(['high: 0/1 nodes are available: 1 Insufficient cpu.'])
    expect(told('Preempted')).toEqual([`low: Preempted by pod ${getPod('high').metadata.uid} on node a`])
    await api.delete(pods, { namespace: 'default', name: 'low' }, { gracePeriodSeconds: 0 })
    await settle()
    expect(nodeOf('high')).toBe('a')
  })

  test('that may not preempt waits', async () => {
    await addNode({ name: 'a', cpu: '1' })
    await start()
    await addPod({ name: 'low', cpu: '800m', priority: 1 })
    await settle()
    await addPod({ name: 'polite', cpu: '800m', priority: 100, preemptionPolicy: 'Never' })
    await settle()
    expect(getPod('low').metadata.deletionTimestamp).toBeUndefined()
    expect(told('FailedScheduling')).toEqual([
      'polite: 0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
    ])
  })

  test('keeps the room that is promised to it from those of lower priority', async () => {
    await addNode({ name: 'a', cpu: '1' })
    await start()
    await addPod({ name: 'low', cpu: '800m', priority: 1 })
    await settle()
    await addPod({ name: 'high', cpu: '500m', priority: 100 })
    await settle()
    expect(getPod('high').status?.nominatedNodeName).toBe('a')
    await addPod({ name: 'sneaky', cpu: '600m', priority: 5, preemptionPolicy: 'Never' })
    await settle()
    await api.delete(pods, { namespace: 'default', name: 'low' }, { gracePeriodSeconds: 0 })
    await settle()
    expect(nodeOf('high')).toBe('a')
    expect(nodeOf('sneaky')).toBeUndefined()
  })
})

describe('a plugin of the permit point', () => {
  const withPermit = (until: Promise<undefined | ReturnType<typeof refusal>>, timeoutMs = 1000) => ({
    profiles: [
      {
        schedulerName: 'default-scheduler',
        assemble: (context: ProfileContext) => ({
          plugins: [
            ...defaultProfile(context),
            { plugin: { name: 'Permission', permit: () => ({ until, timeoutMs }) }, weight: 0 },
          ],
        }),
      },
    ],
  })

  test('holds a pod back until it may go', async () => {
    await addNode({})
    let allow = () => {}
    await start(withPermit(new Promise((resolve) => (allow = () => resolve(undefined)))))
    await addPod({ name: 'waiting' })
    await settle()
    expect(nodeOf('waiting')).toBeUndefined()
    allow()
    await settle()
    expect(nodeOf('waiting')).toBe('node')
  })

  test('refuses it by not answering in time', async () => {
    await addNode({})
    await start(withPermit(new Promise(() => {})))
    await addPod({ name: 'waiting' })
    await settle()
    await clock.advance(1100)
    await settle()
    expect(told('FailedScheduling')[0]).toContain('rejected due to timeout after waiting 1s at plugin Permission')
    expect(scheduler.cache.assumedCount).toBe(0)
  })
})

describe('what was decided', () => {
  test('is kept of a pod that got a node, with the scores of the best', async () => {
    await addNode({ name: 'small', cpu: '2' })
    await addNode({ name: 'large', cpu: '8' })
    await start()
    await addPod({ name: 'web', cpu: '1' })
    await settle()
    const { decision } = scheduler.why('default', 'web', getPod('web').metadata.uid) ?? {}
    expect(decision).toMatchObject({ result: 'scheduled', nodeName: 'large', nodes: 2, evaluated: 2, feasible: 2 })
    expect(decision?.best.map(({ node: name }) => name)).toEqual(['large', 'small'])
    const [best] = decision?.best ?? []
    expect(best?.total).toBe(Object.values(best?.scores ?? {}).reduce((sum, score) => sum + score, 0))
    expect(scheduler.why('default', 'web', 'another')).toBeUndefined()
  })

  test('is kept of a pod that waits, with what would have to change now', async () => {
    await addNode({ name: 'a', cpu: '1' })
    await addNode({ name: 'b', cpu: '1', unschedulable: true })
    await start()
    await addPod({ name: 'big', cpu: '2' })
    await settle()
    expect(scheduler.why('default', 'big')).toMatchObject({
      decision: {
        result: 'unschedulable',
        message: expect.stringContaining('0/2 nodes are available'),
        refusals: [
          { plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'], nodes: 1, examples: ['a'] },
          { plugin: 'NodeUnschedulable', nodes: 1, examples: ['b'] },
        ],
      },
      remedies: ['1 more cpu on a (1 of 1 is free, the pod asks for 2)'],
    })
  })

  test('is forgotten with the pod', async () => {
    await addNode({ name: 'a' })
    await start()
    await addPod({ name: 'web', terminationGracePeriodSeconds: 0 })
    await settle()
    expect(scheduler.why('default', 'web')).toBeDefined()
    await api.delete(pods, { namespace: 'default', name: 'web' })
    await settle()
    expect(scheduler.why('default', 'web')).toBeUndefined()
  })
})

test('metrics tell how many were scheduled and how many wait', async () => {
  await addNode({ cpu: '1' })
  await start()
  await addPod({ name: 'one', cpu: '100m' })
  await addPod({ name: 'huge', cpu: '64' })
  await settle()
  const text = await metrics.registry.metrics()
  expect(text).toContain('scheduler_schedule_attempts_total{result="scheduled",profile="default-scheduler"} 1')
  expect(text).toContain('scheduler_schedule_attempts_total{result="unschedulable",profile="default-scheduler"} 1')
  expect(text).toContain('scheduler_pending_pods{queue="unschedulable"} 1')
  expect(text).toContain('scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"} 1')
})

test('2,000 pods get their places on 1,000 nodes in a few seconds, evenly', async () => {
  for (let i = 0; i < 1000; i++) {
    await addNode({ name: `node-${i}`, cpu: '4', labels: { 'topology.kubernetes.io/zone': `zone-${i % 3}` } })
  }
  for (let i = 0; i < 2000; i++)
    await addPod({ name: `pod-${i}`, cpu: '100m', memory: '64Mi', labels: { app: 'many' } })
  const startedAt = performance.now()
  await start()
  // MemoryApi looks through its whole history at every event: the bindings are answered without it.
  const bound = new Map<string, string>()
  api.posts.set('pods/binding', ({ name }, body) => {
    bound.set(name, (body as { target: { name: string } }).target.name)
  })
  for (let i = 0; i < 400 && bound.size < 2000; i++) await clock.advance(0)
  expect(bound.size).toBe(2000)
  expect(performance.now() - startedAt).toBeLessThan(20_000)
  const perNode = new Map<string, number>()
  for (const name of bound.values()) perNode.set(name, (perNode.get(name) ?? 0) + 1)
  expect(Math.max(...perNode.values())).toBeLessThanOrEqual(3)
}, 60_000)
