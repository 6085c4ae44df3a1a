import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  buildBox,
  type KubeItem,
  runGantry,
  startCluster,
  type TestCluster,
  withoutContainers,
} from '../support/cluster.ts'
import type { Load } from '../support/load.ts'
import { until } from '../support/until.ts'

// What a newcomer does with a cluster, with real containers and a stock kubectl.

const why = withoutContainers()
const node = hostname().toLowerCase()
const readGreeting = `require('fs').readFileSync('/etc/hello/greeting', 'utf8')`

describe.skipIf(why)(`the main job${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  const loads: Load[] = []

  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart'])
    await buildBox(cluster)
  }, 180_000)
  afterAll(async () => cluster?.down(), 120_000)
  afterEach(async () => {
    for (const load of loads.splice(0)) await load.stop()
  })

  const kubectl = (args: string | readonly string[], options?: Parameters<TestCluster['kubectl']>[1]) =>
    cluster.kubectl(args, options)
  const apply = (object: object) => kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
  const pods = async (selector: string, namespace = 'default') =>
    (await cluster.get(`pods -n ${namespace} -l ${selector}`)).items
  const addressOf = async (service: string) =>
    `http://${(await cluster.get<KubeItem>(`service ${service}`)).spec.clusterIP}`
  const rolledOut = (deployment: string, timeout = '60s') =>
    kubectl(`rollout status deployment/${deployment} --timeout=${timeout}`, { timeoutMs: 150_000 })
  const call = (url: string) => cluster.call(url)
  const load = (url: string): Load => {
    const made = cluster.load(url)
    loads.push(made)
    return made
  }
  /** The text of `kubectl describe`, once it contains `words`. */
  const described = (what: string, words: string | RegExp) =>
    until(
      async () => {
        const { stdout } = await kubectl(`describe ${what}`)
        return (typeof words === 'string' ? stdout.includes(words) : words.test(stdout)) ? stdout : undefined
      },
      { timeoutMs: 40_000, everyMs: 300, message: `describe ${what} says ${words}` },
    )

  /** A deployment of the quickstart's server under another name, and its service. */
  const deploy = async (name: string, more: { replicas?: number; container?: object; pod?: object } = {}) => {
    await apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: more.replicas ?? 1,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            terminationGracePeriodSeconds: 3,
            containers: [
              {
                name: 'main',
                image: 'gantry.local/box:1',
                command: ['node', '/app/server.mjs'],
                ports: [{ name: 'http', containerPort: 8080 }],
                env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
                readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
                ...more.container,
              },
            ],
            ...more.pod,
          },
        },
      },
    })
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'http' }] },
    })
  }
  /** A pod of the quickstart's image that runs a shell line. */
  const shellPod = (name: string, script: string, more: { container?: object; pod?: object; labels?: object } = {}) =>
    apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: name, ...more.labels } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'gantry.local/box:1', command: ['sh', '-c', script], ...more.container }],
        ...more.pod,
      },
    })

  test('gantry up has started a node and the quickstart, which answers at its service address', async () => {
    expect(cluster.said).toMatch(/the node \S+ is ready, on containerd/)
    expect(cluster.said).toContain('"greeting":"Hello from Gantry"')
    const { stdout } = await kubectl('get nodes -o wide')
    expect(stdout).toMatch(new RegExp(`${node} +Ready .*containerd://`))
    const [slow] = cluster.said.match(/is ready, on containerd \(([\d.]+) s\)/)?.slice(1) ?? []
    process.stdout.write(`    up with quickstart ${(cluster.upMs / 1000).toFixed(2)} s, node ready ${slow} s\n`)
  })

  test('an applied deployment of three runs, each pod with an address of its own', async () => {
    await deploy('trio', { replicas: 3 })
    await rolledOut('trio')
    const running = await pods('app=trio')
    expect(running.map(({ status }) => status.phase)).toEqual(['Running', 'Running', 'Running'])
    expect(new Set(running.map(({ status }) => status.podIP)).size).toBe(3)
    const seen = new Set<string>()
    const url = await addressOf('trio')
    await until(
      async () => {
        seen.add(JSON.parse(await call(url)).pod)
        return seen.size === 3
      },
      { message: 'the service balances over all three' },
    )
  })

  test('a killed container is started again', async () => {
    const [pod] = (await pods('app=trio')) as [KubeItem]
    const name = pod.metadata.name
    process.kill(processWith(`POD_NAME=${name}`), 'SIGKILL')
    const again = await until(
      async () => {
        const found = await cluster.get<KubeItem>(`pod ${name}`)
        const [status] = found.status.containerStatuses ?? []
        return status && status.restartCount >= 1 && status.ready ? status : undefined
      },
      { timeoutMs: 30_000, message: 'the container runs again' },
    )
    expect(again.containerID).not.toBe(pod.status.containerStatuses?.[0]?.containerID)
  })

  test('a failing liveness probe has the container started again, and describe says why', async () => {
    await shellPod('sick', 'touch /tmp/well; sleep 3; rm /tmp/well; sleep 600', {
      container: { livenessProbe: { exec: { command: ['cat', '/tmp/well'] }, periodSeconds: 1, failureThreshold: 1 } },
    })
    await until(
      async () => ((await cluster.get<KubeItem>('pod sick')).status.containerStatuses?.[0]?.restartCount ?? 0) >= 1,
      { timeoutMs: 30_000, everyMs: 300, message: 'the container is restarted' },
    )
    await described('pod sick', /Unhealthy.*Liveness probe failed/)
    await kubectl('delete pod sick --now')
  })

  test('a failing readiness probe takes a pod out of the service, and nobody notices', async () => {
    await deploy('picky', {
      replicas: 2,
      container: {
        readinessProbe: {
          exec: { command: ['sh', '-c', 'test ! -e /tmp/busy'] },
          periodSeconds: 1,
          failureThreshold: 1,
        },
      },
    })
    await rolledOut('picky')
    const traffic = load(await addressOf('picky'))
    const [busy] = (await pods('app=picky')) as [KubeItem]
    await kubectl(['exec', busy.metadata.name, '--', 'touch', '/tmp/busy'])
    await until(
      async () => {
        const answered = traffic.take().map((body) => JSON.parse(body).pod)
        return answered.length > 20 && !answered.includes(busy.metadata.name)
      },
      { timeoutMs: 30_000, everyMs: 500, message: 'the busy pod is asked no more' },
    )
    await kubectl(['exec', busy.metadata.name, '--', 'rm', '/tmp/busy'])
    await until(() => traffic.take().some((body) => JSON.parse(body).pod === busy.metadata.name), {
      timeoutMs: 30_000,
      everyMs: 300,
      message: 'the pod is back in the service',
    })
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    await kubectl('delete deployment,service picky')
  })

  test('set image rolls a new version out without a failed request', async () => {
    const traffic = load(await addressOf('hello'))
    await until(() => traffic.served > 50, { message: 'requests are served' })
    await kubectl('set image deployment/hello hello=gantry.local/hello:2')
    await rolledOut('hello')
    traffic.take()
    await until(() => traffic.take().some((body) => JSON.parse(body).version === '2'), { message: 'version 2 answers' })
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    expect(traffic.served).toBeGreaterThan(200)
  })

  test('an image that does not exist stalls the rollout without loss, and undo brings the old version back', async () => {
    const traffic = load(await addressOf('hello'))
    await kubectl('set image deployment/hello hello=gantry.local/nosuch:9')
    const bad = await until(
      async () => (await pods('app=hello')).find(({ status }) => !status.containerStatuses?.[0]?.ready),
      { message: 'a pod of the new version' },
    )
    const text = await described(`pod ${bad.metadata.name}`, /ImagePullBackOff|ErrImagePull/)
    expect(text).toContain('gantry.local/nosuch:9')
    expect((await cluster.get<KubeItem>('deployment hello')).status.readyReplicas).toBe(3)
    const { stdout } = await kubectl('rollout history deployment/hello')
    expect(stdout.match(/^\d+ /gm)?.length).toBe(3)
    await kubectl('rollout undo deployment/hello')
    await rolledOut('hello')
    await until(async () => (await pods('app=hello')).length === 3, { message: 'the bad pod is gone' })
    traffic.take()
    await until(() => traffic.take().length > 10, { message: 'requests are served' })
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    expect(JSON.parse(await call(await addressOf('hello'))).version).toBe('2')
  })

  test('a paused rollout waits until it is resumed', async () => {
    await kubectl('rollout pause deployment/hello')
    await kubectl('set image deployment/hello hello=gantry.local/hello:1')
    const before = (await pods('app=hello')).map(({ metadata }) => metadata.name).sort()
    await until(
      async () =>
        (
          await kubectl('get deployment hello -o jsonpath={.status.observedGeneration}/{.metadata.generation}')
        ).stdout.replace(/^(\d+)\/\1$/, '') === '',
      { message: 'the controller has seen the change' },
    )
    expect((await pods('app=hello')).map(({ metadata }) => metadata.name).sort()).toEqual(before)
    await kubectl('rollout resume deployment/hello')
    await rolledOut('hello')
    expect(JSON.parse(await call(await addressOf('hello'))).version).toBe('1')
  })

  test('scales from 1 to 30 and down to 2', async () => {
    await deploy('wide', { container: { command: ['sleep', '600'], readinessProbe: undefined } })
    await rolledOut('wide')
    const startedAt = performance.now()
    await kubectl('scale deployment wide --replicas=30')
    await rolledOut('wide', '90s')
    process.stdout.write(`    1 to 30 replicas in ${((performance.now() - startedAt) / 1000).toFixed(2)} s\n`)
    expect((await cluster.get<KubeItem>('deployment wide')).status.readyReplicas).toBe(30)
    await kubectl('scale deployment wide --replicas=2')
    await until(async () => (await pods('app=wide')).length === 2, { timeoutMs: 60_000, message: 'two are left' })
  })

  test('a hundred pods run on one node without an error', async () => {
    await deploy('crowd', { replicas: 100, container: { command: ['sleep', '600'], readinessProbe: undefined } })
    await rolledOut('crowd', '120s')
    const crowd = await pods('app=crowd')
    expect(crowd).toHaveLength(100)
    expect(new Set(crowd.map(({ status }) => status.podIP)).size).toBe(100)
    expect(crowd.flatMap(({ status }) => status.containerStatuses ?? []).filter((c) => c.restartCount > 0)).toEqual([])
    const { stdout } = await kubectl(
      'get events --field-selector type=Warning -o custom-columns=:.involvedObject.name,:.message',
    )
    expect(stdout.split('\n').filter((line) => line.startsWith('crowd-'))).toEqual([])
    await kubectl('delete deployment,service crowd')
    await until(async () => (await pods('app=crowd')).length === 0, { timeoutMs: 90_000, message: 'all are gone' })
  }, 240_000)

  test('a deleted pod is replaced', async () => {
    const [gone] = (await pods('app=wide')) as [KubeItem]
    await kubectl(`delete pod ${gone.metadata.name} --now`)
    await rolledOut('wide')
    const names = (await pods('app=wide')).map(({ metadata }) => metadata.name)
    expect(names).toHaveLength(2)
    expect(names).not.toContain(gone.metadata.name)
    await kubectl('delete deployment,service wide')
  })

  test('an edited config map reaches the mounted file, and a secret the environment', async () => {
    const [pod] = (await pods('app=hello')) as [KubeItem]
    await kubectl(['patch', 'configmap', 'hello', '-p', '{"data":{"greeting":"Good evening"}}'])
    await until(
      async () =>
        (await kubectl(['exec', pod.metadata.name, '--', 'node', '-p', readGreeting])).stdout.trim() === 'Good evening',
      { timeoutMs: 100_000, everyMs: 500, message: 'the edit arrives' },
    )
    await until(async () => JSON.parse(await call(await addressOf('hello'))).greeting === 'Good evening', {
      timeoutMs: 90_000,
    })
    await shellPod('knows', 'sleep 600', {
      container: { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hello', key: 'token' } } }] },
    })
    await kubectl('wait --for=condition=Ready pod/knows --timeout=30s')
    expect((await kubectl(['exec', 'knows', '--', 'sh', '-c', 'echo $TOKEN'])).stdout.trim()).toBe('change-me')
    await kubectl('delete pod knows --now')
  })

  test('a pod finds a service by its name', async () => {
    await shellPod('asks', 'sleep 600')
    await kubectl('wait --for=condition=Ready pod/asks --timeout=30s')
    const ask = (name: string) =>
      kubectl(['exec', 'asks', '--', 'node', '-e', `fetch('http://${name}/').then((a) => a.text()).then(console.log)`])
    expect((await ask('hello')).stdout).toContain('"pod":"hello-')
    expect((await ask('hello.default.svc.cluster.local')).stdout).toContain('"pod":"hello-')
    await kubectl('delete pod asks --now')
  })

  test('a namespace goes with everything in it', async () => {
    await kubectl('create namespace scratch')
    await kubectl('create deployment sleeper -n scratch --image=gantry.local/hello:1 --replicas=2')
    await kubectl('create configmap note -n scratch --from-literal=a=b')
    await kubectl('rollout status deployment/sleeper -n scratch --timeout=30s')
    await kubectl('delete namespace scratch --timeout=60s', { timeoutMs: 70_000 })
    expect((await kubectl('get namespaces')).stdout).not.toContain('scratch')
    expect((await kubectl('get pods,configmaps,deployments -n scratch')).stdout).toBe('')
  })

  test('describe tells what is wrong with what does not run', async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'huge' },
      spec: {
        containers: [{ name: 'main', image: 'gantry.local/hello:1', resources: { requests: { cpu: '4000' } } }],
      },
    })
    await shellPod('crashing', 'echo the settings are missing >&2; exit 3')
    expect(await described('pod huge', 'FailedScheduling')).toMatch(/0\/1 nodes are available: 1 Insufficient cpu/)
    const text = await described('pod crashing', 'CrashLoopBackOff')
    expect(text).toMatch(/Exit Code: +3/)
    expect(text).toContain('Back-off restarting failed container')
    expect((await kubectl('logs crashing')).stdout).toContain('the settings are missing')
    const bad = await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bad' },
      spec: { containers: [] },
    }).catch((error: Error) => error.message)
    expect(bad).toContain('spec.containers: Required value')
    await kubectl('delete pod huge crashing --now')
  })

  test('a single pod is ready soon', async () => {
    const took: number[] = []
    for (let i = 0; i < 5; i++) {
      const startedAt = performance.now()
      await kubectl(`run quick-${i} --image=gantry.local/box:1 --restart=Never --command -- sleep 600`)
      await kubectl(`wait --for=condition=Ready pod/quick-${i} --timeout=20s`)
      took.push(performance.now() - startedAt)
    }
    process.stdout.write(`    kubectl run to Ready: ${took.map((ms) => Math.round(ms)).join(', ')} ms\n`)
    await kubectl('delete pods --now quick-0 quick-1 quick-2 quick-3 quick-4')
  })

  test('a container beside sees the processes of a pod, and a pod on a node its files', async () => {
    const [pod] = await pods('app=hello')
    const container = ['--image=gantry.local/box:1', '--container=look']
    await runGantry(
      [
        'debug',
        pod?.metadata.name ?? '',
        ...container,
        '--target=hello',
        `--kubeconfig=${cluster.kubeconfig}`,
        '--',
        'sleep',
        '600',
      ],
      cluster.enter,
    )
    const command = ['cat', '/proc/1/cmdline']
    const seen = await until(
      async () => {
        const run = await kubectl(['exec', pod?.metadata.name ?? '', '-c', 'look', '--', ...command], { codes: [1] })
        return run.code === 0 ? run.stdout : undefined
      },
      { timeoutMs: 20_000, message: 'the container runs' },
    )
    expect(seen).toContain('server.mjs')
    const { stdout, stderr } = await runGantry(
      [
        'debug',
        `node/${node}`,
        '-q',
        '--attach',
        ...container,
        `--kubeconfig=${cluster.kubeconfig}`,
        '--',
        'ls',
        '/host',
      ],
      cluster.enter,
    )
    expect(stdout.split('\n'), stderr).toContain('proc')
    await kubectl('delete pods --now -l app.kubernetes.io/managed-by=kubectl-debug')
  })

  test('gantry down ends containers, network and every process', async () => {
    const containerd = cluster.containerdPid(node)
    const { code, stdout } = await cluster.gantry(['down'])
    expect(stdout).toContain('The cluster has ended; everything is kept')
    expect(code).toBe(0)
    expect(existsSync(`/proc/${containerd}`)).toBe(false)
    const { stdout: left } = await cluster.gantry(['status'])
    expect(left).toContain('The cluster does not run')
  })

  test('gantry up goes on with what was made', async () => {
    const { code, stdout } = await cluster.gantry(['up', '--detach'])
    expect(stdout).toContain('is ready, on containerd')
    expect(code).toBe(0)
    const url = await addressOf('hello')
    await until(async () => JSON.parse(await call(url)).greeting === 'Good evening', {
      timeoutMs: 30_000,
      message: 'the application serves again',
    })
    await rolledOut('hello')
    const second = await cluster.gantry(['up', '--detach'])
    expect(second.stdout).toContain('This cluster is up already')
  })
})

/** The process of this machine that has a variable in its environment. */
function processWith(variable: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable)) return Number(pid)
    } catch {
      // It has ended.
    }
  }
  throw new Error(`no process has ${variable}`)
}
