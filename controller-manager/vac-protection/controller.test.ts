import { afterEach, expect, test } from 'vitest'
import type { VolumeAttributesClass } from '../../api/generated/types.ts'
import { persistentVolumeClaims, persistentVolumes, volumeAttributesClasses } from '../../client/resources.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, volume } from '../testing/volumes.ts'
import { newVacProtectionController } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

const finalizers = () => running.api.objects(volumeAttributesClasses).map(({ metadata }) => metadata.finalizers)
const kept = [['kubernetes.io/vac-protection']]

async function start(prepare: (api: Running['api']) => Promise<unknown> = async () => {}) {
  running = await run(newVacProtectionController, {}, prepare)
  await running.api.create<VolumeAttributesClass>(volumeAttributesClasses, {
    metadata: { name: 'gold' },
    driverName: 'd.example',
    parameters: { iops: '5000' },
  })
  await running.clock.advance(100)
  expect(finalizers()).toEqual(kept)
}
async function deleteClass() {
  await running.api.delete(volumeAttributesClasses, { name: 'gold' })
  await running.clock.advance(60_000)
}

test('an attributes class that nobody uses goes at once', async () => {
  await start()
  await deleteClass()
  expect(finalizers()).toEqual([])
})

test.each([
  ['asks for it', { spec: { volumeAttributesClassName: 'gold' } }],
  ['has it', { status: { currentVolumeAttributesClassName: 'gold' } }],
  [
    'is on its way to it',
    { status: { modifyVolumeStatus: { status: 'InProgress', targetVolumeAttributesClassName: 'gold' } } },
  ],
])('it stays while a claim %s, and goes with the last', async (_, facts) => {
  await start((api) => api.create(persistentVolumeClaims, claim(facts)))
  await deleteClass()
  expect(finalizers()).toEqual(kept)
  await running.api.delete(persistentVolumeClaims, { namespace: 'default', name: 'data' })
  await running.clock.advance(100)
  expect(finalizers()).toEqual([])
})

test('it stays while a volume has it, and goes when that gets another', async () => {
  await start((api) => api.create(persistentVolumes, volume({ spec: { volumeAttributesClassName: 'gold' } })))
  await deleteClass()
  expect(finalizers()).toEqual(kept)
  running.api.edit(persistentVolumes, { name: 'disk' }, ({ spec }) => {
    if (spec) spec.volumeAttributesClassName = 'silver'
  })
  await running.clock.advance(100)
  expect(finalizers()).toEqual([])
})
