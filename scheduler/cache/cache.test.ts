import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node } from '../../api/generated/types.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { Live } from '../../client/types.ts'
import { PodInfo } from '../framework/pod-info.ts'
import { amountOf } from '../framework/requests.ts'
import { node, type PodParts, pod, podInfo } from '../testing/builders.ts'
import { trimPod } from '../trim.ts'
import { Cache } from './cache.ts'

/** What the columns ought to say, worked out anew from all there is. */
function recomputed(nodes: Map<string, Live<Node>>, pods: Map<string, PodInfo>) {
  const rows = [...nodes].map(([name, { status }]) => {
    const own = [...pods.values()].filter((pod) => pod.nodeName === name)
    const sum = (amount: (pod: PodInfo) => number) => own.reduce((total, pod) => total + amount(pod), 0)
    const allocatable = (resource: string) => amountOf(resource, status?.allocatable?.[resource] ?? '0')
    const gpu = 'example.com/gpu'
    return {
      name,
      pods: [own.length, allocatable('pods')],
      cpu: [sum(({ requests }) => requests.milliCpu), allocatable('cpu')],
      memory: [sum(({ requests }) => requests.memoryBytes), allocatable('memory')],
      scored: [sum(({ requests }) => requests.scoredMilliCpu), sum(({ requests }) => requests.scoredMemoryBytes)],
      gpu: [sum(({ requests }) => new Map(requests.scalars).get(gpu) ?? 0), allocatable(gpu)],
      takenPorts: [...new Set(own.flatMap(({ hostPorts }) => hostPorts.map(({ port }) => port)))].sort(),
    }
  })
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function columnsOf(cache: Cache, ports: readonly number[]) {
  const { cpu, memory, scoredCpu, scoredMemory, podCount, maxPods } = cache.columns
  const gpu = cache.columns.scalar('example.com/gpu')
  const rows = cache.nodes.map(({ name, row, usedPorts }) => ({
    name,
    pods: [podCount[row], maxPods[row]],
    cpu: [cpu.requested[row], cpu.allocatable[row]],
    memory: [memory.requested[row], memory.allocatable[row]],
    scored: [scoredCpu[row], scoredMemory[row]],
    gpu: [gpu.requested[row], gpu.allocatable[row]],
    takenPorts: ports.filter((port) => usedPorts.conflicts({ address: '0.0.0.0', protocol: 'TCP', port })),
  }))
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const ports = [80, 81]
const nodeName = fc.constantFrom('a', 'b', 'c', 'd')
const podName = fc.constantFrom('p', 'q', 'r', 's', 't', 'u')
const step = fc.oneof(
  fc.record({
    do: fc.constant('setNode' as const),
    node: nodeName,
    cpu: fc.integer({ min: 1, max: 9 }),
    gpu: fc.nat(3),
  }),
  fc.record({ do: fc.constant('removeNode' as const), node: nodeName }),
  fc.record({
    do: fc.constantFrom('setPod' as const, 'assume' as const),
    pod: podName,
    node: nodeName,
    milliCpu: fc.nat(500),
    gpu: fc.nat(2),
    priority: fc.nat(2),
    port: fc.constantFrom(0, ...ports),
  }),
  fc.record({ do: fc.constantFrom('removePod' as const, 'forget' as const), pod: podName }),
)

test('whatever happens, the columns say what a look at all nodes and pods would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new Cache(new FakeClock())
      const nodes = new Map<string, Live<Node>>()
      const pods = new Map<string, PodInfo>()
      const assumed = new Set<string>()
      for (const step of steps) {
        switch (step.do) {
          case 'setNode': {
            const gpus = step.gpu > 0 ? { 'example.com/gpu': String(step.gpu) } : {}
            const made = node({ name: step.node, cpu: String(step.cpu), allocatable: gpus })
            nodes.set(step.node, made)
            cache.setNode(made)
            break
          }
          case 'removeNode':
            nodes.delete(step.node)
            cache.removeNode(step.node)
            break
          case 'setPod':
          case 'assume': {
            const requests = {
              cpu: `${step.milliCpu}m`,
              ...(step.gpu > 0 ? { 'example.com/gpu': String(step.gpu) } : {}),
            }
            const made = podInfo({
              name: step.pod,
              uid: step.pod,
              node: step.node,
              priority: step.priority,
              containers: [
                {
                  name: 'main',
                  resources: { requests },
                  ports: step.port > 0 ? [{ containerPort: 1, hostPort: step.port }] : [],
                },
              ],
            })
            if (step.do === 'setPod') {
              cache.setPod(made)
              assumed.delete(step.pod)
            } else {
              if (pods.has(step.pod)) break
              cache.assume(made)
              assumed.add(step.pod)
            }
            pods.set(step.pod, made)
            break
          }
          case 'removePod':
            cache.removePod(step.pod)
            pods.delete(step.pod)
            assumed.delete(step.pod)
            break
          case 'forget':
            expect(cache.forget(step.pod)).toBe(assumed.has(step.pod))
            if (assumed.delete(step.pod)) pods.delete(step.pod)
        }
        expect(columnsOf(cache, ports)).toEqual(recomputed(nodes, pods))
        expect([cache.podCount, cache.assumedCount]).toEqual([pods.size, assumed.size])
        expect(cache.lowestPriority).toBe(Math.min(...[...pods.values()].map(({ priority }) => priority)))
      }
    }),
  )
})

test('rows are made as nodes come, beyond the first ones', () => {
  const cache = new Cache(new FakeClock())
  for (let i = 0; i < 300; i++) cache.setNode(node({ name: `n${i}`, cpu: String(i + 1) }))
  for (const { name, row } of cache.nodes) {
    expect(cache.columns.cpu.allocatable[row]).toBe((Number(name.slice(1)) + 1) * 1000)
  }
})

describe('an assumed pod', () => {
  const assumedOn = (clock: FakeClock) => {
    const cache = new Cache(clock, 60_000)
    cache.setNode(node({ name: 'a' }))
    cache.assume(podInfo({ cpu: '1' }).on('a'))
    return cache
  }
  const uid = podInfo().uid

  test('stays for as long as its binding takes', async () => {
    const clock = new FakeClock()
    const cache = assumedOn(clock)
    await clock.advance(3_600_000)
    expect(cache.expireAssumed()).toEqual([])
  })

  test('is forgotten when it is not confirmed for a long time after its binding', async () => {
    const clock = new FakeClock()
    const cache = assumedOn(clock)
    cache.bindingFinished(uid)
    await clock.advance(59_000)
    expect(cache.expireAssumed()).toEqual([])
    await clock.advance(2000)
    expect(cache.expireAssumed().map(({ name }) => name)).toEqual(['pod'])
    expect(cache.podCount).toBe(0)
  })

  test('cannot be assumed twice', () => {
    const cache = assumedOn(new FakeClock())
    expect(() => cache.assume(podInfo({ cpu: '1' }).on('a'))).toThrow('default/pod is on a node already')
  })

  test('that turns up on another node is counted there', () => {
    const cache = assumedOn(new FakeClock())
    cache.setNode(node({ name: 'b' }))
    cache.setPod(podInfo({ cpu: '1', node: 'b' }))
    expect(cache.nodes.map(({ name, pods }) => [name, pods.length])).toEqual([
      ['a', 0],
      ['b', 1],
    ])
    expect(cache.isAssumed(uid)).toBe(false)
  })
})

test('nodes are looked at zone by zone in turn', () => {
  const cache = new Cache(new FakeClock())
  const zones = { a: 'x', b: 'x', c: 'x', d: 'y', e: 'z', f: 'z' }
  for (const [name, zone] of Object.entries(zones)) {
    cache.setNode(node({ name, labels: { 'topology.kubernetes.io/zone': zone } }))
  }
  expect(cache.nodes.map(({ name }) => name).join('')).toBe('adebfc')
})

test('an image is known by the nodes that have it', () => {
  const cache = new Cache(new FakeClock())
  const images = [{ names: ['web:1', 'web@sha256:1'], sizeBytes: 1000 }]
  cache.setNode(node({ name: 'a', images }))
  cache.setNode(node({ name: 'b', images }))
  expect(cache.image('web:1')?.nodes.size).toBe(2)
  cache.setNode(node({ name: 'a' }))
  expect(cache.image('web@sha256:1')?.nodes.size).toBe(1)
  cache.removeNode('b')
  expect(cache.image('web:1')).toBeUndefined()
})

test('a pod that is confirmed changes nothing for its node, and one that has become another does', () => {
  const cache = new Cache(new FakeClock())
  const onA = cache.setNode(node({ name: 'a' }))
  const make = (parts: PodParts = {}) => new PodInfo(trimPod(pod({ cpu: '1', ...parts })))
  const assumed = make().on('a')
  cache.assume(assumed)
  cache.bindingFinished(assumed.uid)
  const { now } = cache.changes
  const confirmed = make({ node: 'a' })
  cache.setPod(confirmed)
  expect(cache.changes.now).toBe(now)
  expect([cache.isAssumed(confirmed.uid), cache.assumedCount, cache.expireAssumed()]).toEqual([false, 0, []])
  expect([cache.pod(confirmed.uid), ...onA.pods]).toEqual([confirmed, confirmed])
  const others: PodParts[] = [
    { cpu: '2' },
    { labels: { app: 'other' } },
    { priority: 7 },
    { deletionTimestamp: '2026-01-01T00:00:00Z' },
    { status: { startTime: '2026-01-01T00:00:00Z' } },
  ]
  for (const other of others) {
    cache.setPod(confirmed)
    const before = cache.changes.now
    cache.setPod(make({ node: 'a', ...other }))
    expect(cache.changes.now, JSON.stringify(other)).toBeGreaterThan(before)
  }
  expect(onA.pods).toHaveLength(1)
})
