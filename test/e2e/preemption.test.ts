import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'
import { podDisruptionBudgets, pods } from '../../client/resources.ts'
import { startControllerManager } from '../support/controller-manager.ts'
import { startScheduler, type TestScheduler } from '../support/scheduler.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

// A full cluster, and pods that matter more than those that fill it. Real servers; the nodes are on paper.

/** By node: the class of each pod, and its share of the node's four cpus. */
const standing = {
  'two-low': ['low:2', 'low:2'],
  'one-low': ['low:4'],
  'one-middle': ['middle:4'],
  guarded: ['low:4'],
} as const
const mostMs = 2000

let server: TestServer
let client: Client
let scheduler: TestScheduler | undefined
let controllers: Awaited<ReturnType<typeof startControllerManager>> | undefined
beforeAll(async () => {
  server = await startServer()
  client = new Client(loadConfig({ kubeconfig: server.kubeconfig }))
  const classes = Object.entries({ low: 10, middle: 100, critical: 1000 }).map(([name, value]) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
  }))
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' }
  const nodes = Object.keys(standing).map((name) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { allocatable, capacity: allocatable },
  }))
  const items = [...classes, ...nodes]
  await server.kubectl('create -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
  await server.kubectl('taint nodes --all node.kubernetes.io/not-ready-')
  for (const [nodeName, all] of Object.entries(standing)) {
    for (const [i, what] of all.entries()) {
      const [priorityClassName = '', cpu = ''] = what.split(':')
      await createPod(`${nodeName}-${i}`, cpu, priorityClassName, { nodeName })
      await report(`${nodeName}-${i}`)
    }
  }
  controllers = await startControllerManager(server, ['--controllers=disruption-controller'])
  await client.create<PodDisruptionBudget>(podDisruptionBudgets, {
    metadata: { name: 'guarded', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { pod: 'guarded-0' } } },
  })
  const budget = () => client.get(podDisruptionBudgets, { namespace: 'default', name: 'guarded' })
  await until(async () => (await budget()).status?.currentHealthy === 1, { message: 'the budget is counted' })
  scheduler = await startScheduler(server)
}, 90_000)
afterAll(async () => {
  await scheduler?.stop()
  await controllers?.stop()
  await server?.stop()
})

function createPod(name: string, cpu: string, priorityClassName: string, more: object = {}) {
  const containers = [{ name: 'c', image: 'x', resources: { requests: { cpu } } }]
  return client.create<Pod>(pods, {
    metadata: { name, namespace: 'default', labels: { pod: name } },
    // No node agent is there that would end them.
    spec: { containers, priorityClassName, terminationGracePeriodSeconds: 0, ...more },
  })
}

const report = (name: string) =>
  client.patch(
    pods,
    { namespace: 'default', name },
    { type: 'merge', body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } } },
    { subresource: 'status' },
  )

const names = async () => (await client.list(pods, { namespace: 'default' })).items.map(({ metadata }) => metadata.name)

test.each([
  ['the one of lowest priority, where one is enough', 'one-low', ['one-low-0']],
  ['two of lowest priority, rather than one that matters more', 'two-low', ['two-low-0', 'two-low-1']],
  ['one that matters more, rather than one that a budget keeps', 'one-middle', ['one-middle-0']],
])(`a critical pod gets its place within 2 s, from %s`, async (_whose, nodeName, victims) => {
  const before = await names()
  const startedAt = performance.now()
  await createPod(`critical-${nodeName}`, '4', 'critical')
  const own = () => client.get<Pod>(pods, { namespace: 'default', name: `critical-${nodeName}` })
  const pod = await until(
    async () => {
      const standing = await own()
      return standing.spec?.nodeName ? standing : undefined
    },
    { everyMs: 10, message: 'it has a place' },
  )
  const tookMs = performance.now() - startedAt
  expect(pod.spec?.nodeName).toBe(nodeName)
  const after = await names()
  expect(before.filter((name) => !after.includes(name))).toEqual(victims)
  expect(tookMs).toBeLessThan(mostMs)
})
