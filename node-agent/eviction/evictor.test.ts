import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../client/logger.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { BoundPod } from '../pods/types.ts'
import type { PodEnd } from '../pods/worker.ts'
import { boundPod, container } from '../testing/builders.ts'
import { pressureRejection } from './admission.ts'
import { Evictor } from './evictor.ts'
import { evictionOrder } from './rank.ts'
import type { Shortage } from './thresholds.ts'

const Mi = 2 ** 20
const disk: Shortage = { signal: 'nodefs.available', threshold: 100 * Mi, available: 60 * Mi }
const inodes: Shortage = { signal: 'nodefs.inodesFree', threshold: 50, available: 20 }
const memory: Shortage = { signal: 'memory.available', threshold: 100 * Mi, available: 50 * Mi }

const pod = (name: string, { priority = 0, memory = '0', disk = '0' } = {}) =>
  boundPod({
    name,
    spec: {
      priority,
      containers: [container('main', { resources: { requests: { memory, 'ephemeral-storage': disk } } })],
      volumes: [{ name: 'scratch', emptyDir: {} }],
    },
  })

describe('who goes first', () => {
  const order = (pods: BoundPod[], used: Record<string, number>) =>
    evictionOrder(pods, new Map(Object.entries(used)), 'ephemeral-storage').map(({ metadata }) => metadata.name)

  it('is what uses more than it asked for, whatever its priority', () => {
    const pods = [pod('modest', { disk: '10Mi' }), pod('greedy', { priority: 100 })]
    expect(order(pods, { 'uid-modest': 9 * Mi, 'uid-greedy': Mi })).toEqual(['greedy', 'modest'])
  })

  it('then what matters less, then what uses most', () => {
    const pods = [pod('dear', { priority: 5 }), pod('small'), pod('large')]
    const used = { 'uid-dear': 90 * Mi, 'uid-small': Mi, 'uid-large': 2 * Mi }
    expect(order(pods, used)).toEqual(['large', 'small', 'dear'])
  })

  it('is never what the cluster stands on', () => {
    expect(order([pod('dns', { priority: 2_000_000_000 })], { 'uid-dns': 90 * Mi })).toEqual([])
  })
})

describe('a node that is short', () => {
  let clock: FakeClock
  let pods: BoundPod[]
  let ended: Map<string, PodEnd>
  let gone: Set<string>
  let told: string[]
  let reclaimed: number
  /** What is short once unused images are gone. */
  let after: Shortage[]
  let evictor: Evictor

  beforeEach(() => {
    clock = new FakeClock()
    ended = new Map()
    gone = new Set()
    told = []
    reclaimed = 0
    pods = [pod('small'), pod('large')]
    const sizes: Record<string, number> = { 'uid-small': Mi, 'uid-large': 5 * Mi }
    const worker = (of: BoundPod) => ({
      pod: of,
      stage: ended.has(of.metadata.name) ? 'terminating' : 'syncing',
      hasEnded: gone.has(of.metadata.name),
      evict: (end: PodEnd) => void ended.set(of.metadata.name, end),
    })
    evictor = new Evictor({
      clock,
      log: silentLogger,
      nodeName: 'n1',
      logRoot: '/no/logs',
      cri: {
        listContainerStats: async () =>
          pods.map(({ metadata }) => ({
            attributes: {
              labels: { 'io.kubernetes.pod.uid': metadata.uid, 'io.kubernetes.container.name': 'main' },
            },
            memory: { workingSetBytes: { value: sizes[metadata.uid] } },
            writableLayer: { usedBytes: { value: 1 }, inodesUsed: { value: 3 } },
          })) as never,
      },
      volumes: {
        usage: async (uid) => [{ name: 'scratch', usage: { timeMs: 0, usedBytes: sizes[uid] ?? 0, inodesUsed: 1 } }],
      },
      workers: {
        list: () => pods.map(worker) as never,
        get: (uid) => pods.filter(({ metadata }) => metadata.uid === uid).map(worker)[0] as never,
      },
      nodeEvents: {
        event: (_: unknown, __: string, reason: string, message: string) => told.push(`${reason}: ${message}`),
      },
      events: { warning: (of: BoundPod, reason: string) => told.push(`${of.metadata.name} ${reason}`) } as never,
      removeUnusedImages: async () => {
        reclaimed++
        return 0
      },
      look: async () => after,
    })
  })

  it('of disk frees images first, and ends no pod when that is enough', async () => {
    after = []
    await evictor.consider([disk])
    expect(told).toEqual(['EvictionThresholdMet: Attempting to reclaim ephemeral-storage'])
    expect(reclaimed).toBe(1)
    expect(ended.size).toBe(0)
  })

  it('of disk ends the pod that has written most, and says why', async () => {
    after = [disk]
    await evictor.consider([disk])
    expect([...ended]).toEqual([
      [
        'large',
        {
          reason: 'Evicted',
          graceSeconds: 1,
          message:
            'The node was low on resource: ephemeral-storage. Threshold quantity: 100Mi, available: 60Mi. ' +
            'Container main was using 1, request is 0, has larger consumption of ephemeral-storage. ',
        },
      ],
    ])
    expect(told.at(-1)).toBe('large Evicted')
  })

  it('of inodes goes by files', async () => {
    after = [inodes]
    await evictor.consider([inodes])
    expect([...ended.values()][0]?.message).toContain('Container main was using 3, request is 0')
  })

  it('of memory ends a pod at once', async () => {
    await evictor.consider([memory])
    expect(reclaimed).toBe(0)
    expect([...ended.keys()]).toEqual(['large'])
  })

  it('ends the next as soon as the one before has ended', async () => {
    after = [disk]
    await evictor.consider([disk])
    gone.add('large')
    await evictor.consider([disk])
    expect([...ended.keys()]).toEqual(['large', 'small'])
  })

  it('waits for the one that ends before it ends another, but not for ever', async () => {
    after = [disk]
    await evictor.consider([disk])
    await clock.advance(10_000)
    await evictor.consider([disk])
    expect([...ended.keys()]).toEqual(['large'])
    await clock.advance(20_000)
    await evictor.consider([disk])
    expect([...ended.keys()]).toEqual(['large', 'small'])
  })
})

describe('new pods', () => {
  const node = (...types: string[]) => ({
    metadata: { name: 'n1' },
    status: { conditions: types.map((type) => ({ type, status: 'True' })) },
  })
  const bestEffort = boundPod({ spec: { containers: [container('main')] } })
  const tolerant = boundPod({
    spec: { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }] },
  })

  it.each([
    ['are taken where nothing is short', bestEffort, node('Ready'), undefined],
    ['are refused where the disk is full', pod('p', { memory: '1Mi' }), node('DiskPressure'), '[DiskPressure]'],
    [
      'that have asked for no memory are refused where that is short',
      bestEffort,
      node('MemoryPressure'),
      '[MemoryPressure]',
    ],
    ['that tolerate it are taken', tolerant, node('MemoryPressure'), undefined],
    ['with a share of the memory are taken', pod('p', { memory: '1Mi' }), node('MemoryPressure'), undefined],
    ['that the cluster stands on are taken', pod('p', { priority: 2e9 }), node('DiskPressure'), undefined],
  ])('%s', (_, given, at, condition) => {
    const message = condition && `The node had condition: ${condition}. `
    expect(pressureRejection(given, at)).toEqual(message && { reason: 'Evicted', message })
  })
})
