import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServiceSpec } from '../../api/generated/types.ts'
import { networkNames } from './network.ts'
import { type AgentStart, startAgent, type TestAgent } from './testing/agent.ts'
import { type Hand, type Heard, startHand } from './testing/hand.ts'
import { noNamespaces, testNamespace } from './testing/namespace.ts'
import { service, slice, type TestEndpoint } from './testing/objects.ts'

if (noNamespaces) console.warn(`skipped: tests of a node's network (${noNamespaces})`)

const names = (heard: readonly Heard[]) => [...new Set(heard.map(({ name, error }) => name ?? error))].sort()
const nodeIp = '192.0.2.11'
const pods = ['10.244.0.2', '10.244.0.3'] as const

describe.skipIf(noNamespaces)('a node', () => {
  let machine: ReturnType<typeof testNamespace>
  let outside: ReturnType<typeof testNamespace>
  let agent: TestAgent
  let host: Hand
  let world: Hand
  let first: Hand
  let second: Hand
  const dataDir = mkdtempSync(join(tmpdir(), 'gantry-network-'))
  const resolvConf = join(dataDir, 'resolv.conf')
  const start = (...objects: AgentStart['objects']) =>
    startAgent(machine.enter, {
      podCidr: '10.244.0.0/24',
      objects,
      options: { nodeName: 'node-1', nodeIp, dataDir, cniConfDir: join(dataDir, 'net.d'), resolvConf },
    })

  beforeAll(async () => {
    // A server on a network to which there is no way.
    writeFileSync(resolvConf, 'nameserver 203.0.113.53\n')
    machine = testNamespace()
    outside = testNamespace()
    const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'ignore' })
    ip('-n', machine.name, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside.name)
    ip('-n', machine.name, 'addr', 'add', `${nodeIp}/24`, 'dev', 'up0')
    ip('-n', machine.name, 'link', 'set', 'up0', 'mtu', '1400', 'up')
    ip('-n', outside.name, 'addr', 'add', '192.0.2.1/24', 'dev', 'eth0')
    ip('-n', outside.name, 'link', 'set', 'eth0', 'up')
    ip('-n', outside.name, 'route', 'add', '198.51.100.0/24', 'via', nodeIp)
    agent = await start()
    const { bridge } = networkNames(dataDir)
    const hands = pods.map((address) => startHand(machine.addPod(`${address}/24`, '10.244.0.1', bridge).enter))
    ;[first, second] = hands as [Hand, Hand]
    host = startHand(machine.enter)
    world = startHand(outside.enter)
    await Promise.all([first.serve('first'), second.serve('second'), world.serve('world')])
  })
  afterAll(async () => {
    await Promise.all([agent?.kill(), ...[host, world, first, second].map((hand) => hand?.end())])
    outside?.remove()
    machine?.remove()
    rmSync(dataDir, { recursive: true, force: true })
  })

  /** A service whose endpoints are of this node unless they say else. */
  const web = (
    name: string,
    clusterIp: string,
    endpoints: (string | TestEndpoint)[],
    spec: Partial<ServiceSpec> = {},
  ) => {
    const local = endpoints.map((one) => ({ nodeName: 'node-1', ...(typeof one === 'string' ? { ip: one } : one) }))
    return [service(name, clusterIp, spec), slice(name, local)] as const
  }
  const settled = async (hand: Hand, address: string, port: number, expected: string[]) =>
    expect
      .poll(async () => names(await hand.call(address, port, 12)), { timeout: 5000, interval: 20 })
      .toEqual(expected)

  test("writes the runtime's configuration with the size of packets of its way out", () => {
    const { plugins } = JSON.parse(readFileSync(join(dataDir, 'net.d/10-gantry.conflist'), 'utf8'))
    expect(plugins).toMatchObject([{ type: 'bridge', mtu: 1400, hairpinMode: true }, { type: 'portmap' }])
  })

  test('leads its own processes and its pods to the pods of a service', async () => {
    await agent.put(...web('ns/web', '10.96.0.21', [...pods]))
    await settled(host, '10.96.0.21', 80, ['first', 'second'])
    const heard = await first.call('10.96.0.21', 80, 30)
    expect(names(heard)).toEqual(['first', 'second'])
    const seen = new Set(heard.map(({ name, from }) => `${name} sees ${from}`))
    // Only the pod that calls itself sees the node instead.
    expect([...seen].sort()).toEqual(['first sees 10.244.0.1', 'second sees 10.244.0.2'])
  })

  test('lets a client stay with its pod when the service wants that', async () => {
    await agent.put(...web('ns/sticky', '10.96.0.22', [...pods], { sessionAffinity: 'ClientIP' }))
    await expect
      .poll(async () => names(await second.call('10.96.0.22', 80)), { timeout: 5000 })
      .not.toContain('ECONNREFUSED')
    const chosen = names(await second.call('10.96.0.22', 80, 25))
    expect(chosen).toHaveLength(1)
    // When that pod is gone, another takes over.
    const [left] = pods.filter((_, i) => ['first', 'second'][i] !== chosen[0])
    await agent.put(...web('ns/sticky', '10.96.0.22', [left as string], { sessionAffinity: 'ClientIP' }))
    await settled(second, '10.96.0.22', 80, [chosen[0] === 'first' ? 'second' : 'first'])
  })

  test('answers at its node port, and tells the pod who calls where the policy is Local', async () => {
    const ports = [{ name: 'http', port: 80, nodePort: 30080, protocol: 'TCP' }]
    await agent.put(...web('ns/outer', '10.96.0.23', [...pods], { type: 'NodePort', ports }))
    await settled(world, nodeIp, 30080, ['first', 'second'])
    expect((await world.call(nodeIp, 30080))[0]?.from).not.toBe('192.0.2.1')
    await agent.put(
      ...web('ns/outer', '10.96.0.23', [...pods], { type: 'NodePort', ports, externalTrafficPolicy: 'Local' }),
    )
    await expect.poll(async () => (await world.call(nodeIp, 30080))[0]?.from, { timeout: 5000 }).toBe('192.0.2.1')
    await settled(host, nodeIp, 30080, ['first', 'second'])
    await settled(first, nodeIp, 30080, ['first', 'second'])
  })

  test("answers at external and balancers' addresses, to those who may", async () => {
    const spec = { type: 'LoadBalancer', externalIPs: ['198.51.100.7'] }
    const fenced = (ranges: string[]) =>
      service(
        'ns/lb',
        '10.96.0.24',
        { ...spec, loadBalancerSourceRanges: ranges },
        { loadBalancer: { ingress: [{ ip: '198.51.100.8' }] } },
      )
    await agent.put(...web('ns/lb', '10.96.0.24', [...pods]), fenced(['192.0.2.0/24']))
    await settled(world, '198.51.100.7', 80, ['first', 'second'])
    await settled(world, '198.51.100.8', 80, ['first', 'second'])
    await agent.put(fenced(['10.0.0.0/8']))
    await expect.poll(async () => names(await world.call('198.51.100.8', 80)), { timeout: 9000 }).toEqual(['ETIMEDOUT'])
    expect(names(await world.call('198.51.100.7', 80))).not.toContain('ETIMEDOUT')
  })

  test.each([
    ['a service without pods', '10.96.0.25', 80],
    ['a port that the service has not', '10.96.0.21', 81],
  ])('refuses %s at once', async (_, address, port) => {
    await agent.put(...web('ns/empty', '10.96.0.25', []))
    for (const hand of [host, first]) {
      await settled(hand, address, port, ['ECONNREFUSED'])
      expect(Math.min(...(await hand.call(address, port, 3)).map(({ ms }) => ms))).toBeLessThan(200)
    }
  })

  test('sends datagrams of a client on to the next pod when its pod is gone', async () => {
    const ports = [{ name: 'echo', port: 7, protocol: 'UDP' }]
    const echo = (address: string) =>
      slice('ns/echo', [{ ip: address, nodeName: 'node-1' }], [{ name: 'echo', port: 8081, protocol: 'UDP' }])
    // The client speaks before anybody serves, and keeps its socket all the time.
    await host.say('10.96.0.26', 7, 'mine')
    await agent.put(service('ns/echo', '10.96.0.26', { ports }), echo(pods[0]))
    await expect.poll(() => host.say('10.96.0.26', 7, 'mine'), { timeout: 5000 }).toBe('first')
    await agent.put(echo(pods[1]))
    await expect.poll(() => host.say('10.96.0.26', 7, 'mine'), { timeout: 5000 }).toBe('second')
    expect(await second.say('10.96.0.26', 7, 'own')).toBe('second')
  })

  test('takes a pod out of service without a failed request, quickly', async () => {
    await agent.put(...web('ns/load', '10.96.0.27', [...pods]))
    await settled(host, '10.96.0.27', 80, ['first', 'second'])
    const ends = await Promise.all([host.load('10.96.0.27', 80), first.load('10.96.0.27', 80)])
    const changes: { at: number; without: string }[] = []
    for (let i = 0; i < 10; i++) {
      const without = i % 2
      changes.push({ at: Date.now(), without: ['first', 'second'][without] as string })
      const ready = { ready: false, serving: true, terminating: false }
      const endpoints = pods.map((ip, n) => (n === without ? { ip, conditions: ready } : { ip }))
      await agent.put(web('ns/load', '10.96.0.27', endpoints)[1])
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const heard = (await Promise.all(ends.map((end) => end()))).flat()
    expect(heard.filter(({ error }) => error !== undefined)).toEqual([])
    expect(heard.length).toBeGreaterThan(200)
    const lasting = changes.map(({ at, without }, i) => {
      const until = changes[i + 1]?.at ?? Number.POSITIVE_INFINITY
      const late = heard
        .filter((one) => one.name === without && one.at > at && one.at < until)
        .map((one) => one.at - at)
      return Math.max(0, ...late)
    })
    // A tenth of a second is the aim; a busy machine gets some more.
    expect(lasting.sort((a, b) => a - b)[5]).toBeLessThan(190)
  })

  test('answers names for its processes and its pods at the address of the DNS service', async () => {
    await agent.put(...web('ns/web', '10.96.0.21', [...pods]))
    for (const hand of [host, first])
      expect(await hand.ask('10.96.0.10', 'web.ns.svc.cluster.local')).toEqual(['10.96.0.21'])
    expect(await first.ask('10.96.0.10', '21.0.96.10.in-addr.arpa', 'PTR')).toEqual(['web.ns.svc.cluster.local'])
  })

  test('says soon that it cannot tell a name when the server for that cannot be reached', async () => {
    expect(await first.ask('10.96.0.10', 'www.example.com')).toEqual([])
    expect(await first.ask('10.96.0.10', 'web.ns.svc.cluster.local')).toEqual(['10.96.0.21'])
  })

  test('lets pods out into the world under its own address', async () => {
    expect((await first.call('192.0.2.1', 8080))[0]).toMatchObject({ name: 'world', from: nodeIp })
  })

  test('keeps serving while its agent is gone, and when the next one comes', async () => {
    await agent.put(...web('ns/load', '10.96.0.27', [...pods]))
    await settled(host, '10.96.0.27', 80, ['first', 'second'])
    const end = await host.load('10.96.0.27', 80)
    await agent.kill()
    agent = await start(...web('ns/load', '10.96.0.27', [...pods]))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const heard = await end()
    expect(heard.filter(({ error }) => error !== undefined)).toEqual([])
    expect(await first.ask('10.96.0.10', 'load.ns.svc.cluster.local')).toEqual(['10.96.0.27'])
    // What the first agent knew, and this one does not, is gone.
    await expect.poll(async () => names(await host.call('10.96.0.21', 80)), { timeout: 5000 }).not.toContain('first')
  })
})
