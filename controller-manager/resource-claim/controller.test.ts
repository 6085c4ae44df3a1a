import { afterEach, expect, test } from 'vitest'
import { claimFinalizer } from '../../api/resource/pod-claims.ts'
import { pods, resourceClaims, resourceClaimTemplates } from '../../client/resources.ts'
import { pod } from '../testing/build.ts'
import { type Running, run } from '../testing/run.ts'
import { newResourceClaimController } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

const template = { metadata: { name: 't', namespace: 'default' }, spec: { spec: { devices: { requests: [] } } } }
const web = (node?: string) => {
  const its = pod({ name: 'web', phase: 'Pending', ...(node ? { node } : {}) })
  return { ...its, spec: { ...its.spec!, resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] } }
}
const key = { namespace: 'default', name: 'web' }
const settle = () => running.clock.advance(100)
const claims = () => running.api.objects(resourceClaims)

test('a pod gets its claim, is told of it once, and gives it back when it has ended', async () => {
  running = await run(newResourceClaimController, {}, (api) => api.create(resourceClaimTemplates, template))
  const { metadata } = await running.api.create(pods, web('n'))
  await settle()
  const [made] = claims()
  expect(made?.metadata.name).toMatch(/^web-gpu-/)
  expect(running.api.objects(pods)[0]?.status?.resourceClaimStatuses).toEqual([
    { name: 'gpu', resourceClaimName: made?.metadata.name },
  ])
  running.api.edit(resourceClaims, { namespace: 'default', name: made?.metadata.name ?? '' }, (claim) => {
    claim.metadata.finalizers = [claimFinalizer]
    claim.status = {
      allocation: { devices: { results: [{ request: 'gpu', driver: 'd', pool: 'p', device: 'g' }] } },
    }
  })
  await settle()
  expect(claims()).toMatchObject([{ status: { reservedFor: [{ name: 'web', uid: metadata.uid }] } }])
  running.api.edit(pods, key, ({ status }) => {
    if (status) status.phase = 'Succeeded'
  })
  await settle()
  await settle()
  expect(claims()).toEqual([])
})

test('a pod without its template is told, and gets its claim when that is there', async () => {
  running = await run(newResourceClaimController)
  await running.api.create(pods, web())
  await settle()
  expect(running.told[0]).toEqual({
    about: 'Pod/web',
    type: 'Warning',
    reason: 'FailedResourceClaimCreation',
    message: 'PodResourceClaim gpu: resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found',
  })
  expect(claims()).toEqual([])
  await running.api.create(resourceClaimTemplates, template)
  await settle()
  expect(claims()).toHaveLength(1)
})

test('the users of a claim are taken off it when they are gone, also those that nobody has seen', async () => {
  running = await run(newResourceClaimController, {}, async (api) => {
    const claim = await api.create(resourceClaims, {
      metadata: { name: 'c', namespace: 'default', finalizers: [claimFinalizer] },
      spec: {},
    })
    const status = {
      allocation: { devices: { results: [{ request: 'gpu', driver: 'd', pool: 'p', device: 'g' }] } },
      reservedFor: [{ resource: 'pods', name: 'never', uid: 'never' }],
    }
    await api.update(resourceClaims, { ...claim, status }, { subresource: 'status' })
  })
  await settle()
  expect(claims()).toMatchObject([{ metadata: { name: 'c' } }])
  expect(claims()[0]?.status?.allocation).toBeUndefined()
  expect(claims()[0]?.metadata.finalizers ?? []).toEqual([])
})

test('a claim is not made twice where the answer of the pod was lost', async () => {
  running = await run(newResourceClaimController, {}, (api) => api.create(resourceClaimTemplates, template))
  const patch = running.api.patch.bind(running.api)
  let failed = 0
  running.api.patch = async (...args) => {
    if (failed++ === 0) throw new Error('out of order')
    return patch(...args)
  }
  await running.api.create(pods, web())
  await settle()
  await running.clock.advance(1000)
  expect(failed).toBe(2)
  expect(claims()).toHaveLength(1)
})
