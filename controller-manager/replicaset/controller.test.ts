import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReplicaSet } from '../../api/generated/types.ts'
import { forbiddenError, StatusError } from '../../api/machinery/errors.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { pods, replicaSets, replicationControllers } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { at, depsFor, pod, replicaSet, type Told } from '../testing/build.ts'
import { setReady } from '../testing/kubelet.ts'
import { newReplicaSetController, newReplicationController } from './controller.ts'

describe('the replica set controller', () => {
  let clock: FakeClock
  let api: MemoryApi
  let told: Told[]
  let stop: AbortController

  beforeEach(async () => {
    clock = new FakeClock()
    api = new MemoryApi({ clock })
    stop = new AbortController()
    const informers = new InformerFactory(api, { clock })
    const made = depsFor(api, informers, clock)
    told = made.told
    const controllers = [newReplicaSetController(made.deps), newReplicationController(made.deps)]
    await informers.start(stop.signal)
    for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const settle = () => clock.advance(50)
  const key = { namespace: 'default', name: 'web-1' }
  const make = (replicas: number) => {
    const { status: _, ...set } = replicaSet({ replicas })
    delete set.metadata.ownerReferences
    return api.create<ReplicaSet>(replicaSets, set)
  }
  const scale = (replicas: number) =>
    api.edit(replicaSets, key, ({ spec }: Live<ReplicaSet>) => {
      spec!.replicas = replicas
    })
  const standing = () => api.objects(replicaSets)[0]
  const active = () => api.objects(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined)

  test('deletes the pods first that are named', async () => {
    await make(4)
    await settle()
    const [first, second] = active().map(({ metadata }) => metadata.name)
    // Left to themselves, those that are not ready would go.
    for (const name of [first, second]) {
      api.edit(pods, { namespace: 'default', name: name ?? '' }, (pod) => setReady(pod, true, clock.now()))
    }
    api.edit(replicaSets, key, ({ metadata, spec }: Live<ReplicaSet>) => {
      metadata.annotations = { 'gantry.dev/scale-down-victims': `${second}, nobody, ${first}` }
      spec!.replicas = 2
    })
    await settle()
    expect(active().map(({ metadata }) => metadata.name)).toHaveLength(2)
    expect(active().some(({ metadata }) => [first, second].includes(metadata.name))).toBe(false)
  })

  test('makes one more for a pod that is to be evicted, as long as somebody wants that', async () => {
    await make(2)
    await settle()
    const [first] = active()
    api.edit(pods, first!.metadata, ({ metadata }) => {
      metadata.annotations = { 'gantry.dev/eviction-requested': at(0) }
    })
    await settle()
    expect(active()).toHaveLength(3)
    await clock.advance(290_000)
    expect(active()).toHaveLength(3)
    await clock.advance(15_000)
    expect(active()).toHaveLength(2)
  })

  test('creates pods from the template, says so, and counts them', async () => {
    const set = await make(3)
    await settle()
    expect(active()).toHaveLength(3)
    expect(active()[0]).toMatchObject({
      metadata: {
        generateName: 'web-1-',
        labels: { app: 'web', 'pod-template-hash': 'web-1' },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: set.metadata.uid, controller: true },
        ],
      },
      spec: { containers: [{ name: 'c', image: 'v1' }] },
    })
    expect(standing()?.status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      observedGeneration: 1,
      terminatingReplicas: 0,
    })
    expect(told.map(({ about, reason }) => `${about} ${reason}`)).toEqual(
      Array.from({ length: 3 }, () => 'ReplicaSet/web-1 SuccessfulCreate'),
    )
    expect(told[0]?.message).toBe(
      `Created pod: ${api.objects(pods).find(({ metadata }) => told[0]?.message.endsWith(metadata.name))?.metadata.name}`,
    )
  })

  test('deletes what is too many', async () => {
    await make(3)
    await settle()
    scale(1)
    await settle()
    expect(active()).toHaveLength(1)
    expect(standing()?.status?.replicas).toBe(1)
    expect(told.filter(({ reason }) => reason === 'SuccessfulDelete')).toHaveLength(2)
  })

  test.each([
    ['that was deleted', () => api.delete(pods, active()[0]!.metadata)],
    [
      'that has failed',
      async () => {
        api.edit(pods, active()[0]!.metadata, (one) => {
          one.status = { phase: 'Failed' }
        })
      },
    ],
    [
      'that is being deleted, before it is gone',
      async () => {
        const [one] = active()
        api.edit(pods, one!.metadata, ({ spec }) => {
          spec!.nodeName = 'n'
        })
        await api.delete(pods, one!.metadata)
      },
    ],
  ])('replaces a pod %s', async (_, lose) => {
    await make(2)
    await settle()
    await lose()
    await settle()
    expect(active().filter(({ status }) => status?.phase !== 'Failed')).toHaveLength(2)
    expect(standing()?.status?.replicas).toBe(2)
  })

  test('counts pods that are being deleted apart', async () => {
    await make(1)
    await settle()
    api.edit(pods, active()[0]!.metadata, ({ spec }) => {
      spec!.nodeName = 'n'
    })
    scale(0)
    await settle()
    expect(standing()?.status).toMatchObject({ replicas: 0, terminatingReplicas: 1 })
  })

  test('adopts orphans that fit instead of creating', async () => {
    await api.create(pods, pod({ name: 'orphan', labels: { app: 'web', 'pod-template-hash': 'web-1' } }))
    await make(1)
    await settle()
    expect(active().map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.name])).toEqual([
      ['orphan', 'web-1'],
    ])
  })

  test('lets go of a pod that no longer fits, and makes another', async () => {
    await make(1)
    await settle()
    const [one] = active()
    api.edit(pods, one!.metadata, ({ metadata }) => {
      metadata.labels = { app: 'debug' }
    })
    await settle()
    const released = api.objects(pods).find(({ metadata }) => metadata.name === one?.metadata.name)
    expect(released?.metadata.ownerReferences ?? []).toEqual([])
    expect(active()).toHaveLength(2)
  })

  test('a pod is available after minReadySeconds, without any further event', async () => {
    await make(1)
    api.edit(replicaSets, key, ({ spec }: Live<ReplicaSet>) => {
      spec!.minReadySeconds = 30
    })
    await settle()
    api.edit(pods, active()[0]!.metadata, (one) => {
      one.status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(0) }] }
    })
    await settle()
    expect(standing()?.status).toMatchObject({ readyReplicas: 1 })
    expect(standing()?.status).not.toHaveProperty('availableReplicas')
    await clock.advance(31_000)
    expect(standing()?.status).toMatchObject({ readyReplicas: 1, availableReplicas: 1 })
  })

  test('a refusal is told, stands in the status, and is tried again until it works', async () => {
    api.fault = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'pods') {
        throw forbiddenError({ group: '', resource: 'pods' }, 'web-1-', 'exceeded quota: q')
      }
    }
    await make(4)
    await clock.advance(1)
    // One pod a try: and one more try, because the status has changed.
    expect(told).toHaveLength(2)
    expect(told[0]).toMatchObject({
      type: 'Warning',
      reason: 'FailedCreate',
      message: 'Error creating: pods "web-1-" is forbidden: exceeded quota: q',
    })
    expect(standing()?.status?.conditions).toMatchObject([{ type: 'ReplicaFailure', reason: 'FailedCreate' }])
    api.fault = undefined
    await clock.advance(1000)
    expect(active()).toHaveLength(4)
    expect(standing()?.status?.conditions).toBeUndefined()
  })

  test('in a namespace that is on its way out it gives up without a word', async () => {
    api.fault = ({ verb, resource }) => {
      if (verb !== 'create' || resource !== 'pods') return
      const causes = [{ reason: 'NamespaceTerminating', message: '' }]
      throw new StatusError(403, 'Forbidden', 'terminating', { causes })
    }
    await make(4)
    await settle()
    expect(told).toEqual([])
    expect(standing()?.status?.conditions).toBeUndefined()
  })

  test('a replication controller does the same', async () => {
    const selector = { app: 'old' }
    await api.create(replicationControllers, {
      metadata: { name: 'rc', namespace: 'default' },
      spec: { replicas: 2, selector, template: { metadata: { labels: selector }, spec: { containers: [] } } },
    })
    await settle()
    expect(active().map(({ metadata }) => metadata.ownerReferences?.[0])).toMatchObject(
      Array.from({ length: 2 }, () => ({ apiVersion: 'v1', kind: 'ReplicationController', name: 'rc' })),
    )
    expect(api.objects(replicationControllers)[0]?.status).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      observedGeneration: 1,
    })
  })
})
