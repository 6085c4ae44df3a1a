import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type RunningServer, runServer } from '../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer(['--service-cluster-ip-range=10.9.0.0/24', '--service-node-port-range=31000-31099'])
  await server.create('/api/v1/namespaces', { metadata: { name: 'shop' } })
})
afterAll(() => server?.stop())

const path = '/api/v1/namespaces/shop/services'
const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})
const make = (name: string, spec?: object, query = '') => server.create(path + query, service(name, spec))
const made = async (name: string, spec?: object) => {
  const answer = await make(name, spec)
  expect(answer.code, answer.text).toBe(201)
  return answer.body
}
const portsOf = ({ body }: Answer): number[] => body.spec.ports.map(({ nodePort }: { nodePort: number }) => nodePort)
const removeAll = async (names: readonly string[]) => {
  for (const name of names) expect((await server.remove(`${path}/${name}`)).code).toBe(200)
}

/** What the store says is taken, beside the address of the API itself. */
async function taken(): Promise<{ ips: string[]; ports: number[] }> {
  const { body } = await server.get('/apis/networking.k8s.io/v1/ipaddresses')
  const ips = (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)
  const keys: string[] = []
  for (const { key } of (await server.store.list('/ranges/servicenodeports/', { limit: 1000 })).entries) keys.push(key)
  return {
    ips: ips.filter((ip) => ip !== '10.9.0.1').sort(),
    ports: keys.map((key) => Number(key.split('/').at(-1))).sort((a, b) => a - b),
  }
}
const nothing = { ips: [], ports: [] }

describe('addresses and node ports of services', () => {
  it('are never given twice, however many ask at once, and come back when the services go', async () => {
    const names = Array.from({ length: 64 }, (_, i) => `many-${i}`)
    const answers = await Promise.all(names.map((name) => make(name, { type: 'NodePort' })))
    expect(answers.filter(({ code }) => code !== 201).map(({ body }) => body.message)).toEqual([])
    const ips = answers.map(({ body }) => body.spec.clusterIP as string)
    expect(new Set(ips).size).toBe(64)
    expect(new Set(answers.flatMap(portsOf)).size).toBe(64)
    expect(await taken()).toEqual({ ips: ips.sort(), ports: answers.flatMap(portsOf).sort((a, b) => a - b) })
    expect((await server.remove(path)).code).toBe(200)
    expect(await taken()).toEqual(nothing)
  })

  it('of one wanted address or port go to one of those who want it', async () => {
    const wanting = (spec: object) => Promise.all(['a', 'b', 'c', 'd'].map((name) => make(name, spec)))
    for (const spec of [{ clusterIP: '10.9.0.77' }, { type: 'NodePort', ports: [{ port: 80, nodePort: 31077 }] }]) {
      const answers = await wanting(spec)
      expect(answers.map(({ code }) => code).sort()).toEqual([201, 422, 422, 422])
      for (const { code, body } of answers) if (code === 201) await removeAll([body.metadata.name])
      expect(await taken()).toEqual(nothing)
    }
  })

  it('stay through an update, and go with what no longer has them', async () => {
    const created = await made('web', { type: 'NodePort' })
    const { clusterIP } = created.spec
    const [{ nodePort }] = created.spec.ports
    const relabelled = await server.patch(`${path}/web`, { metadata: { labels: { a: 'b' } } })
    expect(relabelled.body.spec).toEqual(created.spec)
    // A client that sends what it made, without what the server chose.
    const resourceVersion = relabelled.body.metadata.resourceVersion
    const replaced = await server.request('PUT', `${path}/web`, {
      ...service('web', { type: 'NodePort' }),
      metadata: { name: 'web', resourceVersion },
    })
    expect([replaced.code, replaced.body.spec.clusterIP, portsOf(replaced)]).toEqual([200, clusterIP, [nodePort]])

    const inside = await server.patch(`${path}/web`, { spec: { type: 'ClusterIP' } })
    expect(portsOf(inside)).toEqual([undefined])
    expect(await taken()).toEqual({ ips: [clusterIP], ports: [] })
    const named = await server.patch(`${path}/web`, { spec: { type: 'ExternalName', externalName: 'example.com' } })
    expect(named.body.spec).not.toHaveProperty('clusterIP')
    expect(await taken()).toEqual(nothing)
    const back = await server.patch(`${path}/web`, { spec: { type: 'NodePort', externalName: null } })
    expect(await taken()).toEqual({ ips: [back.body.spec.clusterIP], ports: portsOf(back) })
    await removeAll(['web'])
    expect(await taken()).toEqual(nothing)
  })

  it('are not for headless services and mere names', async () => {
    const headless = await made('headless', { clusterIP: 'None' })
    expect(headless.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] })
    const name = await made('name', { type: 'ExternalName', externalName: 'example.com' })
    expect(name.spec).not.toHaveProperty('clusterIP')
    expect(await taken()).toEqual(nothing)
    await removeAll(['headless', 'name'])
  })

  it('of a service that is refused, or not really made, stay free', async () => {
    await make('x', { type: 'NodePort' }, '?dryRun=All')
    expect((await make('Not_A_Name', { type: 'NodePort' })).code).toBe(422)
    expect((await make('x', { type: 'NodePort', ports: [{ port: 80, nodePort: 7 }] })).code).toBe(422)
    expect(
      (await make('x', { clusterIP: '10.9.0.50', type: 'NodePort', ports: [{ port: 80, nodePort: 7 }] })).code,
    ).toBe(422)
    await made('there')
    expect((await make('there', { type: 'NodePort' })).code).toBe(409)
    await server.request('PUT', `${path}/there?dryRun=All`, service('there', { type: 'NodePort' }))
    const { ips, ports } = await taken()
    expect([ips.length, ports]).toEqual([1, []])
    await server.request('DELETE', `${path}/there?dryRun=All`)
    expect((await taken()).ips).toEqual(ips)
    await removeAll(['there'])
    expect(await taken()).toEqual(nothing)
  })

  it('are one port for one number in two protocols, and one more for the balancer to ask for health', async () => {
    const ports = [
      { name: 'tcp', port: 53, protocol: 'TCP' },
      { name: 'udp', port: 53, protocol: 'UDP' },
      { name: 'http', port: 80 },
    ]
    const { spec } = await made('dns', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports })
    const [tcp, udp, http] = spec.ports.map(({ nodePort }: { nodePort: number }) => nodePort)
    expect(udp).toBe(tcp)
    expect(new Set([tcp, http, spec.healthCheckNodePort]).size).toBe(3)
    expect((await taken()).ports).toEqual([tcp, http, spec.healthCheckNodePort].sort((a, b) => a - b))
    const moved = await server.patch(`${path}/dns`, { spec: { externalTrafficPolicy: 'Cluster' } })
    expect(moved.body.spec).not.toHaveProperty('healthCheckNodePort')
    expect((await taken()).ports).toEqual([tcp, http].sort((a, b) => a - b))
    const without = await server.patch(`${path}/dns`, {
      spec: {
        allocateLoadBalancerNodePorts: false,
        ports,
      },
    })
    expect([without.code, portsOf(without)]).toEqual([200, [undefined, undefined, undefined]])
    expect((await taken()).ports).toEqual([])
    await removeAll(['dns'])
  })

  it.each([
    [
      'an address of another network',
      { clusterIP: '10.10.0.1' },
      'spec.clusterIPs: Invalid value: ["10.10.0.1"]: failed to allocate IP 10.10.0.1: the provided network does not match the current range',
    ],
    [
      "the API's own address",
      { clusterIP: '10.9.0.1' },
      'spec.clusterIPs: Invalid value: ["10.9.0.1"]: failed to allocate IP 10.9.0.1: provided IP is already allocated',
    ],
    [
      'a port out of range',
      { type: 'NodePort', ports: [{ port: 80, nodePort: 30999 }] },
      'spec.ports[0].nodePort: Invalid value: 30999: provided port is not in the valid range. The range of valid ports is 31000-31099',
    ],
    [
      'a second family',
      { ipFamilyPolicy: 'RequireDualStack' },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      'the other family',
      { ipFamilies: ['IPv6'] },
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ],
  ])('refuse %s', async (_what, spec, why) => {
    const { code, body } = await make('refused', spec)
    expect([code, body.message]).toEqual([422, `Service "refused" is invalid: ${why}`])
  })

  it('refuse a port that another service has', async () => {
    await made('first', { type: 'NodePort', ports: [{ port: 80, nodePort: 31005 }] })
    const { body } = await make('second', { type: 'NodePort', ports: [{ port: 80, nodePort: 31005 }] })
    expect(body.message).toBe(
      'Service "second" is invalid: spec.ports[0].nodePort: Invalid value: 31005: provided port is already allocated',
    )
    await removeAll(['first'])
  })

  it('run out, and say so', async () => {
    const ports = Array.from({ length: 100 }, (_, i) => ({ name: `p${i}`, port: i + 1 }))
    await made('all', { type: 'NodePort', ports })
    const { code, body } = await make('more', { type: 'NodePort' })
    expect([code, body.message]).toEqual([500, expect.stringContaining('range is full')])
    await removeAll(['all'])
    expect(await taken()).toEqual(nothing)
  })
})
