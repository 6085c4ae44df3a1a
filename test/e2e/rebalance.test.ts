import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runGantry, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Pods that lie badly are moved in a whole cluster. Hollow containers: nothing here depends on what runs in them.

const why = withoutContainers()

describe.skipIf(why)(`rebalance${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'hollow', '--nodes', '2'])
  }, 120_000)
  afterAll(async () => cluster?.down(), 60_000)

  const rebalance = (...args: string[]) =>
    runGantry(['rebalance', ...args, '--kubeconfig', cluster.kubeconfig], cluster.enter)
  const nodesOf = async () =>
    (await cluster.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.nodeName}'])).stdout.split(
      ' ',
    )

  test('pods that all lie on one node are shown, and moved within their budget', async () => {
    const [first = '', second = ''] = (
      await cluster.kubectl('get nodes -o jsonpath={.items[*].metadata.name}')
    ).stdout.split(' ')
    await cluster.kubectl(`cordon ${second}`)
    const labels = { app: 'web' }
    const constraint = {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: labels },
    }
    const spec = {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: 'nowhere/at-all:1' }],
      topologySpreadConstraints: [constraint],
    }
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    }
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web' },
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    }
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [budget, deployment] })
    await cluster.kubectl(['apply', '-f', '-'], { input })
    await cluster.kubectl('rollout status deployment/web --timeout=30s')
    await cluster.kubectl(`uncordon ${second}`)

    const plan = await rebalance('--plan')
    expect(plan.stdout).toContain(`kubernetes.io/hostname: 4 like it in ${first}, 0 where there are fewest (maxSkew 1)`)
    expect(plan.stdout).toContain('Nothing has been moved.')
    expect(await nodesOf()).toEqual([first, first, first, first])

    const applied = await rebalance('--apply')
    expect(applied.code).toBe(0)
    expect(applied.stdout).toMatch(/\[2\/2\] pod default\/\S+ is replaced by \S+ on /)
    await until(async () => (await nodesOf()).filter((node) => node === second).length === 2)
    expect((await rebalance()).stdout).toMatch(/^Nothing to move/)
  })
})
