import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EventRecorder } from '../../client/events.ts'
import { InformerFactory } from '../../client/informer.ts'
import { silentLogger } from '../../client/logger.ts'
import { events as eventRef, nodes, pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { ExtenderConfig } from '../configuration/types.ts'
import { SchedulerMetrics } from '../metrics.ts'
import { Scheduler } from '../scheduler.ts'
import { type NodeParts, node, type PodParts, pod } from '../testing/builders.ts'
import { newHttpExtender } from './http-extender.ts'

type Answers = Record<string, (body: Record<string, unknown>) => unknown>

let clock: FakeClock
let api: MemoryApi
let stop: AbortController
let running: Promise<void>
let server: Server
let answers: Answers
/** What has been asked: verbs in their order. */
let asked: string[]

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  stop = new AbortController()
  answers = {}
  asked = []
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const verb = request.url?.split('/').at(-1) ?? ''
      asked.push(verb)
      const answer = await answers[verb]?.(JSON.parse(Buffer.concat(chunks).toString()))
      response.writeHead(answer === undefined ? 500 : 200).end(JSON.stringify(answer ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
})

afterEach(async () => {
  stop.abort(new Error('the test is over'))
  await running
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function start(...configs: Partial<ExtenderConfig>[]): Promise<Scheduler> {
  const urlPrefix = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`
  const informers = new InformerFactory(api, { clock })
  const events = new EventRecorder(api, { component: 'default-scheduler' }, { clock })
  const extenders = configs.map((config) => newHttpExtender({ urlPrefix, ...config }))
  const common = { api, informers, clock, log: silentLogger, metrics: new SchedulerMetrics() }
  const scheduler = new Scheduler({ ...common, eventsOf: () => events, extenders })
  await informers.start(stop.signal)
  running = scheduler.run(stop.signal)
  return scheduler
}

const addNode = (parts: NodeParts) => api.create(nodes, node(parts))
const addPod = (parts: PodParts) => api.create(pods, pod(parts))
const getPod = (name: string) => api.objects(pods).find(({ metadata }) => metadata.name === name)
const isOn = (name: string, expected: string) =>
  vi.waitFor(async () => {
    await clock.advance(0)
    expect(getPod(name)?.spec?.nodeName).toBe(expected)
  })
const isRefused = (message: string) =>
  vi.waitFor(async () => {
    await clock.advance(0)
    const told = api.objects(eventRef).filter(({ reason }) => reason === 'FailedScheduling')
    expect(told.map((event) => event.message).join('\n')).toContain(message)
  })
const itemsOf = (body: Record<string, unknown>) => (body.Nodes as { items: { metadata: { name: string } }[] }).items

test('an extender takes nodes away, and sees the whole of the pod and of the nodes', async () => {
  await addNode({ name: 'a', cpu: '8' })
  await addNode({ name: 'b' })
  let seen: Record<string, unknown> = {}
  answers.filter = (body) => {
    seen = body
    return { Nodes: { items: itemsOf(body).filter(({ metadata }) => metadata.name === 'b') }, FailedNodes: { a: 'no' } }
  }
  await start({ filterVerb: 'filter' })
  await addPod({ name: 'web', metadata: { annotations: { note: 'all of it' } } })
  await isOn('web', 'b')
  expect(seen.Pod).toMatchObject({ kind: 'Pod', metadata: { annotations: { note: 'all of it' } } })
  expect(itemsOf(seen)).toHaveLength(2)
  expect(seen.NodeNames).toBeUndefined()
})

test('one that knows the nodes is told their names, and may answer in lower case', async () => {
  await addNode({ name: 'a', cpu: '8' })
  await addNode({ name: 'b' })
  answers.filter = (body) => ({ nodenames: (body.NodeNames as string[]).filter((name) => name !== 'a') })
  await start({ filterVerb: 'filter', nodeCacheCapable: true })
  await addPod({ name: 'web' })
  await isOn('web', 'b')
})

test('what it says of the nodes it refuses is told, and makes them no candidates for preemption', async () => {
  await addNode({ name: 'a' })
  await addNode({ name: 'b' })
  answers.filter = () => ({
    NodeNames: [],
    FailedNodes: { a: 'too hot' },
    FailedAndUnresolvableNodes: { b: 'too far' },
  })
  await start({ filterVerb: 'filter', nodeCacheCapable: true })
  await addPod({ name: 'web', priority: 5 })
  await isRefused('0/2 nodes are available: 1 too far, 1 too hot.')
})

test('its scores weigh ten times what it says, and its own weight', async () => {
  await addNode({ name: 'a', cpu: '8' })
  await addNode({ name: 'b' })
  answers.rank = () => [
    { Host: 'a', Score: 0 },
    { Host: 'b', Score: 10 },
  ]
  await start({ prioritizeVerb: 'rank', weight: 5 })
  await addPod({ name: 'web' })
  await isOn('web', 'b')
})

test('a failing one is passed over if it may, and its scores are always', async () => {
  await addNode({ name: 'a' })
  await addNode({ name: 'b' })
  await start({ filterVerb: 'broken', prioritizeVerb: 'broken', weight: 1, ignorable: true })
  await addPod({ name: 'web' })
  await vi.waitFor(async () => {
    await clock.advance(0)
    expect(getPod('web')?.spec?.nodeName).toMatch(/a|b/)
  })
  expect(asked).toEqual(['broken', 'broken'])
})

test('a failing one that may not keeps pods waiting, and is asked again', async () => {
  await addNode({ name: 'a' })
  await start({ filterVerb: 'filter' })
  await addPod({ name: 'web' })
  await isRefused('failed filter with extender at URL')
  answers.filter = (body) => ({ Nodes: body.Nodes })
  await clock.advance(5000)
  await isOn('web', 'a')
})

test('one that takes too long has failed', async () => {
  await addNode({ name: 'a' })
  answers.filter = () => new Promise(() => {})
  await start({ filterVerb: 'filter', httpTimeout: '50ms' })
  await addPod({ name: 'web' })
  await isRefused('failed filter with extender at URL')
})

test('only pods that use what it manages are its business', async () => {
  await addNode({ name: 'a', allocatable: { 'example.com/gpu': '2' } })
  answers.filter = (body) => ({ Nodes: body.Nodes })
  await start({ filterVerb: 'filter', managedResources: [{ name: 'example.com/gpu' }] })
  await addPod({ name: 'plain' })
  await isOn('plain', 'a')
  expect(asked).toEqual([])
  await addPod({ name: 'drawing', requests: { 'example.com/gpu': '1' } })
  await isOn('drawing', 'a')
  expect(asked).toEqual(['filter'])
})

test('it binds in place of the scheduler', async () => {
  await addNode({ name: 'a' })
  let uid: unknown
  answers.bind = ({ PodName, PodUID, Node }) => {
    uid = PodUID
    void api.patch(
      pods,
      { namespace: 'default', name: String(PodName) },
      { type: 'merge', body: { spec: { nodeName: Node } } },
    )
    return {}
  }
  await start({ bindVerb: 'bind' })
  await addPod({ name: 'web' })
  await isOn('web', 'a')
  expect(uid).toBe(getPod('web')?.metadata.uid)
  expect(api.calls.filter(({ verb }) => verb === 'post')).toEqual([])
})

test('it chooses among the victims of a preemption', async () => {
  for (const name of ['a', 'b']) await addNode({ name, cpu: '1' })
  await addPod({
    name: 'old-a',
    cpu: '1',
    terminationGracePeriodSeconds: 0,
    node: 'a',
    priority: 1,
    status: { startTime: '2025-01-01T00:00:00Z' },
  })
  await addPod({
    name: 'old-b',
    cpu: '1',
    terminationGracePeriodSeconds: 0,
    node: 'b',
    priority: 2,
    status: { startTime: '2025-01-01T00:00:00Z' },
  })
  answers.preempt = ({ NodeNameToMetaVictims: all }) => ({
    NodeNameToMetaVictims: { b: (all as Record<string, unknown>).b },
  })
  await start({ preemptVerb: 'preempt', nodeCacheCapable: true })
  await addPod({ name: 'urgent', cpu: '1', priority: 10 })
  await isOn('urgent', 'b')
  expect([getPod('old-a')?.spec?.nodeName, getPod('old-b')]).toEqual(['a', undefined])
})

test('a pod is not put on a node that has gone while the extender thought about it', async () => {
  await addNode({ name: 'a' })
  let answer = (_: unknown) => {}
  answers.filter = (body) => new Promise((resolve) => (answer = () => resolve({ Nodes: body.Nodes })))
  await start({ filterVerb: 'filter' })
  await addPod({ name: 'web' })
  await vi.waitFor(async () => {
    await clock.advance(0)
    expect(asked).toEqual(['filter'])
  })
  await api.delete(nodes, { name: 'a' })
  await clock.advance(0)
  answer(undefined)
  await isRefused('node a has changed while extenders were asked about it')
  expect(getPod('web')?.spec?.nodeName).toBeUndefined()
})
