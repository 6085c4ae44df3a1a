import { afterEach, describe, expect, test } from 'vitest'
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { deployments, pods, replicaSets } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { isActive, isAvailable } from '../pods/condition.ts'
import { newReplicaSetController } from '../replicaset/controller.ts'
import { deployment, depsFor } from '../testing/build.ts'
import { playKubelet, setReady } from '../testing/kubelet.ts'
import { laggingApi } from '../testing/lagging-api.ts'
import { newDeploymentController } from './controller.ts'

const key = { namespace: 'default', name: 'web' }

/** Numbers from 0 to 1 that follow from the seed. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A cluster whose caches lag behind by up to `lagMs`, each kind by itself, and whose server fails now and then. */
function cluster(seed: number, lagMs: number, failures: number) {
  const random = chance(seed)
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const stop = new AbortController()
  const informers = new InformerFactory(
    laggingApi(api, clock, () => random() ** 3 * lagMs),
    { clock },
  )
  api.fault = ({ verb, resource }) => {
    const write = verb === 'create' || verb === 'update' || verb === 'delete'
    if (write && resource !== 'deployments' && random() < failures) throw new Error('the connection broke')
  }
  const { deps } = depsFor(api, informers, clock)
  const controllers = [newDeploymentController(deps), newReplicaSetController(deps)]
  const nodes = new InformerFactory(api, { clock })
  playKubelet({ api, informers: nodes, clock, readyAfterMs: () => random() * 2000, goneAfterMs: () => random() * 1000 })
  const start = async () => {
    await Promise.all([informers.start(stop.signal), nodes.start(stop.signal)])
    for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
  }
  /** The most replicas each set was ever to have. */
  const largest = new Map<string, number>()
  const note = ({ metadata, spec }: Live<ReplicaSet>) => {
    largest.set(metadata.name, Math.max(largest.get(metadata.name) ?? 0, spec?.replicas ?? 0))
  }
  nodes.for<ReplicaSet>(replicaSets).on({ add: note, update: (_, set) => note(set) })
  const active = () => api.objects<Pod>(pods).filter(isActive)
  return {
    api,
    clock,
    random,
    start,
    largest,
    stop,
    active,
    available: () => active().filter((pod) => isAvailable(pod, 0, clock.now())).length,
    sets: () => api.objects<ReplicaSet>(replicaSets),
    web: () => api.objects<Deployment>(deployments)[0]!,
    change: (edit: (web: Live<Deployment>) => void) =>
      api.edit(deployments, key, (web: Live<Deployment>) => {
        edit(web)
        web.metadata.generation = (web.metadata.generation ?? 0) + 1
      }),
  }
}

const imageOf = (pod: Live<Pod>) => pod.spec?.containers[0]?.image

describe('with lagging caches and a failing server', () => {
  let stop: AbortController | undefined
  afterEach(() => stop?.abort())

  // A few each time; SIMULATIONS=100 looks for what they miss.
  const seeds = Array.from({ length: Number(process.env.SIMULATIONS ?? 3) }, (_, i) => i + 1)

  test.each(seeds)('rolling updates keep within surge and availability (seed %i)', async (seed) => {
    const sim = cluster(seed, 1500, 0.05)
    stop = sim.stop
    const { random, clock } = sim
    const replicas = 2 + Math.floor(random() * 8)
    const surge = Math.floor(random() * 4)
    const unavailable = surge === 0 ? 1 + Math.floor(random() * 2) : Math.floor(random() * 3)
    await sim.start()
    const { status: _, ...made } = deployment({ replicas, surge, unavailable })
    await sim.api.create<Deployment>(deployments, made)
    await clock.advance(60_000)
    expect(sim.available()).toBe(replicas)

    for (let round = 0; round < 4; round++) {
      sim.change(({ spec }) => {
        spec!.template.spec!.containers[0]!.image = `v${round + 2}`
      })
      // A new template comes while the last one is still being rolled out, more often than not.
      const steps = 20 + Math.floor(random() * 150)
      for (let i = 0; i < steps; i++) {
        await clock.advance(100)
        const sets = sim.sets()
        const wanted = sets.reduce((total, { spec }) => total + (spec?.replicas ?? 0), 0)
        expect(wanted, 'replicas of all sets').toBeLessThanOrEqual(replicas + surge)
        expect(sim.available(), 'available pods').toBeGreaterThanOrEqual(replicas - unavailable)
        for (const set of sets) {
          const { name, uid } = set.metadata
          const own = sim.active().filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid)
          expect(own.length, `pods of ${name}`).toBeLessThanOrEqual(sim.largest.get(name) ?? 0)
        }
      }
    }
    await clock.advance(120_000)
    expect(sim.active().map(imageOf)).toEqual(Array.from({ length: replicas }, () => 'v5'))
    expect(sim.web().status).toMatchObject({ updatedReplicas: replicas, availableReplicas: replicas, replicas })
  })

  test.each(seeds)('whatever happens to pods and sizes, it comes to rest as wanted (seed %i)', async (seed) => {
    const sim = cluster(seed, 1500, 0.1)
    stop = sim.stop
    const { random, clock } = sim
    await sim.start()
    const { status: _, ...made } = deployment({ replicas: 5, surge: '30%', unavailable: '30%' })
    await sim.api.create<Deployment>(deployments, made)
    for (let i = 0; i < 60; i++) {
      await clock.advance(random() * 1500)
      const [victim] = sim.active().sort(() => random() - 0.5)
      const dice = random()
      if (dice < 0.15) {
        sim.change(({ spec }) => {
          spec!.replicas = Math.floor(random() * 10)
        })
      } else if (dice < 0.3) {
        const image = random() < 0.3 ? 'broken' : `v${Math.floor(random() * 4)}`
        sim.change(({ spec }) => {
          spec!.template.spec!.containers[0]!.image = image
        })
      } else if (dice < 0.35) {
        sim.change(({ spec }) => {
          spec!.paused = spec?.paused !== true
        })
      } else if (victim && dice < 0.5) {
        sim.api.edit<Pod>(pods, victim.metadata, (pod) => setReady(pod, random() < 0.5, clock.now()))
      } else if (victim && dice < 0.6) {
        sim.api.edit<Pod>(pods, victim.metadata, (pod) => {
          pod.status = { ...pod.status, phase: 'Failed' }
        })
      } else if (victim && dice < 0.7) {
        await sim.api.delete(pods, victim.metadata).catch(() => {})
      } else if (dice < 0.75) sim.api.endWatches()
    }
    sim.change(({ spec }) => {
      spec!.paused = false
      spec!.replicas = 4
      spec!.template.spec!.containers[0]!.image = 'last'
    })
    // What was made unready stays so; it is of an old template and goes.
    await clock.advance(600_000)
    expect(sim.active().map(imageOf)).toEqual(['last', 'last', 'last', 'last'])
    expect(sim.available()).toBe(4)
    expect(sim.web().status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 })
    expect(sim.sets().filter(({ spec }) => spec?.replicas !== 0)).toHaveLength(1)
  })
})
