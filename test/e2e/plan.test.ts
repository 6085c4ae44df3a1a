import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../cluster/ports.ts'
import { runGantry } from '../support/cluster.ts'
import { startScheduler } from '../support/scheduler.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

// Nothing but an API server: what would be placed is worked out by the command itself.

let server: TestServer
let manifest: string
beforeAll(async () => {
  server = await startServer()
  const allocatable = { cpu: '2', memory: '4Gi', pods: '10' }
  const node = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { allocatable, capacity: allocatable },
  })
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1500m' } } }] },
  }
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
  }
  manifest = join(server.directory, 'web.json')
  writeFileSync(manifest, JSON.stringify(web))
  const waiting = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'waiting' }, spec: { ...template.spec } }
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [node('a'), node('b')] })
  await server.kubectl('create -f -', { input })
  // There is no controller that would see them ready.
  await server.kubectl('taint nodes --all node.kubernetes.io/not-ready-')
  await server.kubectl('create -f -', { input: JSON.stringify(waiting) })
  await server.kubectl('cordon b')
}, 60_000)
afterAll(async () => server?.stop())

const gantry = (...args: string[]) => runGantry([...args, '--kubeconfig', server.kubeconfig])

test('plan says where the pods of a manifest would go, and makes none', async () => {
  const { stdout, code } = await gantry('plan', '-f', manifest)
  expect(code).toBe(1)
  expect(stdout).toBe(`WORKLOAD         PLACED   NODES
deployment/web   1/3      a

deployment/web: 0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.
`)
  expect((await server.kubectl('get pods -o name')).stdout).toBe('pod/waiting\n')
})

test('plan imagines nodes', async () => {
  const { stdout, code } = await gantry('plan', '-f', manifest, '--nodes', '3x4cpu,8Gi')
  expect([code, stdout.split('\n')[1]]).toEqual([0, 'deployment/web   3/3      imagined-1, imagined-2, imagined-3'])
  const wrong = await gantry('plan', '-f', manifest, '--nodes', '3')
  expect([wrong.code, wrong.stderr]).toEqual([1, 'gantry: --nodes 3: written as 5000x32cpu or 3x4cpu,16Gi\n'])
})

test('why says what refuses a pod and what would help', async () => {
  const placed = await gantry('why', 'pod/waiting')
  expect(placed.stdout).toMatch(/^Pod default\/waiting has no node yet\.\n\nNODE +SCORE .*\na +\d+ /)
  await server.kubectl('cordon a')
  const { stdout, code } = await gantry('why', 'waiting')
  expect(code).toBe(0)
  expect(stdout).toContain('It would get a place with one of these:\n- kubectl uncordon a, b\n')
  const nobody = await gantry('why', 'nobody')
  expect([nobody.code, nobody.stderr]).toEqual([
    1,
    'gantry why: pods "nobody" not found. gantry get pods -A shows what there is\n',
  ])
})

test('why asks the scheduler for its last decision, if it can be reached', async () => {
  const port = await freePort()
  const scheduler = await startScheduler(server, [`--secure-port=${port}`])
  try {
    const asked = () => gantry('why', 'waiting', '--scheduler', `http://127.0.0.1:${port}`)
    const { stdout } = await until(async () => {
      const answer = await asked()
      return answer.stdout.includes('The scheduler at') ? answer : undefined
    })
    expect(stdout).toContain('0/2 nodes are available: 2 node(s) were unschedulable.')
    expect(stdout).toMatch(
      /NODES +REFUSED BY +WHY +SUCH AS\n2 +NodeUnschedulable +node\(s\) were unschedulable +[ab], [ab]\n/,
    )
    expect(stdout).toContain('It would get a place with one of these:\n- kubectl uncordon a, b\n')
    await server.kubectl('uncordon a')
    const placed = await until(async () => {
      const answer = await asked()
      return answer.stdout.includes('was given a at') ? answer : undefined
    })
    expect(placed.stdout).toContain('2 of 2 nodes looked at')
    expect((await gantry('why', 'waiting', '--now', '--scheduler', `http://127.0.0.1:${port}`)).stdout).toContain(
      'Pod default/waiting is on a. Were it placed now:',
    )
  } finally {
    await scheduler.stop()
  }
  // Nobody answers there any more.
  const alone = await gantry('why', 'waiting', '--scheduler', `http://127.0.0.1:${port}`)
  expect(alone.stdout).toContain('Were it placed now:')
})
