import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PodSpec } from '../api/generated/types.ts'
import { silentLogger } from '../client/logger.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import type { PodEnd } from './pods/worker.ts'
import type { ContainerStats } from './runtime/cri.ts'
import { exceededLimit, keepStorageLimits } from './storage-limits.ts'
import { boundPod, container } from './testing/builders.ts'

const Mi = 2 ** 20

const limited = (name: string, size: string) =>
  container(name, { resources: { limits: { 'ephemeral-storage': size } } })

const written = (bytes: Record<string, number> = {}) =>
  new Map(Object.entries(bytes).map(([name, of]) => [name, { bytes: of, inodes: 1 }]))

const exceeded = (
  spec: Partial<PodSpec>,
  used: { volumes?: Record<string, number>; containers?: Record<string, number> },
) =>
  exceededLimit(boundPod({ spec }), {
    volumes: written(used.volumes),
    containers: written(used.containers),
  })

describe('a pod may write', () => {
  const scratch = { name: 'scratch', emptyDir: { sizeLimit: '5Mi' } }

  it('as much as an empty directory is to hold', () => {
    expect(exceeded({ volumes: [scratch] }, { volumes: { scratch: 5 * Mi } })).toBeUndefined()
    expect(exceeded({ volumes: [scratch] }, { volumes: { scratch: 5 * Mi + 1 } })).toBe(
      'Usage of EmptyDir volume "scratch" exceeds the limit "5Mi". ',
    )
  })

  it('without end where nothing is said', () => {
    const volumes = [{ name: 'scratch', emptyDir: {} }]
    expect(exceeded({ volumes }, { volumes: { scratch: 1e12 }, containers: { main: 1e12 } })).toBeUndefined()
  })

  it('as much as one container is to, in its layer and its logs', () => {
    const containers = [limited('main', '3Mi'), limited('other', '9Mi')]
    expect(exceeded({ containers }, { containers: { main: 4 * Mi } })).toBe(
      'Container main exceeded its local ephemeral storage limit "3Mi". ',
    )
  })

  it('as much as all containers together are to, volumes on disk counted', () => {
    const containers = [limited('main', '3Mi'), limited('other', '2Mi')]
    const volumes = [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
      { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
    ]
    const used = { memory: 90 * Mi, claim: 90 * Mi }
    expect(exceeded({ containers, volumes }, { volumes: { disk: 5 * Mi, ...used } })).toBeUndefined()
    expect(exceeded({ containers, volumes }, { volumes: { disk: 5 * Mi, ...used }, containers: { main: 1 } })).toBe(
      'Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ',
    )
  })

  it('more where an init container alone is allowed more', () => {
    const spec = { containers: [limited('main', '1Mi')], initContainers: [limited('init', '4Mi')] }
    expect(exceeded(spec, { containers: { init: 4 * Mi } })).toBeUndefined()
  })
})

describe('the node', () => {
  const clock = new FakeClock()
  let abort: AbortController
  let ended: Map<string, PodEnd>
  let measured: string[]
  let told: string[]

  beforeEach(() => {
    abort = new AbortController()
    ended = new Map()
    measured = []
    told = []
  })
  afterEach(() => abort.abort())

  const watch = (pods: ReturnType<typeof boundPod>[], bytes: number) => {
    const workers = pods.map((pod) => ({
      pod,
      stage: 'syncing',
      evict: (end: PodEnd) => void ended.set(pod.metadata.name, end),
    }))
    void keepStorageLimits({
      cri: { listContainerStats: async () => [] as ContainerStats[] },
      workers: { list: () => workers as never },
      volumes: {
        async usage(uid) {
          measured.push(uid)
          return [{ name: 'scratch', usage: { timeMs: 0, usedBytes: bytes } }]
        },
      },
      events: { warning: (_: unknown, reason: string, message: string) => told.push(`${reason}: ${message}`) } as never,
      logRoot: '/no/logs',
      clock,
      log: silentLogger,
      signal: abort.signal,
    })
  }
  const scratch = { volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Mi' } }] }

  it('ends a pod that has written too much, and says why', async () => {
    watch([boundPod({ spec: scratch })], 2 * Mi)
    await clock.advance(10_000)
    const message = 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". '
    await expect.poll(() => ended.get('web')).toEqual({ reason: 'Evicted', message, graceSeconds: 1 })
    expect(told).toEqual([`Evicted: ${message}`])
  })

  it('looks only at pods with a limit, and leaves alone what the cluster stands on', async () => {
    const critical = boundPod({ name: 'dns', spec: { ...scratch, priority: 2_000_000_000 } })
    watch([boundPod({ name: 'free' }), critical, boundPod({ name: 'small', spec: scratch })], Mi)
    await clock.advance(10_000)
    await expect.poll(() => measured).toEqual(['uid-small'])
    expect(ended.size).toBe(0)
  })
})
