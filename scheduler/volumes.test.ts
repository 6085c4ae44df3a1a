import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EventRecorder } from '../client/events.ts'
import { InformerFactory } from '../client/informer.ts'
import { silentLogger } from '../client/logger.ts'
import {
  events as eventRef,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
} from '../client/resources.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import { SchedulerMetrics } from './metrics.ts'
import { Scheduler } from './scheduler.ts'
import { node, pod } from './testing/builders.ts'

let clock: FakeClock
let api: MemoryApi
let events: EventRecorder
let stop: AbortController
let scheduler: Scheduler
let running: Promise<void>

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  events = new EventRecorder(api, { component: 'default-scheduler' }, { clock })
  stop = new AbortController()
  await api.create(nodes, node({ name: 'a', labels: { zone: 'x' } }))
  await api.create(storageClasses, {
    metadata: { name: 'late' },
    provisioner: 'p.example',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
})

afterEach(async () => {
  stop.abort(new Error('the test is over'))
  await running
})

async function start(maxBindings = 32): Promise<void> {
  const informers = new InformerFactory(api, { clock })
  const metrics = new SchedulerMetrics()
  scheduler = new Scheduler({ api, informers, eventsOf: () => events, clock, log: silentLogger, metrics, maxBindings })
  await informers.start(stop.signal)
  running = scheduler.run(stop.signal)
}

const addClaim = (name: string) =>
  api.create(persistentVolumeClaims, {
    metadata: { name, namespace: 'default' },
    spec: {
      storageClassName: 'late',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
    status: { phase: 'Pending' },
  })
const addVolume = (name: string) =>
  api.create(persistentVolumes, {
    metadata: { name },
    spec: { storageClassName: 'late', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } },
    status: { phase: 'Available' },
  })
const addPod = (name: string, claimName?: string) =>
  api.create(
    pods,
    pod({ name, ...(claimName ? { volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] } : {}) }),
  )
/** Plays the controller that finishes a binding. */
const finish = (name: string, volumeName: string) =>
  api.edit(persistentVolumeClaims, { namespace: 'default', name }, ({ metadata, spec }) => {
    metadata.annotations = { ...metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes' }
    if (spec) spec.volumeName = volumeName
  })
const nodeOf = (name: string) => api.objects(pods).find(({ metadata }) => metadata.name === name)?.spec?.nodeName
const chosenNode = (name: string) =>
  api.objects(persistentVolumeClaims).find(({ metadata }) => metadata.name === name)?.metadata.annotations?.[
    'volume.kubernetes.io/selected-node'
  ]
const settle = async () => {
  for (let i = 0; i < 3; i++) await clock.advance(0)
  await events.flush()
  await clock.advance(0)
}
const failures = () =>
  api.objects(eventRef).flatMap(({ reason, message = '' }) => (reason === 'FailedScheduling' ? [message] : []))

describe('a pod whose claim waits for it', () => {
  test('is bound when a volume has been made where it goes', async () => {
    await addClaim('data')
    await start()
    await addPod('db', 'data')
    await settle()
    expect(chosenNode('data')).toBe('a')
    expect(nodeOf('db')).toBeUndefined()
    await addVolume('made')
    finish('data', 'made')
    await settle()
    expect(nodeOf('db')).toBe('a')
  })

  test('takes a free volume, and two pods take two', async () => {
    for (const name of ['one', 'two']) {
      await addVolume(name)
      await addClaim(`data-${name}`)
    }
    await start()
    await addPod('db-one', 'data-one')
    await addPod('db-two', 'data-two')
    await settle()
    const claimed = api.objects(persistentVolumes).map(({ spec }) => spec?.claimRef?.name)
    expect(claimed.sort()).toEqual(['data-one', 'data-two'])
    const updates = api.calls.filter(({ verb, resource }) => verb === 'update' && resource === 'persistentvolumes')
    expect(updates).toHaveLength(2)
    for (const { metadata, spec } of api.objects(persistentVolumes)) finish(spec?.claimRef?.name ?? '', metadata.name)
    await settle()
    expect([nodeOf('db-one'), nodeOf('db-two')]).toEqual(['a', 'a'])
  })

  test('is tried anew where the volume cannot be made', async () => {
    await addClaim('data')
    await start()
    await addPod('db', 'data')
    await settle()
    api.edit(persistentVolumeClaims, { namespace: 'default', name: 'data' }, ({ metadata }) => {
      metadata.annotations = {}
    })
    await settle()
    expect(failures()[0]).toBe(
      'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"',
    )
    await clock.advance(10_000)
    expect(chosenNode('data')).toBe('a')
  })

  test('is given up after ten minutes, and when it goes', async () => {
    await addClaim('data')
    await addClaim('other')
    await start()
    await addPod('db', 'data')
    await addPod('going', 'other')
    await settle()
    await api.delete(pods, { namespace: 'default', name: 'going' })
    await clock.advance(1000)
    expect(scheduler.cache.assumedCount).toBe(1)
    await clock.advance(600_000)
    await settle()
    expect(failures()).toContain('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded')
  })

  test('keeps no other from being bound', async () => {
    for (let i = 0; i < 3; i++) await addClaim(`data-${i}`)
    await start(2)
    for (let i = 0; i < 3; i++) await addPod(`db-${i}`, `data-${i}`)
    await settle()
    await addPod('web')
    await settle()
    expect(nodeOf('web')).toBe('a')
    expect(nodeOf('db-0')).toBeUndefined()
  })
})
