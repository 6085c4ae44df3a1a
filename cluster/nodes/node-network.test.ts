import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Run, runBehind } from '../../node-agent/network/command.ts'
import { noNamespaces, type TestNamespace, testNamespace } from '../../node-agent/network/testing/namespace.ts'
import { createNodeNetwork, destroyNodeNetwork } from './node-network.ts'
import { freeSubnet } from './subnet.ts'

if (noNamespaces) console.warn(`skipped: tests of several nodes on one machine (${noNamespaces})`)

describe.skipIf(noNamespaces)('several nodes on one machine', () => {
  /** Stands for the machine, so that the real one is not touched. */
  let machine: TestNamespace
  let cluster: string
  beforeEach(() => {
    machine = testNamespace()
    cluster = randomBytes(8).toString('hex')
  })
  afterEach(async () => {
    await destroyNodeNetwork(cluster, machine.run)
    machine.remove()
  })

  test('reach each other and the machine, but not when cut off', async () => {
    const network = await createNodeNetwork({ cluster, count: 3, hostSubnet: '10.89.7.0/24', run: machine.run })
    expect(network.nodes.map(({ name, address }) => `${name} ${address}`)).toEqual([
      'node-1 10.89.7.11',
      'node-2 10.89.7.12',
      'node-3 10.89.7.13',
    ])
    const [one, two] = network.nodes.map(({ enter }) => runBehind(enter)) as [Run, Run]
    const reaches = (run: Run, address: string) =>
      run('busybox', ['ping', '-c', '1', '-W', '1', address]).then(
        () => true,
        () => false,
      )
    expect(await reaches(one, '10.89.7.12')).toBe(true)
    expect(await reaches(two, network.hostAddress)).toBe(true)
    expect(await reaches(machine.run, '10.89.7.13')).toBe(true)
    await network.partition('node-2')
    expect(await reaches(one, '10.89.7.12')).toBe(false)
    expect(await reaches(two, network.hostAddress)).toBe(false)
    await network.heal('node-2')
    await expect.poll(() => reaches(one, '10.89.7.12'), { timeout: 5000 }).toBe(true)
    await expect(network.partition('node-9')).rejects.toThrow('there is no node node-9')
  })

  test('are adopted by the next start, and taken away in the end', async () => {
    const before = await createNodeNetwork({ cluster, count: 2, run: machine.run })
    const first = runBehind(before.nodes[0]?.enter ?? [])
    await first('ip', ['link', 'add', 'name', 'mark', 'type', 'bridge'])
    const after = await createNodeNetwork({ cluster, count: 3, run: machine.run })
    expect(after.hostSubnet).toBe(before.hostSubnet)
    expect(after.nodes.slice(0, 2)).toEqual(before.nodes)
    expect(await first('ip', ['link', 'show', 'mark'])).toContain('mark')
    await after.destroy()
    expect(await machine.run('ip', ['-brief', 'link', 'show'])).not.toContain('gn')
    await after.destroy()
  })

  test('of two clusters do not get in each other’s way', async () => {
    const other = `${cluster}-other`
    try {
      const one = await createNodeNetwork({ cluster, count: 1, run: machine.run })
      const two = await createNodeNetwork({ cluster: other, count: 1, run: machine.run })
      expect(two.hostSubnet).not.toBe(one.hostSubnet)
      await one.destroy()
      const inside = runBehind(two.nodes[0]?.enter ?? [])
      await inside('busybox', ['ping', '-c', '1', '-W', '1', two.hostAddress])
    } finally {
      await destroyNodeNetwork(other, machine.run)
    }
  })

  test('leave the addresses of another cluster to it while something runs there', async () => {
    const other = `${cluster}-other`
    const routes = ['10.96.0.0/16', '10.244.0.0/16']
    const create = (name: string) => createNodeNetwork({ cluster: name, count: 1, routes, run: machine.run })
    try {
      const one = await create(cluster)
      const [command = '', ...rest] = one.nodes[0]?.enter ?? []
      const inhabitant = spawn(command, [...rest, 'sleep', '600'])
      const pids = () => machine.run('ip', ['netns', 'pids', rest[0]?.split('/').at(-1) ?? ''])
      await expect.poll(pids).toContain(`${inhabitant.pid}`)
      await expect(create(other)).rejects.toThrow(`(process ${inhabitant.pid}) and has the addresses of 10.96.0.0/16`)
      expect(await machine.run('ip', ['-brief', 'link', 'show', 'type', 'bridge'])).toMatch(/^gn\S+ [^\n]*\n$/)
      // Its own next start takes no offence.
      await create(cluster)
      const ended = once(inhabitant, 'exit')
      inhabitant.kill('SIGKILL')
      await ended
      await create(other)
    } finally {
      await destroyNodeNetwork(other, machine.run)
    }
  })

  test('leave the addresses of others on this machine alone', async () => {
    await machine.run('ip', ['link', 'add', 'name', 'lan', 'type', 'bridge'])
    await machine.run('ip', ['link', 'set', 'dev', 'lan', 'up'])
    await machine.run('ip', ['route', 'add', '10.96.0.0/16', 'dev', 'lan'])
    const asked = createNodeNetwork({ cluster, count: 1, routes: ['10.96.0.0/16'], run: machine.run })
    await expect(asked).rejects.toThrow('sends 10.96.0.0/16, the addresses of services or pods, to lan')
  })

  test('need a subnet that holds them', async () => {
    const asked = createNodeNetwork({ cluster, count: 20, hostSubnet: '10.89.0.0/28', run: machine.run })
    await expect(asked).rejects.toThrow('20 nodes do not fit into 10.89.0.0/28')
    const nonsense = createNodeNetwork({ cluster, count: 1, hostSubnet: 'here', run: machine.run })
    await expect(nonsense).rejects.toThrow('is not an IPv4 network')
  })
})

describe('a subnet for the nodes', () => {
  test.each([
    [[], '10.89.0.0/24'],
    [['10.89.0.1/24', '192.168.1.5/16'], '10.89.1.0/24'],
    [['10.89.0.77/26', '10.89.1.0/23', '::1/128'], '10.89.2.0/24'],
  ])('with %j taken is %s', (taken, expected) => {
    expect(freeSubnet(taken)).toBe(expected)
  })

  test('cannot be found where everything is taken', () => {
    expect(() => freeSubnet(['10.0.0.1/8'])).toThrow('choose a subnet')
  })
})
