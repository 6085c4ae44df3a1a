import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../client/logger.ts'
import type { Run } from '../command.ts'
import { ServiceTable } from '../services/table.ts'
import { noNamespaces, type TestNamespace, testNamespace } from '../testing/namespace.ts'
import { service, slice } from '../testing/objects.ts'
import { NftProxier, type ProxierOptions } from './proxier.ts'

if (noNamespaces) console.warn(`skipped: tests of the service rules (${noNamespaces})`)

describe.skipIf(noNamespaces)('the rules of services', () => {
  let machine: TestNamespace
  beforeAll(() => {
    machine = testNamespace()
  })
  afterAll(() => machine?.remove())

  const optionsFor = (services: ServiceTable, run: Run): ProxierOptions => ({
    family: 'IPv4',
    table: 'gantry-test',
    bridge: 'gantry0',
    clusterCidr: '10.244.0.0/16',
    serviceCidrs: ['10.96.0.0/16'],
    nodeIp: '127.0.0.1',
    nodeName: 'node-1',
    services,
    proxy: true,
    run,
    log: silentLogger,
  })
  const listed = () => machine.run('nft', ['list', 'table', 'ip', 'gantry-test'])

  test('follow a thousand endpoints that change one by one in few transactions', async () => {
    const services = new ServiceTable()
    const ipOf = (n: number) => `10.244.${n >> 7}.${(n & 127) + 1}`
    for (let s = 0; s < 100; s++) services.putService(service(`ns/s${s}`, `10.96.1.${s + 1}`))
    let transactions = 0
    const proxier = new NftProxier(
      optionsFor(services, (command, args, options) => {
        if (command === 'nft' && options?.input) transactions += 1
        return machine.run(command, args, options)
      }),
    )
    proxier.start()
    await expect.poll(() => transactions).toBe(1)
    for (let n = 0; n < 1000; n++) {
      const s = n % 100
      const ips = Array.from({ length: Math.floor(n / 100) + 1 }, (_, i) => ipOf(i * 100 + s))
      services.putSlice(slice(`ns/s${s}`, ips))
      if (n % 10 === 0) await delay(5)
    }
    const complete = async () => (await listed()).split('numgen random mod 10 map').length - 1
    await expect.poll(complete, { timeout: 10_000 }).toBe(100)
    expect(transactions).toBeLessThan(30)
    await proxier.stop()
  })

  test('stand as an earlier agent wrote them until all services are known', async () => {
    const services = new ServiceTable()
    let transactions = 0
    const proxier = new NftProxier(
      optionsFor(services, (command, args, options) => {
        if (command === 'nft' && options?.input) transactions += 1
        return machine.run(command, args, options)
      }),
    )
    proxier.add('nodes', { elements: [{ set: 'node-ips', key: '10.89.0.12' }], chains: [], sets: [] })
    let isWritten = false
    const written = proxier.written().then(() => {
      isWritten = true
    })
    await delay(50)
    expect([transactions, isWritten]).toEqual([0, false])
    proxier.start()
    await written
    expect(transactions).toBe(1)
    expect(await listed()).toContain('10.89.0.12')
    await proxier.stop()
  })

  test('come back when somebody flushed them all, with the next change at the latest', async () => {
    const services = new ServiceTable()
    services.putService(service('ns/web', '10.96.0.1'))
    services.putSlice(slice('ns/web', ['10.244.0.2']))
    const proxier = new NftProxier(optionsFor(services, machine.run))
    proxier.start()
    await expect.poll(() => listed().catch(() => ''), { timeout: 5000 }).toContain('dnat to 10.244.0.2:8080')
    await machine.run('nft', ['flush', 'ruleset'])
    services.putSlice(slice('ns/web', ['10.244.0.3']))
    await expect.poll(() => listed().catch(() => ''), { timeout: 5000 }).toContain('dnat to 10.244.0.3:8080')
    await proxier.stop()
  })

  test('are left to another program when the proxy is off, all but those of the node itself', async () => {
    const services = new ServiceTable()
    services.putService(service('ns/web', '10.96.0.1'))
    const proxier = new NftProxier({ ...optionsFor(services, machine.run), proxy: false })
    proxier.add('nodes', { elements: [{ set: 'node-ips', key: '10.89.0.11' }], chains: [], sets: [] })
    proxier.start()
    await expect.poll(() => listed().catch(() => ''), { timeout: 5000 }).toContain('10.89.0.11')
    const rules = await listed()
    expect(rules).not.toContain('10.96.')
    await proxier.stop()
  })

  test('tell load balancers whether this node has an endpoint', async () => {
    const services = new ServiceTable()
    const port = 20_000 + (process.pid % 10_000)
    const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: port }
    services.putService(service('ns/lb', '10.96.0.1', spec))
    const proxier = new NftProxier(optionsFor(services, machine.run))
    proxier.start()
    const check = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
      return response && { status: response.status, body: await response.json() }
    }
    const body = { service: { namespace: 'ns', name: 'lb' }, localEndpoints: 0, serviceProxyHealthy: true }
    await expect.poll(check, { timeout: 5000 }).toEqual({ status: 503, body })
    services.putSlice(slice('ns/lb', [{ ip: '10.244.0.2', nodeName: 'node-1' }]))
    await expect.poll(check, { timeout: 5000 }).toEqual({ status: 200, body: { ...body, localEndpoints: 1 } })
    services.removeService('ns/lb')
    await expect.poll(check, { timeout: 5000 }).toBeUndefined()
    await proxier.stop()
  })
})
