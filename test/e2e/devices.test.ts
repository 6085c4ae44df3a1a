import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startControllerManager } from '../support/controller-manager.ts'
import { startScheduler, type TestScheduler } from '../support/scheduler.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { namespaceWithAccount } from './namespace.ts'

// Devices from the template of a claim to a node, by all who have a part in it but the node itself: its driver is a slice.

const driver = 'gpu.example.com'
const example = fileURLToPath(new URL('../../manifests/examples/devices.yaml', import.meta.url))

let server: TestServer
let manager: Awaited<ReturnType<typeof startControllerManager>>
let scheduler: TestScheduler
beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'devices')
  await server.kubectl('config set-context --current --namespace=devices')
  for (const name of ['a', 'b']) {
    const amounts = { cpu: '4', memory: '8Gi', pods: '100' }
    await create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: { allocatable: amounts, capacity: amounts },
    })
  }
  await server.kubectl('taint nodes --all node.kubernetes.io/not-ready-')
  // Nobody says of the nodes that they are well.
  manager = await startControllerManager(server, ['--controllers=*,-node-lifecycle-controller'])
  scheduler = await startScheduler(server)
  await server.kubectl(['apply', '-f', example])
  await server.kubectl('delete pod trainer')
}, 90_000)
afterAll(async () => {
  await scheduler?.stop()
  await manager?.stop()
  await server?.stop()
})

const create = (object: object) => server.kubectl('create -f -', { input: JSON.stringify(object) })
const value = async (what: string, path: string) => (await server.kubectl(`get ${what} -o jsonpath={${path}}`)).stdout
const nodeOf = (name: string) => value(`pod ${name}`, '.spec.nodeName')
const isOn = (name: string, node: string) =>
  until(async () => (await nodeOf(name)) === node, { message: `pod ${name} is on ${node}` })
const slice = (node: string, memory: readonly string[]) =>
  create({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name: `gpus-of-${node}` },
    spec: {
      driver,
      nodeName: node,
      pool: { name: node, generation: 1, resourceSliceCount: 1 },
      devices: memory.map((value, i) => ({
        name: `gpu-${i}`,
        attributes: { index: { int: i } },
        capacity: { memory: { value } },
      })),
    },
  })
const pod = (name: string, claim: object) =>
  create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      resourceClaims: [{ name: 'gpu', ...claim }],
      containers: [{ name: 'c', image: 'x', resources: { claims: [{ name: 'gpu' }] } }],
    },
  })
const claim = (name: string, request: object) =>
  create({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: driver, ...request } }] } },
  })
const devicesOf = (name: string) => value(`resourceclaim ${name}`, '.status.allocation.devices.results[*].device')

describe('a pod with the template of a claim', () => {
  const template = { resourceClaimTemplateName: 'large-gpu' }

  test('gets the device that is large enough, and a second waits until the first has ended', async () => {
    await slice('a', ['8Gi', '40Gi'])
    await slice('b', ['8Gi'])
    await pod('first', template)
    await isOn('first', 'a')
    const its = await value('pod first', '.status.resourceClaimStatuses[0].resourceClaimName')
    expect(its).toMatch(/^first-gpu-/)
    expect(await devicesOf(its)).toBe('gpu-1')
    const state = () => server.kubectl(`get resourceclaim ${its}`)
    expect((await state()).stdout).toContain('allocated,reserved')

    await pod('second', template)
    const told = () => value('pod second', '.status.conditions[?(@.type=="PodScheduled")].message')
    await until(async () => (await told()).includes('2 cannot allocate all claims'), { message: 'the second is told' })
    await server.kubectl(['patch', 'pod', 'first', '--subresource=status', '-p', '{"status":{"phase":"Succeeded"}}'])
    await until(async () => !(await server.kubectl('get resourceclaims -o name')).stdout.includes(its), {
      message: 'the claim of the first has gone with it',
    })
    await isOn('second', 'a')
    await server.kubectl('delete pod second --grace-period=0 --force')
    await until(async () => (await server.kubectl('get resourceclaims -o name')).stdout === '')
  }, 60_000)
})

describe('a pod with a claim of its user', () => {
  test('waits for it, and gives it back unharmed', async () => {
    await pod('early', { resourceClaimName: 'mine' })
    await claim('mine', { selectors: [{ cel: { expression: `device.attributes["${driver}"].index == 0` } }] })
    await until(async () => (await nodeOf('early')) !== '')
    expect(await devicesOf('mine')).toBe('gpu-0')
    await server.kubectl('delete pod early --grace-period=0 --force')
    await until(async () => (await devicesOf('mine')) === '')
    await until(async () => !(await value('resourceclaim mine', '.metadata.finalizers')).includes('delete-protection'))
    await server.kubectl('delete resourceclaim mine')
  }, 60_000)

  test('gets all devices of a node', async () => {
    await claim('all', { allocationMode: 'All' })
    await pod('greedy', { resourceClaimName: 'all' })
    await until(async () => (await nodeOf('greedy')) !== '')
    const node = await nodeOf('greedy')
    expect(await devicesOf('all')).toBe(node === 'a' ? 'gpu-0 gpu-1' : 'gpu-0')
  }, 60_000)
})

test('a selector that makes no sense is refused where it stands', async () => {
  const selectors = [{ cel: { expression: 'device.drivers == "x"' } }]
  const object = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'bad' },
    spec: { selectors },
  }
  const { stderr } = await server.kubectl('create -f -', { input: JSON.stringify(object), expectFailure: true })
  expect(stderr).toContain('spec.selectors[0].cel.expression: Invalid value: "device.drivers == \\"x\\""')
  expect(stderr).toContain("undefined field 'drivers'")
})
