import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Sizes that follow from the load, with real containers, a real Prometheus and a stock kubectl.

const why =
  withoutContainers() ??
  (spawnSync('sh', ['-c', 'command -v prometheus']).status === 0 ? undefined : 'needs prometheus')

/** Every request costs 20 ms of a processor. */
const burner = `require('http').createServer((req, res) => {
  const end = performance.now() + 20
  while (performance.now() < end) {}
  res.end('done')
}).listen(8080)`

const rules = `
metrics:
  - { name: hits, kind: pods, query: 'sum by (pod) (hits{<<labels>>})' }
  - { name: hits, kind: object, resource: services, query: 'sum(hits{<<labels>>})' }
  - { name: queue_length, kind: external, query: 'sum by (queue) (queue_length{<<labels>>})' }
`
const scraping = `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: test
    honor_labels: true
    static_configs: [{ targets: ['127.0.0.1:9101'] }]
`
/** Tells Prometheus what stands in a file. */
const exporter = `require('http').createServer((req, res) => res.end(require('fs').readFileSync(process.argv[1]))).listen(9101, '127.0.0.1')`

interface Autoscaler {
  status?: {
    conditions?: { type: string; status: string }[]
    currentMetrics?: { resource?: { current: { averageUtilization?: number } } }[]
  }
}

describe.skipIf(why)(`sizes that follow from the load${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let directory: string
  const children: ChildProcess[] = []

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-autoscaling-'))
    writeFileSync(join(directory, 'rules.yaml'), rules)
    writeFileSync(join(directory, 'prometheus.yaml'), scraping)
    measure('')
    const extra = [
      'apiserver.prometheus-url=http://127.0.0.1:9090',
      `apiserver.metrics-rules=${join(directory, 'rules.yaml')}`,
      'controller-manager.horizontal-pod-autoscaler-sync-period=2s',
      'controller-manager.horizontal-pod-autoscaler-downscale-stabilization=4s',
    ]
    cluster = await startCluster([
      '--runtime=containerd',
      '--quickstart',
      ...extra.map((word) => `--extra-config=${word}`),
    ])
    run(process.execPath, '-e', exporter, join(directory, 'metrics'))
    mkdirSync(join(directory, 'data'))
    run(
      'prometheus',
      `--config.file=${join(directory, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      '--web.listen-address=127.0.0.1:9090',
    )
  }, 180_000)
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await cluster?.down()
    if (directory) rmSync(directory, { recursive: true, force: true })
  }, 120_000)

  /** A program on the cluster's machine. */
  const run = (...command: string[]) => {
    const [program = '', ...args] = [...cluster.enter, ...command]
    children.push(spawn(program, args, { stdio: 'ignore' }))
  }
  const measure = (text: string) => writeFileSync(join(directory, 'metrics'), text)
  const kubectl = (args: string | readonly string[], options?: Parameters<TestCluster['kubectl']>[1]) =>
    cluster.kubectl(args, options)
  const apply = (...objects: object[]) =>
    kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    })
  const deployment = (name: string, script: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: 'gantry.local/hello:1',
              command: ['node', '-e', script],
              resources: { requests: { cpu: '50m' } },
            },
          ],
        },
      },
    },
  })
  const sizeOf = async (name: string) => {
    const { spec, status } = await cluster.get<KubeItem>(`deployment ${name}`)
    return { wanted: spec.replicas, ready: status.readyReplicas ?? 0 }
  }
  const size = (name: string, replicas: number, timeoutMs = 40_000) =>
    until(
      async () => {
        const { wanted, ready } = await sizeOf(name)
        return wanted === replicas && ready === replicas
      },
      { timeoutMs, everyMs: 300, message: `${name} has ${replicas} replicas` },
    )

  test('a deployment grows with its load, and shrinks when that is gone', async () => {
    await apply(deployment('burner', burner), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'burner' },
      spec: { selector: { app: 'burner' }, ports: [{ port: 80, targetPort: 8080 }] },
    })
    await kubectl('rollout status deployment/burner --timeout=60s')
    await kubectl('autoscale deployment burner --cpu=50% --min=1 --max=5')
    const { clusterIP } = (await cluster.get<KubeItem>('service burner')).spec
    const load = cluster.load(`http://${clusterIP}`)
    await size('burner', 5)
    const { status } = await cluster.get<Autoscaler>('hpa burner')
    expect(status?.currentMetrics?.[0]?.resource?.current.averageUtilization).toBeGreaterThan(50)
    const { stdout } = await kubectl('describe hpa burner')
    expect(stdout).toMatch(/SuccessfulRescale.*New size: 5; reason: cpu resource utilization/)
    await load.stop()
    await size('burner', 1)
  }, 120_000)

  test('kubectl top shows what nodes and pods use', async () => {
    const numbers = async (what: string) =>
      until(
        async () => {
          const { stdout, code } = await kubectl(`top ${what} --no-headers`, { codes: [1] })
          return code === 0 && stdout !== '' ? stdout : undefined
        },
        { timeoutMs: 20_000, everyMs: 500, message: `top ${what} shows something` },
      )
    expect(await numbers('nodes')).toMatch(new RegExp(`^${hostname().toLowerCase()} +\\d+m +\\d+% +\\d+Mi +\\d+%`))
    expect(await numbers('pods -l app=burner')).toMatch(/^burner-\S+ +\d+m +[1-9]\d*Mi/)
    expect(await numbers('pods -l app=burner --containers')).toMatch(/^burner-\S+ +main +\d+m +[1-9]\d*Mi/)
  }, 60_000)

  test('a deployment sleeps while there is nothing to do, and wakes up', async () => {
    measure('queue_length{queue="orders"} 0\nqueue_length{queue="other"} 50\n')
    await apply(deployment('worker', 'setInterval(() => {}, 1000)'), {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'worker' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'worker' },
        minReplicas: 0,
        maxReplicas: 4,
        metrics: [
          {
            type: 'External',
            external: {
              metric: { name: 'queue_length', selector: { matchLabels: { queue: 'orders' } } },
              target: { type: 'AverageValue', averageValue: '10' },
            },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
      },
    })
    await size('worker', 0)
    const asleep = async () => {
      const { status } = await cluster.get<Autoscaler>('hpa worker')
      return status?.conditions?.some((one) => one.type === 'ScaledToZero' && one.status === 'True')
    }
    await until(asleep, { timeoutMs: 10_000, everyMs: 300, message: 'it is known to sleep' })
    measure('queue_length{queue="orders"} 25\n')
    await size('worker', 3)
    measure('queue_length{queue="orders"} 0\n')
    await size('worker', 0)
  }, 120_000)

  test('metrics of pods and objects are read from Prometheus', async () => {
    const [pod] = (await cluster.get('pods -l app=burner')).items
    const name = pod?.metadata.name ?? ''
    measure(`hits{namespace="default",pod="${name}",service="burner"} 7\nhits{namespace="other",pod="${name}"} 9\n`)
    const values = (path: string, item: object) =>
      until(
        async () => {
          const { stdout, code } = await kubectl(
            ['get', '--raw', `/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/${path}`],
            { codes: [1] },
          )
          const { items = [] } = code === 0 ? (JSON.parse(stdout) as { items?: { value: string }[] }) : {}
          return items.some(({ value }) => value === '7') ? items : undefined
        },
        { timeoutMs: 15_000, everyMs: 300, message: `${path} is 7` },
      ).then((items) => expect(items).toMatchObject([item]))
    await values('pods/*/hits?labelSelector=app%3Dburner', { describedObject: { kind: 'Pod', name }, value: '7' })
    await values('services/burner/hits', { describedObject: { kind: 'Service', name: 'burner' }, value: '7' })
  }, 60_000)
})
