import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Pod, StatefulSet, StatefulSetSpec } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { depsFor, type Told } from '../testing/build.ts'
import { playKubelet, setReady } from '../testing/kubelet.ts'
import { laggingApi } from '../testing/lagging-api.ts'
import { newStatefulSetController } from './controller.ts'

const key = { namespace: 'default', name: 'db' }

describe('the stateful set controller', () => {
  let clock: FakeClock
  let api: MemoryApi
  let told: Told[]
  let stop: AbortController

  beforeEach(async () => {
    clock = new FakeClock()
    api = new MemoryApi({ clock })
    stop = new AbortController()
    const informers = new InformerFactory(
      laggingApi(api, clock, () => 20),
      { clock },
    )
    const nodes = new InformerFactory(api, { clock })
    const made = depsFor(api, informers, clock)
    told = made.told
    const controller = newStatefulSetController(made.deps)
    playKubelet({ api, informers: nodes, clock, readyAfterMs: () => 1000 })
    await Promise.all([informers.start(stop.signal), nodes.start(stop.signal)])
    runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const make = (spec: Partial<StatefulSetSpec> = {}) =>
    api.create<StatefulSet>(statefulSets, {
      metadata: { name: 'db', namespace: 'default' },
      spec: {
        replicas: 3,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
        ...spec,
      },
      status: { replicas: 0 },
    })
  const change = (edit: (spec: StatefulSetSpec) => void) =>
    api.edit(statefulSets, key, ({ spec, metadata }: Live<StatefulSet>) => {
      edit(spec!)
      metadata.generation = (metadata.generation ?? 0) + 1
    })
  const setImage = (image: string) =>
    change(({ template }) => {
      template.spec!.containers[0]!.image = image
    })
  const standing = () => api.objects(statefulSets)[0]!
  const images = () =>
    Object.fromEntries(
      api
        .objects<Pod>(pods)
        .map(({ metadata, spec }) => [metadata.name, spec?.containers[0]?.image])
        .sort(),
    )
  /** The pods there are, each half second. */
  async function story(halfSeconds: number) {
    const seen: string[] = []
    for (let i = 0; i < halfSeconds; i++) {
      await clock.advance(500)
      const names = Object.entries(images()).map(([name, image]) => `${name.slice(3)}${image}`)
      if (names.join() !== seen.at(-1)) seen.push(names.join())
    }
    return seen
  }

  test('starts pods in order, each when the one before is ready', async () => {
    await make()
    expect(await story(12)).toEqual(['0v1', '0v1,1v1', '0v1,1v1,2v1'])
    expect(standing().status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      observedGeneration: 1,
      collisionCount: 0,
    })
    expect(standing().status?.currentRevision).toBe(api.objects(controllerRevisions)[0]?.metadata.name)
    expect(told[0]).toMatchObject({
      reason: 'SuccessfulCreate',
      message: 'Create Pod db-0 in StatefulSet db successful',
    })
    expect(told).toHaveLength(3)
  })

  test('gives each pod its name, number, host name and revision', async () => {
    await make({ replicas: 1, ordinals: { start: 5 } })
    await clock.advance(1000)
    expect(api.objects(pods)).toMatchObject([
      {
        metadata: {
          name: 'db-5',
          labels: {
            app: 'db',
            'statefulset.kubernetes.io/pod-name': 'db-5',
            'apps.kubernetes.io/pod-index': '5',
            'controller-revision-hash': api.objects(controllerRevisions)[0]?.metadata.name,
          },
        },
        spec: { hostname: 'db-5', subdomain: 'db' },
      },
    ])
  })

  test('updates from the last to the first, one at a time', async () => {
    await make()
    await clock.advance(10_000)
    setImage('v2')
    const seen = await story(30)
    expect(seen.filter((line) => line.split(',').length === 3)).toEqual([
      '0v1,1v1,2v1',
      '0v1,1v1,2v2',
      '0v1,1v2,2v2',
      '0v2,1v2,2v2',
    ])
    expect(seen.every((line) => line.split(',').length >= 2)).toBe(true)
    const { currentRevision, updateRevision } = standing().status!
    expect(currentRevision).toBe(updateRevision)
    expect(
      api
        .objects(controllerRevisions)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([1, 2])
  })

  test('updates nothing below the partition, and what is lost there comes back as it was', async () => {
    await make({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
    await clock.advance(10_000)
    setImage('v2')
    await clock.advance(10_000)
    expect(images()).toEqual({ 'db-0': 'v1', 'db-1': 'v1', 'db-2': 'v2' })
    await api.delete(pods, { namespace: 'default', name: 'db-0' }, { gracePeriodSeconds: 0 })
    await clock.advance(10_000)
    expect(images()).toEqual({ 'db-0': 'v1', 'db-1': 'v1', 'db-2': 'v2' })
  })

  test('going back makes the old revision the newest', async () => {
    await make()
    await clock.advance(10_000)
    setImage('v2')
    await clock.advance(20_000)
    setImage('v1')
    await clock.advance(20_000)
    expect(images()).toEqual({ 'db-0': 'v1', 'db-1': 'v1', 'db-2': 'v1' })
    expect(
      api
        .objects(controllerRevisions)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([2, 3])
  })

  test('gets out of an update that cannot succeed when the template changes again', async () => {
    await make()
    await clock.advance(6000)
    setImage('broken')
    await clock.advance(5000)
    expect(images()).toEqual({ 'db-0': 'v1', 'db-1': 'v1', 'db-2': 'broken' })
    setImage('v1')
    // It may just be slow: it has its time.
    await clock.advance(5000)
    expect(images()['db-2']).toBe('broken')
    api.edit<Pod>(pods, { namespace: 'default', name: 'db-2' }, (pod) => {
      const state = { waiting: { reason: 'ImagePullBackOff' } }
      pod.status = {
        phase: 'Pending',
        containerStatuses: [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state }],
      }
    })
    expect(await story(10)).toEqual(['0v1,1v1,2broken', '0v1,1v1,2v1'])

    setImage('broken')
    await clock.advance(5000)
    setImage('v2')
    await clock.advance(590_000)
    expect(images()['db-2']).toBe('broken')
    await clock.advance(30_000)
    expect(images()).toEqual({ 'db-0': 'v2', 'db-1': 'v2', 'db-2': 'v2' })
  })

  test('on delete, replaces only what somebody deletes', async () => {
    await make({ updateStrategy: { type: 'OnDelete' } })
    await clock.advance(10_000)
    setImage('v2')
    await clock.advance(10_000)
    await api.delete(pods, { namespace: 'default', name: 'db-1' })
    await clock.advance(10_000)
    expect(images()).toEqual({ 'db-0': 'v1', 'db-1': 'v2', 'db-2': 'v1' })
  })

  test('shrinks from the end, one at a time, and not while another is in trouble', async () => {
    await make()
    await clock.advance(10_000)
    api.edit<Pod>(pods, { namespace: 'default', name: 'db-0' }, (pod) => setReady(pod, false, clock.now()))
    await clock.advance(100)
    change((spec) => {
      spec.replicas = 1
    })
    await clock.advance(5000)
    expect(Object.keys(images())).toEqual(['db-0', 'db-1', 'db-2'])
    api.edit<Pod>(pods, { namespace: 'default', name: 'db-0' }, (pod) => setReady(pod, true, clock.now()))
    expect(await story(8)).toEqual(['0v1,1v1,2v1', '0v1,1v1', '0v1'])
  })

  test('in parallel, starts and ends all at once', async () => {
    await make({ podManagementPolicy: 'Parallel' })
    await clock.advance(200)
    expect(Object.keys(images())).toEqual(['db-0', 'db-1', 'db-2'])
    change((spec) => {
      spec.replicas = 0
    })
    await clock.advance(2000)
    expect(images()).toEqual({})
  })

  test('replaces a pod that has ended', async () => {
    await make({ replicas: 1 })
    await clock.advance(3000)
    const [before] = api.objects<Pod>(pods)
    api.edit<Pod>(pods, before!.metadata, (pod) => {
      pod.status = { ...pod.status, phase: 'Failed' }
    })
    await clock.advance(5000)
    const [after] = api.objects<Pod>(pods)
    expect(after?.metadata.name).toBe('db-0')
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid)
  })

  describe('with volume claims', () => {
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }]
    const owners = () =>
      Object.fromEntries(
        api
          .objects(persistentVolumeClaims)
          .map(({ metadata }) => [metadata.name, (metadata.ownerReferences ?? []).map(({ kind }) => kind).join()]),
      )

    test('makes a claim for each pod, mounts it, and keeps it', async () => {
      await make({ replicas: 2, volumeClaimTemplates })
      await clock.advance(5000)
      expect(owners()).toEqual({ 'data-db-0': '', 'data-db-1': '' })
      expect(api.objects<Pod>(pods)[0]?.spec?.volumes).toEqual([
        { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } },
      ])
      change((spec) => {
        spec.replicas = 0
      })
      await clock.advance(5000)
      expect(owners()).toEqual({ 'data-db-0': '', 'data-db-1': '' })
    })

    test.each([
      ['with the set', { whenDeleted: 'Delete' }, { 'data-db-0': 'StatefulSet', 'data-db-1': 'StatefulSet' }],
      ['with the pod that is scaled away', { whenScaled: 'Delete' }, { 'data-db-0': '', 'data-db-1': 'Pod' }],
      [
        'with either',
        { whenScaled: 'Delete', whenDeleted: 'Delete' },
        { 'data-db-0': 'StatefulSet', 'data-db-1': 'Pod' },
      ],
    ])('lets them go %s', async (_, persistentVolumeClaimRetentionPolicy, wanted) => {
      await make({ replicas: 2, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy })
      await clock.advance(5000)
      if ('whenScaled' in persistentVolumeClaimRetentionPolicy) {
        change((spec) => {
          spec.replicas = 1
        })
        await clock.advance(5000)
      }
      expect(owners()).toEqual(wanted)
    })
  })
})
