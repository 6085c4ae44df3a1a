import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Two nodes on one machine, one of which is cut off and comes back.

const why = withoutContainers()

describe.skipIf(why)(`several nodes${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let url: string
  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'containerd', '--nodes', '2', '--quickstart'])
    url = `http://${(await cluster.get<KubeItem>('service hello')).spec.clusterIP}`
  }, 180_000)
  afterAll(async () => cluster?.down(), 120_000)

  const pods = async () => (await cluster.get('pods -l app=hello')).items
  const nodesOf = (items: readonly KubeItem[]) => new Set(items.map(({ spec }) => spec.nodeName))
  const readiness = async (node: string) =>
    (await cluster.get<KubeItem>(`node ${node}`)).status.conditions?.find(({ type }) => type === 'Ready')?.status
  /** The other end of a node's link, on the machine. */
  const link = (state: 'up' | 'down', node: string) => {
    const [program = '', ...args] = [...cluster.enter, 'ip', '-json', 'link', 'show']
    const links = JSON.parse(execFileSync(program, args, { encoding: 'utf8' })) as { ifname: string }[]
    const name = links.find(({ ifname }) => new RegExp(`^gn.*n${node.split('-')[1]}$`).test(ifname))?.ifname ?? ''
    execFileSync(program, [...cluster.enter.slice(1), 'ip', 'link', 'set', 'dev', name, state])
  }

  test('the scheduler spreads pods over both, and each reaches the others', async () => {
    expect(cluster.said).toContain('2 nodes are ready, on containerd')
    await cluster.kubectl('scale deployment hello --replicas=4')
    await cluster.kubectl('rollout status deployment/hello --timeout=60s')
    const all = await pods()
    expect(nodesOf(all)).toEqual(new Set(['node-1', 'node-2']))
    const seen = new Set<string>()
    await until(async () => seen.add(JSON.parse(await cluster.call(url)).pod).size === 4, {
      message: 'all four answer through the service',
    })
    for (const { status } of all) expect(JSON.parse(await cluster.call(`http://${status.podIP}:8080`))).toBeTruthy()
    const away = all.find(({ spec }) => spec.nodeName === 'node-2') as KubeItem
    const { stdout } = await cluster.kubectl(`logs ${away.metadata.name}`)
    expect(stdout).toContain('listens on')
  })

  test('a network policy keeps out whom it does not name, from either node', async () => {
    for (const role of ['friend', 'foe'])
      await cluster.kubectl(`run ${role} --image=gantry.local/hello:1 -l role=${role}`)
    await cluster.kubectl('wait pod/friend pod/foe --for=condition=Ready --timeout=60s')
    /** How many of the four pods answer. */
    const reached = async (role: string) => {
      const staying = (await pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      expect(staying).toHaveLength(4)
      const calls = staying
        .map(({ status }) => status.podIP)
        .map((ip) => `fetch('http://${ip}:8080',{signal:AbortSignal.timeout(1000)})`)
      const script = `Promise.allSettled([${calls}]).then((all)=>console.log(all.filter(({status})=>status==='fulfilled').length))`
      return Number((await cluster.kubectl(['exec', role, '--', 'node', '-e', script])).stdout)
    }
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'friends', namespace: 'default' },
      spec: {
        podSelector: { matchLabels: { app: 'hello' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { role: 'friend' } } }], ports: [{ port: 8080 }] }],
      },
    }
    await until(async () => (await reached('foe')) === 4, { message: 'the foe reaches all at first' })
    await cluster.kubectl('apply -f -', { input: JSON.stringify(policy) })
    await until(async () => (await reached('foe')) === 0, { message: 'the foe reaches none' })
    await until(async () => (await reached('friend')) === 4, { message: 'the friend reaches all' })
    // A new pod is closed before it runs.
    await cluster.kubectl('rollout restart deployment/hello')
    await cluster.kubectl('rollout status deployment/hello --timeout=60s')
    expect(await reached('foe')).toBe(0)
    await until(async () => (await reached('friend')) === 4, { message: 'the friend reaches all new ones' })
    await cluster.kubectl('delete networkpolicy friends')
    await until(async () => (await reached('foe')) === 4, { message: 'the foe reaches all again' })
    await cluster.kubectl('delete pod friend foe --now')
  })

  test('a node that is cut off is told in 40 s, its pods are replaced, and removed when it is back', async () => {
    const toleration = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 5,
    }
    await cluster.kubectl([
      'patch',
      'deployment',
      'hello',
      '-p',
      JSON.stringify({ spec: { template: { spec: { tolerations: [toleration] } } } }),
    ])
    await cluster.kubectl('rollout status deployment/hello --timeout=60s')
    const lost = (await pods()).filter(({ spec }) => spec.nodeName === 'node-2').map(({ metadata }) => metadata.uid)
    expect(lost.length).toBeGreaterThan(0)

    link('down', 'node-2')
    const cutAt = performance.now()
    await until(async () => (await readiness('node-2')) === 'Unknown', {
      timeoutMs: 60_000,
      everyMs: 500,
      message: 'node-2 is not ready',
    })
    process.stdout.write(`    NotReady after ${((performance.now() - cutAt) / 1000).toFixed(1)} s\n`)
    expect(performance.now() - cutAt).toBeLessThan(52_000)
    await until(
      async () =>
        (await pods()).filter(({ spec, status }) => spec.nodeName === 'node-1' && status.containerStatuses?.[0]?.ready)
          .length === 4,
      { timeoutMs: 60_000, everyMs: 500, message: 'all four run on node-1' },
    )
    for (let i = 0; i < 20; i++) expect(JSON.parse(await cluster.call(url)).pod).toMatch(/^hello-/)

    link('up', 'node-2')
    await until(async () => (await readiness('node-2')) === 'True', { timeoutMs: 60_000, message: 'node-2 is back' })
    await until(async () => !(await pods()).some(({ metadata }) => lost.includes(metadata.uid)), {
      timeoutMs: 60_000,
      everyMs: 500,
      message: 'the old pods are gone',
    })
    expect(await pods()).toHaveLength(4)
  })
})
