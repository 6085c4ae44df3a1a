import { afterEach, describe, expect, test } from 'vitest'
import { configMaps, cronJobs, deployments, jobs, pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import * as library from './index.ts'
import { type ClusterOptions, startCluster, type TestCluster } from './start-cluster.ts'
import type * as declared from './types.d.ts'

// What is declared to those who use it is what it is: else this does not compile.
const asDeclared: typeof declared = library

let cluster: TestCluster | undefined
afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})
const start = async (options?: ClusterOptions) => {
  cluster = await startCluster(options)
  return cluster.client
}

const template = (restartPolicy: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { restartPolicy, containers: [{ name: 'main', image: 'app:1' }] },
})

describe('a cluster in a test', () => {
  test('keeps objects, and says who it is', async () => {
    const client = await start()
    await client.create(configMaps, { metadata: { name: 'a', namespace: 'default' }, data: { a: '1' } })
    expect((await client.get(configMaps, { namespace: 'default', name: 'a' })).data).toEqual({ a: '1' })
    expect(Object.keys(asDeclared)).toEqual(expect.arrayContaining(['FakeClock', 'resources', 'startCluster']))
  })

  test('runs controllers, a scheduler and nodes on which pods are ready at once', async () => {
    const client = await start({ controllers: true, nodes: 2 })
    await client.create(deployments, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('Always') },
    })
    await expect
      .poll(async () => (await client.get(deployments, { namespace: 'default', name: 'web' })).status?.readyReplicas, {
        timeout: 20_000,
      })
      .toBe(3)
    const { items } = await client.list(pods, { namespace: 'default' })
    expect(new Set(items.map(({ spec }) => spec?.nodeName)).size).toBe(2)
  })

  test('lives in the time it is given', async () => {
    const clock = new FakeClock(Date.parse('2030-01-01T00:59:00Z'))
    const client = await start({ controllers: ['cronjob-controller'], clock })
    await client.create(cronJobs, {
      metadata: { name: 'hourly', namespace: 'default' },
      spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: template('Never') } } },
    })
    const made = async () =>
      (await client.list(jobs, { namespace: 'default' })).items.map(({ metadata }) => metadata.creationTimestamp)
    expect(await made()).toEqual([])
    await expect
      .poll(
        async () => {
          await clock.advance(30_000)
          return made()
        },
        { timeout: 20_000 },
      )
      .toHaveLength(1)
    expect((await made())[0]).toMatch(/^2030-01-01T01:/)
  })

  test('refuses what an API server refuses', async () => {
    const client = await start()
    const refused = client.create(pods, { metadata: { name: 'A', namespace: 'default' }, spec: { containers: [] } })
    await expect(refused).rejects.toMatchObject({ code: 422, reason: 'Invalid' })
  })
})
