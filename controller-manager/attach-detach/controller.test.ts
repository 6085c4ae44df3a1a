import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Secret } from '../../api/generated/types.ts'
import {
  csiDrivers,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  volumeAttachments,
} from '../../client/resources.ts'
import { newCsiAttacher } from '../csi-attacher/controller.ts'
import { pod } from '../testing/build.ts'
import { type Asked, driverName, playDriver, refusedBy } from '../testing/csi.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, volume } from '../testing/volumes.ts'
import { newAttachDetachController } from './controller.ts'

let running: Running
let asked: Asked[]
let refusal: string | undefined
afterEach(() => running?.stop())

const unique = `kubernetes.io/csi/${driverName}^id`
const uses = (name: string, node: string) => {
  const made = pod({ name, node })
  return { ...made, spec: { ...made.spec!, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] } }
}

/** Both controllers at once, a driver behind two nodes, and a claim with a volume of its. */
beforeEach(async () => {
  refusal = undefined
  running = await run(
    (deps) => [newAttachDetachController(deps), newCsiAttacher(deps)].flat(),
    {},
    async (api) => {
      const methods = {
        ControllerGetCapabilities: () => ({ capabilities: [{ rpc: { type: 'PUBLISH_UNPUBLISH_VOLUME' } }] }),
        ControllerPublishVolume: () => {
          if (refusal) throw refusedBy(refusal)
          return { publishContext: { device: '/dev/x' } }
        },
        ControllerUnpublishVolume: () => ({}),
      }
      asked = await playDriver(api, methods, { nodeNames: ['a', 'b'] })
      const { metadata } = await api.create(
        persistentVolumeClaims,
        claim({ volume: 'disk', status: { phase: 'Bound' } }),
      )
      const controllerPublishSecretRef = { name: 'key', namespace: 'storage' }
      const data = { key: Buffer.from('open').toString('base64') }
      await api.create<Secret>(secrets, { metadata: controllerPublishSecretRef, data })
      const csi = { driver: driverName, volumeHandle: 'id', controllerPublishSecretRef }
      await api.create(
        persistentVolumes,
        volume({ claim: 'data', claimUid: metadata.uid ?? '', phase: 'Bound', spec: { csi } }),
      )
    },
  )
  await running.clock.advance(100)
})

const attachments = () =>
  running.api.objects(volumeAttachments).map(({ spec, status }) => [spec.nodeName, status?.attached])
const attachedTo = (name: string) =>
  running.api.objects(nodes).find(({ metadata }) => metadata.name === name)?.status?.volumesAttached
const calls = () => asked.map(({ method, message }) => `${method} ${message.nodeId ?? ''}`.trim())

test('a volume follows its pod from node to node', async () => {
  await running.api.create(pods, uses('first', 'a'))
  await running.clock.advance(100)
  expect(attachments()).toEqual([['a', true]])
  expect(attachedTo('a')).toEqual([{ name: unique, devicePath: '' }])
  const [attachment] = running.api.objects(volumeAttachments)
  expect(attachment?.status?.attachmentMetadata).toEqual({ device: '/dev/x' })
  expect(attachment?.metadata.finalizers).toEqual(['external-attacher/d-example'])
  expect(running.told).toMatchObject([
    {
      about: 'Pod/first',
      reason: 'SuccessfulAttachVolume',
      message: 'AttachVolume.Attach succeeded for volume "disk" ',
    },
  ])

  await running.api.create(pods, uses('second', 'b'))
  await running.clock.advance(100)
  expect(attachments()).toEqual([['a', true]])
  expect(running.told.at(-1)).toMatchObject({
    about: 'Pod/second',
    reason: 'FailedAttachVolume',
    message: 'Multi-Attach error for volume "disk" Volume is already used by pod(s) first',
  })

  await running.api.delete(pods, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 })
  await running.clock.advance(100)
  expect(attachments()).toEqual([['b', true]])
  expect(attachedTo('a')).toBeUndefined()
  expect(calls()).toEqual([
    'ControllerGetCapabilities',
    'ControllerPublishVolume id-of-a',
    'ControllerUnpublishVolume id-of-a',
    'ControllerPublishVolume id-of-b',
  ])
})

test('a volume is left on a node that holds it still', async () => {
  await running.api.create(pods, uses('first', 'a'))
  await running.clock.advance(100)
  running.api.edit(nodes, { name: 'a' }, ({ status }) => {
    if (status) status.volumesInUse = [unique]
  })
  await running.api.delete(pods, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 })
  await running.clock.advance(3_600_000)
  expect(attachments()).toEqual([['a', true]])
  running.api.edit(nodes, { name: 'a' }, ({ status }) => {
    if (status) status.volumesInUse = []
  })
  await running.clock.advance(100)
  expect(attachments()).toEqual([])
})

test('what a driver refuses is told the pod, and tried again', async () => {
  refusal = 'INTERNAL'
  await running.api.create(pods, uses('first', 'a'))
  await running.clock.advance(100)
  expect(attachments()).toEqual([['a', undefined]])
  expect(running.told).toMatchObject([
    {
      reason: 'FailedAttachVolume',
      message: 'AttachVolume.Attach failed for volume "disk" : rpc error: code = Internal desc = no',
    },
  ])
  refusal = undefined
  await running.clock.advance(3000)
  expect(attachments()).toEqual([['a', true]])
  expect(running.api.objects(volumeAttachments)[0]?.status?.attachError).toBeUndefined()
})

test('volumes of a driver that needs no attaching are left alone', async () => {
  running.api.edit(csiDrivers, { name: driverName }, ({ spec }) => {
    spec.attachRequired = false
  })
  await running.clock.advance(100)
  await running.api.create(pods, uses('first', 'a'))
  await running.clock.advance(100)
  expect(attachments()).toEqual([])
})

test('a driver is handed the secret of its volume both times', async () => {
  await running.api.create(pods, uses('first', 'a'))
  await running.clock.advance(100)
  await running.api.delete(pods, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 })
  await running.clock.advance(10_000)
  const published = asked.filter(({ method }) => method.endsWith('publishVolume') || method.endsWith('PublishVolume'))
  expect(published.map(({ method, message }) => [method, message.secrets])).toEqual([
    ['ControllerPublishVolume', { key: 'open' }],
    ['ControllerUnpublishVolume', { key: 'open' }],
  ])
})
