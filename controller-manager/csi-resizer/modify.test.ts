import { afterEach, describe, expect, test } from 'vitest'
import type { VolumeAttributesClass } from '../../api/generated/types.ts'
import { persistentVolumeClaims, persistentVolumes, volumeAttributesClasses } from '../../client/resources.ts'
import { type Asked, driverName, playDriver, refusedBy } from '../testing/csi.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, volume } from '../testing/volumes.ts'
import { newCsiResizer } from './controller.ts'
import { planModify } from './modify-plan.ts'

let running: Running
let asked: Asked[]
/** What the driver answers. */
let answer: () => object
afterEach(() => running?.stop())

const key = { namespace: 'default', name: 'data' }
const addClass = (name: string, driver = driverName) =>
  running.api.create<VolumeAttributesClass>(volumeAttributesClasses, {
    metadata: { name },
    driverName: driver,
    parameters: { tier: name },
  })

/** A bound claim with the attributes `silver`, on a node `a`. */
async function start(types: readonly string[] = ['MODIFY_VOLUME']): Promise<void> {
  answer = () => ({})
  running = await run(newCsiResizer, {}, async (api) => {
    asked = await playDriver(api, {
      ControllerGetCapabilities: () => ({ capabilities: types.map((type) => ({ rpc: { type } })) }),
      ControllerModifyVolume: () => answer(),
    })
    const status = { phase: 'Bound', capacity: { storage: '1Gi' }, currentVolumeAttributesClassName: 'silver' }
    const spec = { volumeAttributesClassName: 'silver' }
    const { metadata } = await api.create(persistentVolumeClaims, claim({ volume: 'disk', spec, status }))
    const csi = { driver: driverName, volumeHandle: 'id' }
    const facts = { claim: 'data', claimUid: metadata.uid ?? '', phase: 'Bound', spec: { csi, ...spec } }
    await api.create(persistentVolumes, volume(facts))
  })
  await running.clock.advance(100)
}
async function ask(name: string): Promise<void> {
  running.api.edit(persistentVolumeClaims, key, ({ spec }) => {
    if (spec) spec.volumeAttributesClassName = name
  })
  await running.clock.advance(100)
}
const status = () => running.api.objects(persistentVolumeClaims)[0]?.status
const conditions = () => status()?.conditions?.map(({ type, reason, message }) => ({ type, reason, message }))
const tries = () => asked.filter(({ method }) => method === 'ControllerModifyVolume').map(({ message }) => message)
const reasons = () => running.told.map(({ reason }) => reason)

test('a volume gets the attributes of another class, and its claim says so', async () => {
  await start()
  await addClass('gold')
  await ask('gold')
  expect(tries()).toEqual([{ volumeId: 'id', mutableParameters: { tier: 'gold' } }])
  expect(running.api.objects(persistentVolumes)[0]?.spec?.volumeAttributesClassName).toBe('gold')
  expect(status()).toEqual({
    phase: 'Bound',
    capacity: { storage: '1Gi' },
    currentVolumeAttributesClassName: 'gold',
  })
  expect(reasons()).toEqual(['VolumeModify', 'VolumeModifySuccessful'])
})

test('a class that is not there is waited for', async () => {
  await start()
  await ask('gold')
  expect(status()?.modifyVolumeStatus).toEqual({ status: 'Pending' })
  expect(running.told).toMatchObject([{ reason: 'VolumeModifyFailed', message: 'VAC "gold" does not exist.' }])
  await addClass('gold')
  await running.clock.advance(100)
  expect(status()).toMatchObject({ currentVolumeAttributesClassName: 'gold' })
  expect(status()?.modifyVolumeStatus).toBeUndefined()
})

test.each([
  ['a class of another driver', ['MODIFY_VOLUME'], 'e.example', 'is for driver e.example'],
  ['a driver that changes nothing', [], driverName, 'MODIFY_VOLUME capability is not reported'],
])('%s is told, and not tried', async (_, types, driver, message) => {
  await start(types)
  await addClass('gold', driver)
  await ask('gold')
  expect(tries()).toEqual([])
  expect(running.told[0]?.message).toContain(message)
  expect(status()?.modifyVolumeStatus?.status).toBe('Pending')
})

describe('what the driver refuses', () => {
  test('for good is told as such, and the claim may ask for another at once', async () => {
    await start()
    await addClass('gold')
    await addClass('bronze')
    answer = () => {
      throw refusedBy('INVALID_ARGUMENT', 'no such tier')
    }
    await ask('gold')
    await running.clock.advance(60_000)
    expect(tries()).toHaveLength(1)
    expect(status()?.modifyVolumeStatus).toEqual({ targetVolumeAttributesClassName: 'gold', status: 'Infeasible' })
    expect(conditions()).toEqual([
      { type: 'ModifyingVolume', message: 'Modifying volume to "gold" failed. Waiting for retry.' },
      { type: 'ModifyVolumeError', reason: 'InvalidArgument', message: 'no such tier' },
    ])
    answer = () => ({})
    await ask('bronze')
    expect(status()).toMatchObject({ currentVolumeAttributesClassName: 'bronze' })
    expect(conditions()).toBeUndefined()
  })

  test('and may have done all the same is repeated, whatever the claim asks for by then', async () => {
    await start()
    await addClass('gold')
    await addClass('bronze')
    answer = () => {
      throw refusedBy('DEADLINE_EXCEEDED', 'late')
    }
    await ask('gold')
    expect(conditions()?.[0]?.message).toBe('Modifying volume to "gold" is still in progress.')
    await ask('bronze')
    answer = () => ({})
    await running.clock.advance(10_000)
    expect(tries().map(({ mutableParameters }) => mutableParameters)).toEqual([
      { tier: 'gold' },
      { tier: 'gold' },
      { tier: 'gold' },
      { tier: 'bronze' },
    ])
    expect(status()).toMatchObject({ currentVolumeAttributesClassName: 'bronze' })
  })
})

test.each([
  ['nothing for a claim that has what it asks for', 'gold', { currentVolumeAttributesClassName: 'gold' }, 'nothing'],
  ['nothing for one that is not bound', 'gold', { phase: 'Pending' }, 'nothing'],
  ['go on with what is under way', 'gold', { modifyVolumeStatus: { status: 'InProgress' } }, 'go-on'],
  [
    'forget what is asked for no more',
    undefined,
    {
      modifyVolumeStatus: { status: 'Infeasible' },
      conditions: [{ type: 'ModifyingVolume', status: 'True' }],
    },
    'cancel',
  ],
])('to do: %s', (_, wanted, facts, expected) => {
  const spec = wanted ? { volumeAttributesClassName: wanted } : {}
  expect(planModify(claim({ spec, status: { phase: 'Bound', ...facts } }), false).do).toBe(expected)
})
