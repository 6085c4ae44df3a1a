import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'
import { pods } from '../../client/resources.ts'
import { startScheduler, type TestScheduler } from '../support/scheduler.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

// Two schedulers of which one leads, and a cluster that has room for every pod, and for not one more.

const podCount = 500
const podsOnEach = 20
const nodeCount = podCount / podsOnEach
const flags = ['--leader-elect=true']
const lease = ['lease-duration=4s', 'renew-deadline=3s', 'retry-period=500ms'].map((flag) => `--leader-elect-${flag}`)

let server: TestServer
const schedulers: TestScheduler[] = []
beforeAll(async () => {
  server = await startServer()
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' }
  const items = Array.from({ length: nodeCount }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `node-${i}` },
    status: { allocatable, capacity: allocatable },
  }))
  await server.kubectl('create -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
  await server.kubectl('taint nodes --all node.kubernetes.io/not-ready-')
}, 60_000)
afterAll(async () => {
  await Promise.all(schedulers.map((scheduler) => scheduler.kill9()))
  await server?.stop()
})

test(`one that is killed among ${podCount} pods leaves none bound twice, and no node with more than it holds`, async () => {
  const leader = await startScheduler(server, [...flags, ...lease])
  schedulers.push(leader, await startScheduler(server, [...flags, ...lease], { standsBy: true }))
  const client = new Client(loadConfig({ kubeconfig: server.kubeconfig }))
  const over = new AbortController()
  const history = followBindings(client, over.signal)

  const requests = { cpu: `${4000 / podsOnEach}m` }
  const make = async (first: number) => {
    for (let i = first; i < podCount; i += 20) {
      const spec = { containers: [{ name: 'c', image: 'x', resources: { requests } }] }
      await client.create<Pod>(pods, { metadata: { name: `pod-${i}`, namespace: 'default' }, spec })
    }
  }
  const made = Promise.all(Array.from({ length: 20 }, (_, first) => make(first)))
  await until(() => history.bound() >= podCount / 5, { everyMs: 5, message: 'some are bound' })
  await leader.kill9()
  const boundByFirst = history.bound()
  await made
  await until(() => history.bound() === podCount, { timeoutMs: 60_000, message: 'all are bound' })
  over.abort(new Error('the test is over'))

  expect(boundByFirst).toBeLessThan(podCount)
  expect(await history.faults).toEqual([])
  expect([...history.onEach().values()]).toEqual(Array(nodeCount).fill(podsOnEach))
}, 120_000)

/** Follows every change of every pod, in order. */
function followBindings(client: Client, signal: AbortSignal) {
  const nodeOf = new Map<string, string>()
  const onEach = new Map<string, number>()
  const faults: string[] = []
  const follow = async () => {
    let resourceVersion = (await client.list(pods, { limit: 1 })).metadata.resourceVersion
    while (!signal.aborted) {
      for await (const { type, object } of client.watch(pods, { resourceVersion, signal })) {
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion
        if (type === 'BOOKMARK') continue
        const { name } = object.metadata
        const [before, after = ''] = [nodeOf.get(name), object.spec?.nodeName]
        if (before === after || after === '') continue
        if (before) faults.push(`${name} was on ${before}, and then on ${after}`)
        nodeOf.set(name, after)
        const there = (onEach.get(after) ?? 0) + 1
        onEach.set(after, there)
        if (there > podsOnEach) faults.push(`${after} has ${there} pods after ${name}`)
      }
    }
  }
  const ended = follow().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return { bound: () => nodeOf.size, onEach: () => onEach, faults: ended.then(() => faults) }
}
