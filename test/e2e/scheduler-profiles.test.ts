import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { runGantry } from '../support/cluster.ts'
import { issueEtcdCertificates } from '../support/etcd-certificates.ts'
import { startScheduler, type TestScheduler } from '../support/scheduler.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

// The scheduler as a program, told by a file what to do: an API server beside it, and no nodes but on paper.

let server: TestServer
let scheduler: TestScheduler | undefined
let extender: Server | undefined
beforeAll(async () => {
  server = await startServer()
  const node = (name: string, cpu: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { allocatable: { cpu, memory: '8Gi', pods: '100' }, capacity: { cpu, memory: '8Gi', pods: '100' } },
  })
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [node('small', '2'), node('large', '8')] })
  await server.kubectl('create -f -', { input })
  // There is no controller that would see them ready.
  await server.kubectl('taint nodes --all node.kubernetes.io/not-ready-')
}, 60_000)
afterEach(async () => {
  await scheduler?.stop()
  await new Promise((resolve) => (extender ? extender.close(resolve) : resolve(undefined)))
  scheduler = extender = undefined
})
afterAll(async () => server?.stop())

const header = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'
function configured(text: string): string {
  const file = join(server.directory, 'scheduler.yaml')
  writeFileSync(file, header + text)
  return `--config=${file}`
}

async function createPod(name: string, more: object = {}): Promise<void> {
  const container = { name: 'c', image: 'x', resources: { requests: { cpu: '500m' } } }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [container], ...more } }
  await server.kubectl('create -f -', { input: JSON.stringify(pod) })
}
const nodeOf = async (name: string) => (await server.kubectl(`get pod ${name} -o jsonpath={.spec.nodeName}`)).stdout
const isOn = (name: string, node: string) =>
  until(async () => (await nodeOf(name)) === node, { message: `pod ${name} is on ${node}` })

test('two profiles in one process place pods by their own rules', async () => {
  scheduler = await startScheduler(server, [
    configured(`
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  plugins:
    score:
      disabled: [{ name: '*' }]
      enabled: [{ name: NodeResourcesFit }]
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy: { type: MostAllocated }
`),
  ])
  await createPod('spread')
  await createPod('packed', { schedulerName: 'packing' })
  await createPod('left', { schedulerName: 'somebody-else' })
  await isOn('spread', 'large')
  await isOn('packed', 'small')
  expect(await nodeOf('left')).toBe('')
})

test('one that is elected learns first of the pods that have nodes, and goes on', async () => {
  scheduler = await startScheduler(server, ['--leader-elect=true'])
  await createPod('after')
  await isOn('after', 'large')
})

test('an extender is asked over HTTPS', async () => {
  const { key, cert, files } = await issueEtcdCertificates(server.directory)
  const asked: string[] = []
  extender = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked.push(request.url ?? '')
      response.end(JSON.stringify({ NodeNames: ['small'], FailedNodes: { large: 'not today' } }))
    })
  })
  await new Promise<void>((resolve) => extender?.listen(0, '127.0.0.1', () => resolve()))
  const { port } = extender.address() as AddressInfo
  scheduler = await startScheduler(server, [
    configured(`
extenders:
- urlPrefix: https://127.0.0.1:${port}/say
  filterVerb: filter
  nodeCacheCapable: true
  enableHTTPS: true
  tlsConfig: { caFile: ${files.ca} }
`),
  ])
  await createPod('extended')
  await isOn('extended', 'small')
  expect(asked).toEqual(['/say/filter'])
})

test.each([
  ['profiles: [{ plugins: { scores: {} } }]', 'unknown field "profiles[0].plugins.scores"'],
  ['profiles: [{ plugins: { preScore: { disabled: [{ name: NodeAffinity }] } } }]', 'profiles[0].plugins.preScore'],
])('a scheduler told %s says what is wrong and ends', async (text, fault) => {
  const { code, stderr } = await runGantry(['scheduler', '--kubeconfig', server.kubeconfig, configured(text)])
  expect([code, stderr]).toEqual([2, expect.stringContaining(fault)])
})
