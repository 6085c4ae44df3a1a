import { afterEach, expect, test } from 'vitest'
import { claimFinalizer, podClaimAnnotation } from '../../api/resource/pod-claims.ts'
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
  // Long enough for the next try not to be due soon.
  await running.clock.advance(60_000)
  await running.api.create(resourceClaimTemplates, template)
  await running.clock.advance(0)
  expect(claims()).toHaveLength(1)
})

const allocation = { devices: { results: [{ request: 'gpu', driver: 'd', pool: 'p', device: 'g' }] } }
const user = (name: string, uid = name) => ({ resource: 'pods', name, uid })
/** A claim with a device, and with those who use it. */
const used =
  (...reservedFor: ReturnType<typeof user>[]) =>
  async (api: Running['api']) => {
    const claim = await api.create(resourceClaims, {
      metadata: { name: 'c', namespace: 'default', finalizers: [claimFinalizer] },
      spec: {},
    })
    await api.update(resourceClaims, { ...claim, status: { allocation, reservedFor } }, { subresource: 'status' })
  }
/** A pod that uses that claim, on a node. */
const userOf = (name: string) => {
  const its = pod({ name, node: 'n' })
  return { ...its, spec: { ...its.spec!, resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] } }
}

test('the users of a claim are taken off it when they are gone, also those that nobody has seen', async () => {
  running = await run(newResourceClaimController, {}, used(user('never')))
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

test('a pod that is deleted is taken off its claim at once, and those that stay are not', async () => {
  running = await run(newResourceClaimController, {}, async (api) => {
    const [one, two] = [await api.create(pods, userOf('one')), await api.create(pods, userOf('two'))]
    await used(user('one', one.metadata.uid), user('two', two.metadata.uid))(api)
  })
  await settle()
  expect(claims()[0]?.status?.reservedFor).toHaveLength(2)
  await running.api.delete(pods, { namespace: 'default', name: 'one' }, { gracePeriodSeconds: 0 })
  await settle()
  expect(claims()).toMatchObject([
    { metadata: { finalizers: [claimFinalizer] }, status: { allocation, reservedFor: [{ name: 'two' }] } },
  ])
})

test('a pod that has the name of a user, but is another, is taken off its claim and put on it as itself', async () => {
  running = await run(newResourceClaimController, {}, async (api) => {
    await used(user('one', 'older'), user('two'))(api)
    await api.create(pods, { ...userOf('two'), metadata: { name: 'two', namespace: 'default', uid: 'two' } })
    await api.create(pods, userOf('one'))
  })
  await settle()
  await settle()
  const uidOf = (name: string) => running.api.objects(pods).find(({ metadata }) => metadata.name === name)?.metadata.uid
  const users = claims()[0]?.status?.reservedFor ?? []
  expect(users.map(({ uid }) => uid).sort()).toEqual([uidOf('one'), uidOf('two')].sort())
  expect(claims()[0]?.status?.allocation).toEqual(allocation)
})

test('a user of whom only the server knows keeps the claim, and so does one of whom it cannot say', async () => {
  running = await run(newResourceClaimController, {}, used(user('late'), user('unsure')))
  const get = running.api.get.bind(running.api)
  running.api.get = async (ref, key, options) => {
    if (key.name === 'late') return { ...pod({ name: 'late' }) } as never
    if (key.name === 'unsure') throw new Error('out of order')
    return get(ref, key, options)
  }
  await settle()
  expect(claims()[0]?.status?.reservedFor).toHaveLength(2)
  running.api.get = async (ref, key, options) =>
    key.name === 'late' ? ({ ...pod({ name: 'late' }) } as never) : get(ref, key, options)
  await running.clock.advance(10_000)
  expect(claims()[0]?.status?.reservedFor).toEqual([user('late')])
})

test('a pod is told which claim was made for which of its entries', async () => {
  running = await run(newResourceClaimController, {}, async (api) => {
    await api.create(resourceClaimTemplates, template)
    const its = web()
    const entries = ['gpu', 'net'].map((name) => ({ name, resourceClaimTemplateName: 't' }))
    const { metadata } = await api.create(pods, { ...its, spec: { ...its.spec, resourceClaims: entries } })
    for (const entry of ['net', 'gpu']) {
      await api.create(resourceClaims, {
        metadata: {
          name: `its-${entry}`,
          namespace: 'default',
          annotations: { [podClaimAnnotation]: entry },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: metadata.uid ?? '', controller: true }],
        },
        spec: {},
      })
    }
  })
  await settle()
  expect(running.api.objects(pods)[0]?.status?.resourceClaimStatuses).toEqual([
    { name: 'gpu', resourceClaimName: 'its-gpu' },
    { name: 'net', resourceClaimName: 'its-net' },
  ])
  expect(claims()).toHaveLength(2)
})
