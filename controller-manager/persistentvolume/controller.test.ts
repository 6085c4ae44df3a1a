import { afterEach, describe, expect, test } from 'vitest'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, storageClass, volume } from '../testing/volumes.ts'
import { newPersistentVolumeController } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

const start = async (prepare?: (api: MemoryApi) => Promise<unknown>) => {
  running = await run(newPersistentVolumeController, {}, prepare)
  await running.clock.advance(100)
}
const claims = () =>
  running.api.objects(persistentVolumeClaims).map(({ metadata, spec, status }) => {
    const annotations = Object.keys(metadata.annotations ?? {}).map((name) => name.replace(/.*\//, ''))
    return [metadata.name, status?.phase, spec?.volumeName, ...annotations.sort()].join(' ')
  })
const volumes = () =>
  running.api.objects(persistentVolumes).map(({ metadata, spec, status }) => {
    const { name: its = '-', uid } = spec?.claimRef ?? {}
    return [metadata.name, status?.phase, its, uid ? 'with uid' : 'without uid'].join(' ')
  })

describe('claims and volumes', () => {
  test('find each other, and each volume goes to one claim only', async () => {
    await start(async (api) => {
      await api.create(persistentVolumes, volume({ name: 'a' }))
      await api.create(persistentVolumes, volume({ name: 'b', size: '2Gi' }))
      for (const name of ['x', 'y', 'z']) await api.create(persistentVolumeClaims, claim({ name }))
    })
    expect(volumes()).toEqual(['a Bound x with uid', 'b Bound y with uid'])
    expect(claims()).toEqual([
      'x Bound a bind-completed bound-by-controller',
      'y Bound b bind-completed bound-by-controller',
      'z Pending ',
    ])
    const [first] = running.api.objects(persistentVolumeClaims)
    expect(first?.status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } })
    const conflicts = running.api.calls.filter(
      ({ verb, resource }) => verb === 'update' && resource === 'persistentvolumes',
    )
    expect(conflicts).toHaveLength(4)
    await running.api.create(persistentVolumes, volume({ name: 'c', phase: 'Pending' }))
    await running.clock.advance(100)
    expect(claims()[2]).toBe('z Bound c bind-completed bound-by-controller')
  })

  test('go on where a manager was killed between any two writes', async () => {
    for (let at = 1; at <= 4; at++) {
      let writes = 0
      running = await run(newPersistentVolumeController, {}, async (api) => {
        await api.create(persistentVolumes, volume())
        await api.create(persistentVolumeClaims, claim())
        api.fault = ({ verb }) => {
          if (verb === 'update' && ++writes === at) throw new Error('killed')
        }
      })
      await running.clock.advance(1000)
      expect(volumes()).toEqual(['disk Bound data with uid'])
      expect(claims()).toEqual(['data Bound disk bind-completed bound-by-controller'])
      running.stop()
    }
  })

  test('part when the claim goes; what it leaves is released, and free again when its claim is taken off', async () => {
    await start(async (api) => {
      await api.create(persistentVolumes, volume())
      await api.create(persistentVolumeClaims, claim())
    })
    await running.api.delete(persistentVolumeClaims, { namespace: 'default', name: 'data' })
    await running.clock.advance(100)
    expect(volumes()).toEqual(['disk Released data with uid'])
    await running.api.create(persistentVolumeClaims, claim())
    await running.clock.advance(100)
    expect(claims()).toEqual(['data Pending '])
    running.api.edit(persistentVolumes, { name: 'disk' }, ({ spec }) => {
      delete spec?.claimRef
    })
    await running.clock.advance(100)
    expect(claims()).toEqual(['data Bound disk bind-completed bound-by-controller'])
  })

  test('part when the volume goes: the claim is lost, which is told once', async () => {
    await start(async (api) => {
      await api.create(persistentVolumes, volume())
      await api.create(persistentVolumeClaims, claim())
    })
    await running.api.delete(persistentVolumes, { name: 'disk' })
    await running.clock.advance(60_000)
    expect(claims()).toEqual(['data Lost disk bind-completed bound-by-controller'])
    expect(running.told.filter(({ reason }) => reason === 'ClaimLost')).toHaveLength(1)
  })
})

test('a claim of a class asks its provisioner, and is bound to what that makes', async () => {
  await start(async (api) => {
    await api.create(storageClasses, storageClass('fast'))
    await api.create(persistentVolumeClaims, claim({ storageClass: 'fast' }))
  })
  expect(claims()).toEqual(['data Pending  storage-provisioner storage-provisioner'])
  expect(running.told[0]).toMatchObject({ about: 'PersistentVolumeClaim/data', reason: 'ExternalProvisioning' })
  const [asking] = running.api.objects(persistentVolumeClaims)
  const made = volume({ claim: 'data', claimUid: asking?.metadata.uid ?? '', storageClass: 'fast', policy: 'Delete' })
  await running.api.create(persistentVolumes, made)
  await running.clock.advance(100)
  expect(volumes()).toEqual(['disk Bound data with uid'])
  expect(claims()[0]).toMatch(/^data Bound disk /)
})

test('a claim without a class gets the default as soon as there is one', async () => {
  await start((api) => api.create(persistentVolumeClaims, claim()))
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  await running.api.create(storageClasses, storageClass('std', { metadata: { name: 'std', annotations } }))
  await running.clock.advance(100)
  expect(running.api.objects(persistentVolumeClaims)[0]?.spec?.storageClassName).toBe('std')
})

test('a claim that waits is looked at again, and told of again, after some time', async () => {
  await start((api) => api.create(persistentVolumeClaims, claim()))
  await running.clock.advance(15_000)
  expect(running.told.map(({ reason }) => reason)).toEqual(['FailedBinding', 'FailedBinding'])
})
