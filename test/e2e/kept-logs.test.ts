import { afterAll, beforeAll, expect, test } from 'vitest'
import { besideKubectl } from '../support/beside-kubectl.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// What a deployment's pods wrote before they were deleted, in a whole cluster. Containers are plain processes.

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster(['--runtime', 'process'], { ownMachine: false })
}, 120_000)
afterAll(async () => cluster?.down(), 60_000)

const template = (keep: string) => ({
  metadata: { labels: { app: 'web' }, annotations: { 'gantry.dev/keep-logs': keep } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: 'any', command: ['sh', '-c', 'echo "last words"; exec sleep 100000'] }],
  },
})
const apply = (keep: string) =>
  cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template: template(keep) },
    }),
  })
const { gantry } = besideKubectl(() => cluster)
/** A shell adds a word of its own when it is killed. */
const lastWords = async () => (await logs()).stdout.split('\n').filter((line) => line === 'last words').length
const logs = (...flags: string[]) => gantry(['logs', 'deployment/web', '--deleted', ...flags])

test('the logs of deleted pods are read through what owned them, also when that is gone too', async () => {
  await apply('1h')
  await cluster.kubectl('rollout status deployment/web --timeout=60s')
  const none = await logs()
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no node keeps logs of deleted pods')])
  await cluster.kubectl('delete pod -l app=web')
  await until(async () => (await lastWords()) === 1, { timeoutMs: 30_000, message: 'one log is kept' })
  await cluster.kubectl('rollout status deployment/web --timeout=60s')
  await cluster.kubectl('delete deployment web')
  await until(async () => (await lastWords()) === 2, {
    timeoutMs: 30_000,
    message: 'both logs are kept',
  })
  expect((await logs('--timestamps')).stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+ last words\n/)
})

test('a time that makes no sense is refused', async () => {
  await expect(apply('forever')).rejects.toThrow(
    'spec.template.annotations[gantry.dev/keep-logs]: Invalid value: "forever": must be a duration from 1m to 168h',
  )
})
