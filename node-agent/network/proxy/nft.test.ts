import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Run } from '../command.ts'
import { routesOf } from '../services/routes.ts'
import { noNamespaces, type TestNamespace, testNamespace } from '../testing/namespace.ts'
import { service, slice } from '../testing/objects.ts'
import { fragmentOf } from './fragment.ts'
import { NftTable } from './nft.ts'
import type { Fragment } from './ruleset.ts'
import type { TableOptions } from './table.ts'

if (noNamespaces) console.warn(`skipped: tests of nftables (${noNamespaces})`)

const frame: TableOptions = {
  family: 'IPv4',
  table: 'gantry-test',
  clusterCidr: '10.244.0.0/16',
  serviceCidrs: ['10.96.0.0/16'],
  bridge: 'gantry0',
}
const here = { nodeName: 'node-1', zone: undefined, family: 'IPv4' } as const

describe.skipIf(noNamespaces)('the table in the kernel', () => {
  let machine: TestNamespace
  beforeAll(() => {
    machine = testNamespace()
  })
  afterAll(() => machine?.remove())

  /** The table as the kernel has it, in a form in which equal tables are equal. */
  async function listed(table: string): Promise<unknown> {
    const { nftables } = JSON.parse(await machine.run('nft', ['-j', 'list', 'table', 'ip', table]))
    return normal(nftables)
  }

  test('changes applied one after the other end in the table that is written at once', async () => {
    let now = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(worldChange, { maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        async (rounds) => {
          let rewrites = 0
          const counting: Run = (command, args, options) => {
            if (options?.input?.includes('delete table')) rewrites += 1
            return machine.run(command, args, options)
          }
          const stepwise = new NftTable(frame, counting, () => now)
          const wanted = new Map<string, Fragment | undefined>()
          for (const round of rounds) {
            for (const { name, fragment } of round) {
              wanted.set(name, fragment)
              stepwise.set(name, fragment)
            }
            await stepwise.apply()
            now += 500
          }
          now += 5000
          await stepwise.apply()
          expect(rewrites, 'transactions that write the whole table').toBe(1)
          const atOnce = new NftTable({ ...frame, table: 'gantry-full' }, machine.run, () => now)
          for (const [name, fragment] of [...wanted].reverse()) atOnce.set(name, fragment)
          await atOnce.apply()
          expect(await listed('gantry-test')).toEqual(await listed('gantry-full'))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('is written anew when somebody took it away, and when somebody changed it', async () => {
    const table = new NftTable(frame, machine.run, Date.now)
    table.set('ns/web', webFragment(2))
    await table.apply()
    const before = await listed('gantry-test')
    await machine.run('nft', ['flush', 'ruleset'])
    expect(await table.isThere()).toBe(false)
    await table.apply()
    expect(await listed('gantry-test')).toEqual(before)
    await machine.run('nft', ['flush', 'map', 'ip', 'gantry-test', 'service-ips'])
    table.set('ns/web', undefined)
    await table.apply()
    table.set('ns/web', webFragment(2))
    await table.apply()
    expect(await listed('gantry-test')).toEqual(before)
  })

  test('leaves the tables of others alone', async () => {
    await machine.run('nft', ['add', 'table', 'ip', 'kube-proxy'])
    const table = new NftTable(frame, machine.run, Date.now)
    table.set('ns/web', webFragment(1))
    await table.apply()
    await table.remove()
    expect(await machine.run('nft', ['list', 'tables'])).toContain('kube-proxy')
  })

  test('holds IPv6 services too', async () => {
    const table = new NftTable(
      { ...frame, family: 'IPv6', clusterCidr: 'fd00:10::/56', serviceCidrs: ['fd00:96::/112'] },
      machine.run,
      Date.now,
    )
    const spec = { sessionAffinity: 'ClientIP', externalIPs: ['fd00:1::1'] }
    const routes = routesOf(
      service('ns/web', 'fd00:96::1', spec),
      [slice('ns/web', ['fd00:10::1', { ip: 'fd00:10::2', nodeName: 'node-1' }])],
      { ...here, family: 'IPv6' },
    )
    table.set(
      'ns/web',
      fragmentOf(routes?.ports ?? [], { family: 'IPv6', clusterCidr: 'fd00:10::/56', nodeIp: 'fd00::2' }),
    )
    await table.apply()
    expect(await machine.run('nft', ['list', 'table', 'ip6', 'gantry-test'])).toContain('dnat to [fd00:10::2]:8080')
  })
})

function webFragment(endpoints: number): Fragment {
  const ips = Array.from({ length: endpoints }, (_, i) => `10.244.0.${i + 2}`)
  const routes = routesOf(service('ns/web', '10.96.0.1'), [slice('ns/web', ips)], here)
  return fragmentOf(routes?.ports ?? [], { family: 'IPv4', clusterCidr: '10.244.0.0/16', nodeIp: '10.0.0.1' })
}

/** A few services that share addresses and ports, so that they get in each other's way. */
const worldChange = fc
  .record({
    name: fc.constantFrom('ns/a', 'ns/b', 'ns/c'),
    gone: fc.boolean(),
    clusterIp: fc.constantFrom('10.96.0.1', '10.96.0.2'),
    nodePort: fc.option(fc.constantFrom(30001, 30002)),
    externalIp: fc.option(fc.constantFrom('192.0.2.1', '192.0.2.2')),
    balancer: fc.boolean(),
    affinitySeconds: fc.option(fc.constantFrom(60, 10800)),
    externalLocal: fc.boolean(),
    internalLocal: fc.boolean(),
    protocol: fc.constantFrom('TCP', 'UDP'),
    endpoints: fc.uniqueArray(
      fc.record({
        ip: fc.constantFrom('10.244.0.2', '10.244.0.3', '10.244.1.2', '10.244.1.3'),
        ready: fc.boolean(),
        terminating: fc.boolean(),
      }),
      { maxLength: 4, selector: ({ ip }) => ip },
    ),
  })
  .map((one) => {
    if (one.gone) return { name: one.name, fragment: undefined }
    const port = { name: 'main', port: 80, protocol: one.protocol, ...(one.nodePort ? { nodePort: one.nodePort } : {}) }
    const object = service(
      one.name,
      one.clusterIp,
      {
        type: one.balancer ? 'LoadBalancer' : 'NodePort',
        ports: [port, { ...port, name: 'second', port: 81, nodePort: 0 }],
        ...(one.externalIp ? { externalIPs: [one.externalIp] } : {}),
        ...(one.affinitySeconds
          ? {
              sessionAffinity: 'ClientIP',
              sessionAffinityConfig: { clientIP: { timeoutSeconds: one.affinitySeconds } },
            }
          : {}),
        externalTrafficPolicy: one.externalLocal ? 'Local' : 'Cluster',
        internalTrafficPolicy: one.internalLocal ? 'Local' : 'Cluster',
        loadBalancerSourceRanges: ['10.0.0.0/8'],
      },
      { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    )
    const endpoints = one.endpoints.map(({ ip, ready, terminating }) => ({
      ip,
      nodeName: ip.startsWith('10.244.0.') ? 'node-1' : 'node-2',
      conditions: { ready: ready && !terminating, serving: ready, terminating },
    }))
    const ports = [
      { name: 'main', port: 8080, protocol: one.protocol },
      { name: 'second', port: 8081, protocol: one.protocol },
    ]
    const routes = routesOf(object, [slice(one.name, endpoints, ports)], here)
    return {
      name: one.name,
      fragment: fragmentOf(routes?.ports ?? [], { family: 'IPv4', clusterCidr: '10.244.0.0/16', nodeIp: '10.0.0.1' }),
    }
  })

/** Without handles and table names, chains and elements in order of their names; rules keep their order in their chain. */
function normal(nftables: { [kind: string]: Record<string, unknown> }[]): unknown {
  const rules = new Map<string, unknown[]>()
  const others: string[] = []
  for (const entry of nftables) {
    const [kind, object] = Object.entries(entry)[0] ?? []
    if (!kind || !object || kind === 'metainfo' || kind === 'table') continue
    const { handle: _, table: __, ...rest } = object
    if (kind === 'rule') rules.set(`${rest.chain}`, [...(rules.get(`${rest.chain}`) ?? []), rest.expr])
    else {
      const elements = (rest.elem as unknown[] | undefined)?.map((element) => JSON.stringify(element)).sort()
      others.push(JSON.stringify({ kind, ...rest, ...(elements ? { elem: elements } : {}) }))
    }
  }
  return { others: others.sort(), rules: Object.fromEntries([...rules].sort(([a], [b]) => (a < b ? -1 : 1))) }
}
