import { afterEach, expect, test } from 'vitest'
import type { Secret } from '../../api/generated/types.ts'
import { persistentVolumeClaims, persistentVolumes, secrets } from '../../client/resources.ts'
import { newExpandController } from '../expand/controller.ts'
import { type Asked, driverName, playDriver, refusedBy } from '../testing/csi.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, volume } from '../testing/volumes.ts'
import { newCsiResizer } from './controller.ts'

let running: Running
let asked: Asked[]
afterEach(() => running?.stop())

/** A claim of one gibibyte that comes to ask for three. */
async function grow(ControllerExpandVolume: () => object): Promise<void> {
  running = await run(
    (deps) => [...newCsiResizer(deps), newExpandController(deps)],
    {},
    async (api) => {
      const ControllerGetCapabilities = () => ({ capabilities: [{ rpc: { type: 'EXPAND_VOLUME' } }] })
      asked = await playDriver(api, { ControllerGetCapabilities, ControllerExpandVolume })
      const status = { phase: 'Bound', capacity: { storage: '1Gi' } }
      const { metadata } = await api.create(persistentVolumeClaims, claim({ volume: 'disk', status }))
      const controllerExpandSecretRef = { name: 'key', namespace: 'storage' }
      const data = { key: Buffer.from('open').toString('base64') }
      await api.create<Secret>(secrets, { metadata: controllerExpandSecretRef, data })
      const csi = { driver: driverName, volumeHandle: 'id', controllerExpandSecretRef }
      const facts = { claim: 'data', claimUid: metadata.uid ?? '', phase: 'Bound', spec: { csi } }
      await api.create(persistentVolumes, volume(facts))
    },
  )
  await running.clock.advance(100)
  running.api.edit(persistentVolumeClaims, { namespace: 'default', name: 'data' }, ({ spec }) => {
    if (spec) spec.resources = { requests: { storage: '3Gi' } }
  })
  await running.clock.advance(100)
}
const status = () => running.api.objects(persistentVolumeClaims)[0]?.status
const conditions = () => status()?.conditions?.map(({ type }) => type)
const size = () => running.api.objects(persistentVolumes)[0]?.spec?.capacity?.storage
const reasons = () => running.told.map(({ reason }) => reason)

test('a volume grows, and its claim with it', async () => {
  await grow(() => ({ capacityBytes: String(4 * 2 ** 30) }))
  expect(asked.at(-1)).toMatchObject({
    node: 'a',
    method: 'ControllerExpandVolume',
    message: { volumeId: 'id', capacityRange: { requiredBytes: String(3 * 2 ** 30) }, secrets: { key: 'open' } },
  })
  expect(size()).toBe('4Gi')
  expect(status()).toEqual({ phase: 'Bound', capacity: { storage: '4Gi' } })
  expect(reasons().sort()).toEqual(['ExternalExpanding', 'Resizing', 'VolumeResizeSuccessful'])
})

test('the node does the rest where there is something to be done, and is not disturbed', async () => {
  await grow(() => ({ capacityBytes: String(3 * 2 ** 30), nodeExpansionRequired: true }))
  await running.clock.advance(60_000)
  expect(asked.filter(({ method }) => method === 'ControllerExpandVolume')).toHaveLength(1)
  expect(size()).toBe('3Gi')
  expect(status()).toMatchObject({
    capacity: { storage: '1Gi' },
    allocatedResources: { storage: '3Gi' },
    allocatedResourceStatuses: { storage: 'NodeResizePending' },
  })
  expect(conditions()).toEqual(['FileSystemResizePending'])
})

test('a growth that is not possible is told as such', async () => {
  await grow(() => {
    throw refusedBy('OUT_OF_RANGE', 'too large')
  })
  expect(status()?.allocatedResourceStatuses).toEqual({ storage: 'ControllerResizeInfeasible' })
  expect(conditions()).toEqual(['ControllerResizeError'])
  const failed = running.told.find(({ reason }) => reason === 'VolumeResizeFailed')
  expect(failed?.message).toBe(
    'resize volume "disk" by resizer "d.example" failed: rpc error: code = OutOfRange desc = too large',
  )
})
