import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

let server: RunningServer
let namespace = ''
let count = 0
beforeAll(async () => {
  server = await runServer()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  namespace = `team-${++count}`
  await server.create('/api/v1/namespaces', { metadata: { name: namespace } })
})

const path = (plural: string) => `/api/v1/namespaces/${namespace}/${plural}`
const config = (name: string) => ({ metadata: { name } })

/** A quota that a controller has counted already. */
async function quota(name: string, hard: Record<string, string>, used: Record<string, string> = {}) {
  expect((await server.create(path('resourcequotas'), { metadata: { name }, spec: { hard } })).code).toBe(201)
  const zero = Object.fromEntries(Object.keys(hard).map((resource) => [resource, '0']))
  const answer = await server.patch(`${path('resourcequotas')}/${name}/status`, {
    status: { hard, used: { ...zero, ...used } },
  })
  expect(answer.code).toBe(200)
}
const usedOf = async (name: string) => (await server.get(`${path('resourcequotas')}/${name}`)).body.status.used

test('a write beyond the quota is refused, and says why', async () => {
  await quota('small', { configmaps: '1' })
  expect((await server.create(path('configmaps'), config('a'))).code).toBe(201)
  const refused = await server.create(path('configmaps'), config('b'))
  expect(refused.code).toBe(403)
  expect(refused.body.message).toBe(
    'configmaps "b" is forbidden: exceeded quota: small, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
  )
  expect(await usedOf('small')).toEqual({ configmaps: '1' })
})

test('however many create at once, no more is let through than there is, and each is counted once', async () => {
  await quota('many', { 'count/configmaps': '20' })
  await quota('more', { configmaps: '25', secrets: '1' })
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => server.create(path('configmaps'), config(`c${i}`))),
  )
  expect(answers.filter(({ code }) => code === 201)).toHaveLength(20)
  expect(answers.filter(({ code }) => code === 403)).toHaveLength(40)
  expect(await usedOf('many')).toEqual({ 'count/configmaps': '20' })
  expect(await usedOf('more')).toEqual({ configmaps: '20', secrets: '0' })
})

test('others who change the quota meanwhile stand in nobody’s way', async () => {
  await quota('busy', { configmaps: '100' })
  const labelling = async () => {
    for (let i = 0; i < 20; i++) {
      await server.patch(`${path('resourcequotas')}/busy`, { metadata: { labels: { i: String(i) } } })
    }
  }
  const creating = Promise.all(Array.from({ length: 30 }, (_, i) => server.create(path('configmaps'), config(`c${i}`))))
  await labelling()
  expect((await creating).map(({ code }) => code)).toEqual(Array.from({ length: 30 }, () => 201))
  expect(await usedOf('busy')).toEqual({ configmaps: '30' })
})

test('a write that comes to nothing uses nothing', async () => {
  await quota('spare', { configmaps: '5' })
  await server.create(path('configmaps'), config('a'))
  expect((await server.create(path('configmaps'), config('a'))).code).toBe(409)
  expect((await server.create(`${path('configmaps')}?dryRun=All`, config('b'))).code).toBe(201)
  expect(await usedOf('spare')).toEqual({ configmaps: '1' })
})

test('a dry run is refused where the write would be', async () => {
  await quota('none', { configmaps: '0' })
  expect((await server.create(`${path('configmaps')}?dryRun=All`, config('b'))).code).toBe(403)
})

test('a transaction uses what its steps use together, even of a quota that it changes itself', async () => {
  await quota('batch', { configmaps: '2' })
  const step = (name: string) => ({
    operation: 'create',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } },
  })
  const run = (operations: object[]) =>
    server.create('/apis/gantry.dev/v1/transactions', {
      apiVersion: 'gantry.dev/v1',
      kind: 'Transaction',
      spec: { operations },
    })
  expect((await run([step('a'), step('b'), step('c')])).code).toBe(403)
  expect((await server.get(path('configmaps'))).body.items).toEqual([])
  expect((await run([step('a'), step('b')])).code).toBe(200)
  expect(await usedOf('batch')).toEqual({ configmaps: '2' })

  await quota('own', { secrets: '1', configmaps: '9' })
  const standing = (await server.get(`${path('resourcequotas')}/own`)).body
  const labelled = { ...standing, metadata: { ...standing.metadata, labels: { a: 'b' } } }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace } }
  const answer = await run([
    { operation: 'update', object: labelled },
    { operation: 'create', object: secret },
  ])
  expect(answer.code, answer.text).toBe(200)
  const after = (await server.get(`${path('resourcequotas')}/own`)).body
  expect(after).toMatchObject({ metadata: { labels: { a: 'b' } }, status: { used: { secrets: '1' } } })
})

test('a pod must say what it needs where that is limited', async () => {
  await quota('compute', { 'requests.cpu': '1', pods: '5' })
  const pod = (name: string, resources: object = {}) => ({
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'x', resources }] },
  })
  const silent = await server.create(path('pods'), pod('silent'))
  expect(silent.body.message).toBe(
    'pods "silent" is forbidden: failed quota: compute: must specify requests.cpu for: c',
  )
  expect((await server.create(path('pods'), pod('fits', { requests: { cpu: '600m' } }))).code).toBe(201)
  expect((await server.create(path('pods'), pod('large', { requests: { cpu: '600m' } }))).code).toBe(403)
  expect(await usedOf('compute')).toEqual({ 'requests.cpu': '600m', pods: '1' })
  const resized = await server.patch(`${path('pods')}/fits/resize`, {
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1100m' } } }] },
  })
  expect(resized.code).toBe(403)
})
