import { afterEach, describe, expect, test } from 'vitest'
import { persistentVolumeClaims, persistentVolumes, pods } from '../../client/resources.ts'
import { newPvProtectionController } from '../pv-protection/controller.ts'
import { pod } from '../testing/build.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, volume } from '../testing/volumes.ts'
import { newPvcProtectionController } from './controller.ts'
import { keepsClaim } from './plan.ts'

let running: Running
afterEach(() => running?.stop())

const uses = (name: string, node?: string) => {
  const made = pod({ name: 'web', ...(node ? { node } : {}) })
  return { ...made, spec: { ...made.spec!, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }] } }
}
const standing = () => running.api.objects(persistentVolumeClaims).map(({ metadata }) => metadata.finalizers)

describe('a claim', () => {
  test('is protected, and goes when the last pod that uses it has gone', async () => {
    running = await run(newPvcProtectionController)
    await running.api.create(persistentVolumeClaims, claim())
    await running.api.create(pods, uses('data', 'node'))
    await running.clock.advance(100)
    expect(standing()).toEqual([['kubernetes.io/pvc-protection']])
    await running.api.delete(persistentVolumeClaims, { namespace: 'default', name: 'data' })
    await running.clock.advance(60_000)
    expect(standing()).toEqual([['kubernetes.io/pvc-protection']])
    await running.api.delete(pods, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
    await running.clock.advance(100)
    expect(standing()).toEqual([])
  })

  test('goes at once where no pod on a node uses it', async () => {
    running = await run(newPvcProtectionController)
    await running.api.create(persistentVolumeClaims, claim())
    await running.api.create(pods, uses('data'))
    await running.clock.advance(100)
    await running.api.delete(persistentVolumeClaims, { namespace: 'default', name: 'data' })
    await running.clock.advance(100)
    expect(standing()).toEqual([])
  })

  test('made for a pod is not kept by it once its node is done with it', () => {
    const its = claim({
      name: 'web-v',
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'web', controller: true }] },
    })
    const owner = pod({ name: 'web', node: 'node' })
    const using = { ...owner, spec: { ...owner.spec!, volumes: [{ name: 'v', ephemeral: {} }] } }
    expect(keepsClaim(using, its)).toBe(true)
    const metadata = { ...using.metadata, deletionTimestamp: 'now', deletionGracePeriodSeconds: 0 }
    expect(keepsClaim({ ...using, metadata }, its)).toBe(false)
    expect(keepsClaim(using, claim({ name: 'web-v' }))).toBe(false)
  })
})

test('a volume is protected, and goes when it is bound no more', async () => {
  running = await run(newPvProtectionController)
  await running.api.create(persistentVolumes, volume({ phase: 'Bound' }))
  await running.clock.advance(100)
  await running.api.delete(persistentVolumes, { name: 'disk' })
  await running.clock.advance(60_000)
  expect(running.api.objects(persistentVolumes)[0]?.metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
  running.api.edit(persistentVolumes, { name: 'disk' }, (disk) => {
    disk.status = { phase: 'Released' }
  })
  await running.clock.advance(100)
  expect(running.api.objects(persistentVolumes)).toEqual([])
})
