import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Every process is killed in turn while requests are served and objects written.

const why = withoutContainers()
const node = hostname().toLowerCase()

describe.skipIf(why)(`a crash of any part${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let url: string
  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart'])
    const { spec } = await cluster.get<KubeItem>('service hello')
    url = `http://${spec.clusterIP}`
  }, 180_000)
  afterAll(async () => cluster?.down(), 120_000)

  const containers = async () =>
    (await cluster.get('pods -l app=hello')).items
      .flatMap(({ status }) => status.containerStatuses ?? [])
      .map(({ containerID, restartCount }) => `${containerID} ${restartCount}`)
      .sort()
  /** Writes a config map, again and again until it is acknowledged. */
  const write = (name: string) =>
    until(() => cluster.kubectl(`create configmap ${name} --from-literal=a=b`), {
      timeoutMs: 30_000,
      message: `${name} is written`,
    })

  const parts: { name: string; kill: () => number; worksAgain: () => Promise<unknown> }[] = [
    {
      name: 'the API server',
      kill: () => cluster.pid('apiserver'),
      worksAgain: () => cluster.kubectl('get --raw /readyz'),
    },
    {
      name: 'the scheduler',
      kill: () => cluster.pid('scheduler'),
      worksAgain: async () => {
        await cluster.kubectl('run placed --image=gantry.local/hello:1')
        await cluster.kubectl('wait --for=condition=PodScheduled pod/placed --timeout=30s')
        await cluster.kubectl('delete pod placed --now')
      },
    },
    {
      name: 'the controller manager',
      kill: () => cluster.pid('controller-manager'),
      worksAgain: async () => {
        await cluster.kubectl('create deployment made --image=gantry.local/hello:1')
        await cluster.kubectl('rollout status deployment/made --timeout=30s')
        await cluster.kubectl('delete deployment made')
      },
    },
    {
      name: 'the node agent',
      kill: () => cluster.pid(`agent-${node}`),
      worksAgain: async () => {
        await cluster.kubectl('run ran --image=gantry.local/hello:1')
        await cluster.kubectl('wait --for=condition=Ready pod/ran --timeout=30s')
        await cluster.kubectl('delete pod ran --now')
      },
    },
    {
      name: 'containerd',
      kill: () => cluster.containerdPid(node),
      worksAgain: async () => {
        await cluster.kubectl('run held --image=gantry.local/hello:1')
        await cluster.kubectl('wait --for=condition=Ready pod/held --timeout=30s')
        await cluster.kubectl('delete pod held --now')
      },
    },
    {
      name: 'the supervisor',
      kill: () => cluster.pid('supervisor'),
      worksAgain: async () => {
        const agent = cluster.pid(`agent-${node}`)
        const { code, stdout } = await cluster.gantry(['up', '--detach'])
        expect(stdout).toContain('apiserver still runs; it goes on')
        expect(code).toBe(0)
        expect(cluster.pid(`agent-${node}`)).toBe(agent)
      },
    },
  ]

  test('control plane and agent stay small at rest', async () => {
    const components = ['apiserver', 'scheduler', 'controller-manager', `agent-${node}`]
    const sizes = async () => {
      const { stdout } = await cluster.gantry(['status'])
      return [...stdout.matchAll(/^(\S+) .*?(\d+)Mi/gm)].map(([, name = '', size]) => [name, Number(size)] as const)
    }
    const sum = (list: readonly (readonly [string, number])[]) =>
      list.filter(([name]) => components.includes(name)).reduce((total, [, size]) => total + size, 0)
    const small = await until(
      async () => {
        const list = await sizes()
        return list.length === 5 && sum(list) < 300 ? list : undefined
      },
      { timeoutMs: 60_000, everyMs: 1000, message: 'control plane and agent use less than 300 MB' },
    )
    process.stdout.write(`    ${small.map(([name, size]) => `${name} ${size} MB`).join(', ')}\n`)
  })

  test.each(parts)('$name: killed, it comes back, and nobody notices', async ({ name, kill, worksAgain }) => {
    const before = await containers()
    const traffic = cluster.load(url)
    const key = `before-${name.replaceAll(/[^a-z]/gi, '-').toLowerCase()}`
    try {
      await until(() => traffic.served > 20, { message: 'requests are served' })
      await write(key)
      const pid = kill()
      process.kill(pid, 'SIGKILL')
      await write(`after-${key}`)
      await until(() => kill() !== pid || name === 'the supervisor', { message: 'another process does the work' })
      await until(() => worksAgain().then(() => true), {
        timeoutMs: 60_000,
        everyMs: 500,
        message: `${name} works again`,
      })
      const served = traffic.served
      await until(() => traffic.served > served + 20, { message: 'requests are still served' })
    } finally {
      await traffic.stop()
    }
    expect(traffic.failures).toEqual([])
    expect(await containers()).toEqual(before)
    const { stdout } = await cluster.kubectl('get configmaps -o name')
    expect(stdout).toContain(`configmap/${key}\n`)
    expect(stdout).toContain(`configmap/after-${key}\n`)
  })
})
