import { afterAll, beforeAll, expect, it } from 'vitest'
import { builtinKinds } from '../../api/registry.ts'
import { type RunningServer, runServer } from '../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer()
})
afterAll(() => server.stop())

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web' }] } }
const deployment = (name: string) => ({
  metadata: { name },
  spec: { selector: { matchLabels: { app: 'web' } }, template },
})
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const pods = '/api/v1/namespaces/default/pods'

it('a write names the object that it is about', async () => {
  await server.create(deployments, deployment('named'))
  const nameless = { spec: deployment('').spec }
  const answers = [
    await server.request('PUT', `${deployments}/named`, nameless),
    await server.request('PUT', `${deployments}/named/status`, { metadata: {}, status: {} }),
    await server.request('PUT', `${deployments}/named/scale`, { spec: { replicas: 2 } }),
    await server.patch(`${deployments}/named`, { metadata: { name: null } }),
  ]
  const why = 'the name of the object (named based on URL) was undeterminable: name must be provided'
  expect(answers.map(({ code, body }) => [code, body.reason, body.message])).toEqual(
    answers.map(() => [400, 'BadRequest', why]),
  )
  const apply = (name: string) =>
    server.patch(
      `${deployments}/${name}?fieldManager=f`,
      { ...nameless, apiVersion: 'apps/v1', kind: 'Deployment' },
      { headers: { 'content-type': 'application/apply-patch+yaml' } },
    )
  // What is applied to an object that is there need not repeat its name.
  expect([(await apply('named')).code, (await apply('none')).code]).toEqual([200, 400])
  // Neither an object that is not there nor one that would be made of it.
  for (const path of [`${deployments}/none`, '/apis/coordination.k8s.io/v1/namespaces/default/leases/none']) {
    expect((await server.request('PUT', path, { spec: {} })).body.message).toMatch(/name must be provided$/)
  }
})

it('a patch for another object of the same name is invalid, one from another version a conflict', async () => {
  const { body: standing } = await server.create(deployments, deployment('replaced'))
  const path = `${deployments}/replaced`
  const former = { uid: 'former' }
  const { code, body } = await server.patch(path, { metadata: former })
  expect([code, body.message]).toEqual([
    422,
    'Deployment.apps "replaced" is invalid: metadata.uid: Invalid value: "former": field is immutable',
  ])
  expect((await server.patch(`${path}/status`, { metadata: former, status: {} })).code).toBe(422)
  const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: former }
  const headers = { 'content-type': 'application/apply-patch+yaml' }
  expect((await server.patch(`${path}?fieldManager=f`, applied, { headers })).code).toBe(422)
  const outdated = await server.patch(path, { metadata: { ...former, resourceVersion: '1' } })
  expect([outdated.code, outdated.body.message]).toMatchObject([409, expect.stringContaining('has been modified')])
  expect((await server.request('PUT', path, { ...standing, metadata: { ...standing.metadata, ...former } })).code).toBe(
    409,
  )
  expect((await server.patch(path, { metadata: { uid: standing.metadata.uid } })).code).toBe(200)
})

it('what is replaced only from a known version says so of the resource', async () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
  await server.create(leases, { metadata: { name: 'held' } })
  const { code, body } = await server.request('PUT', `${leases}/held`, { metadata: { name: 'held' } })
  expect([code, body.message, body.details.kind]).toEqual([
    422,
    'leases.coordination.k8s.io "held" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    'leases',
  ])
})

it('a review is answered with its kind, though it was asked without', async () => {
  const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const spec = { resourceAttributes: { verb: 'get', resource: 'pods' } }
  expect((await server.create(reviews, { spec })).body).toMatchObject({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    status: { allowed: true },
  })
})

it('an object begins with an empty status, whatever was sent', async () => {
  const { body } = await server.create(deployments, { ...deployment('begun'), status: { replicas: 3 } })
  expect(body.status).toEqual({})
  const replicaSet = await server.create('/apis/apps/v1/namespaces/default/replicasets', deployment('begun'))
  expect(replicaSet.body.status).toEqual({ replicas: 0 })
})

it('a pod that runs nowhere is told of as one that is being deleted', async () => {
  await server.create(pods, { metadata: { name: 'unbound' }, spec: template.spec })
  const { code, body } = await server.remove(`${pods}/unbound`)
  expect([code, body.kind, body.metadata]).toMatchObject([
    200,
    'Pod',
    { name: 'unbound', deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 0, generation: 2 },
  ])
  expect((await server.get(`${pods}/unbound`)).code).toBe(404)
})

it('volumes, devices and their classes are told of as they were when they are deleted', async () => {
  const path = '/apis/storage.k8s.io/v1/storageclasses'
  await server.create(path, { metadata: { name: 'slow' }, provisioner: 'example.com/disk' })
  expect((await server.remove(`${path}/slow`)).body).toMatchObject({ kind: 'StorageClass', metadata: { name: 'slow' } })
  const plurals = builtinKinds.filter(({ strategy }) => strategy.returnDeleted).map(({ plural }) => plural)
  expect(plurals.toSorted().join(' ')).toBe(
    'csidrivers csinodes deviceclasses namespaces persistentvolumeclaims persistentvolumes pods podtemplates ' +
      'resourceclaims resourceclaimtemplates resourcequotas resourceslices serviceaccounts services storageclasses ' +
      'volumeattachments volumeattributesclasses',
  )
})

it.each([
  ['namespaces/default/endpoints', 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  ['componentstatuses', 'v1 ComponentStatus is deprecated in v1.19+'],
])('who uses %s is told that they are of the past', async (path, warning) => {
  expect((await server.get(`/api/v1/${path}`)).headers.warning).toBe(`299 - "${warning}"`)
})
