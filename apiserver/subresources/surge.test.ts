import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer()
})
afterAll(() => server?.stop())

const pods = '/api/v1/namespaces/default/pods'
const sets = '/apis/apps/v1/namespaces/default/replicasets'

/** A replica set that wants so many pods. */
async function makeSet(name: string, replicas: number, annotations: object): Promise<string> {
  const { code, text, body } = await server.create(sets, {
    metadata: { name, annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  })
  expect(code, text).toBe(201)
  return body.metadata.uid
}

async function makePod(name: string, set: string, uid: string, ready = true): Promise<void> {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set, uid, controller: true }]
  const { code, text } = await server.create(pods, {
    metadata: { name, labels: { app: set }, ownerReferences },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  })
  expect(code, text).toBe(201)
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  await server.patch(`${pods}/${name}/status`, { status: { phase: 'Running', conditions } })
}

const evict = (name: string, query = '') =>
  server.create(`${pods}/${name}/eviction${query}`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name },
  })
const askedFor = async (name: string): Promise<string | undefined> =>
  (await server.get(`${pods}/${name}`)).body.metadata.annotations?.['gantry.dev/eviction-requested']

const surge = { 'gantry.dev/surge-on-drain': 'true' }

describe('an eviction from a workload that surges', () => {
  test('waits for a replacement, which it asks for', async () => {
    const uid = await makeSet('one', 1, surge)
    await makePod('one-a', 'one', uid)
    const dry = await evict('one-a', '?dryRun=All')
    expect([dry.code, await askedFor('one-a')]).toEqual([429, undefined])
    const early = await evict('one-a')
    expect([early.code, early.headers['retry-after'], early.body.details.causes]).toEqual([
      429,
      '2',
      [
        {
          reason: 'SurgeOnDrain',
          message:
            'ReplicaSet one has 1 ready pods and is to have 1: a replacement has been asked for, as gantry.dev/surge-on-drain says',
        },
      ],
    ])
    expect(await askedFor('one-a')).toMatch(/^\d{4}-/)
    await makePod('one-b', 'one', uid, false)
    expect((await evict('one-a')).code).toBe(429)
    await server.patch(`${pods}/one-b/status`, { status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    expect((await evict('one-a')).code).toBe(201)
  })

  test('is granted once for each replacement, however many come together', async () => {
    const uid = await makeSet('three', 2, surge)
    for (const name of ['three-a', 'three-b', 'three-c']) await makePod(name, 'three', uid)
    const answers = await Promise.all(['three-a', 'three-b', 'three-c'].map((name) => evict(name)))
    expect(answers.map(({ code }) => code).sort()).toEqual([201, 429, 429])
  })

  test('is not held back for a pod that serves nobody, nor where nobody asked for it', async () => {
    const uid = await makeSet('idle', 1, surge)
    await makePod('idle-a', 'idle', uid, false)
    expect((await evict('idle-a')).code).toBe(201)
    const plain = await makeSet('plain', 1, {})
    await makePod('plain-a', 'plain', plain)
    expect((await evict('plain-a')).code).toBe(201)
  })
})
