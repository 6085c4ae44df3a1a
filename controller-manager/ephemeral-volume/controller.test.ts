import { afterEach, expect, test } from 'vitest'
import { persistentVolumeClaims, pods } from '../../client/resources.ts'
import { pod } from '../testing/build.ts'
import { type Running, run } from '../testing/run.ts'
import { claim } from '../testing/volumes.ts'
import { newEphemeralVolumeController } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const withVolume = () => {
  const made = pod({ name: 'web' })
  const volumeClaimTemplate = { metadata: { labels: { a: 'b' } }, spec }
  return { ...made, spec: { ...made.spec!, volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate } }] } }
}

test('a pod gets the claim it describes, and owns it', async () => {
  running = await run(newEphemeralVolumeController)
  const { metadata } = await running.api.create(pods, withVolume())
  await running.clock.advance(100)
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: metadata.uid, controller: true }
  expect(running.api.objects(persistentVolumeClaims)).toMatchObject([
    {
      metadata: {
        name: 'web-v',
        namespace: 'default',
        labels: { a: 'b' },
        ownerReferences: [{ ...owner, blockOwnerDeletion: true }],
      },
      spec,
    },
  ])
})

test('a claim that is another’s is not taken, which is told, and one of its own is made when that has gone', async () => {
  running = await run(newEphemeralVolumeController)
  await running.api.create(persistentVolumeClaims, claim({ name: 'web-v' }))
  await running.api.create(pods, withVolume())
  await running.clock.advance(100)
  expect(running.told[0]).toEqual({
    about: 'Pod/web',
    type: 'Warning',
    reason: 'FailedBinding',
    message: 'ephemeral volume v: PVC default/web-v was not created for pod default/web (pod is not owner)',
  })
  await running.api.delete(persistentVolumeClaims, { namespace: 'default', name: 'web-v' })
  await running.clock.advance(60_000)
  expect(running.api.objects(persistentVolumeClaims)[0]?.metadata.ownerReferences).toHaveLength(1)
})
