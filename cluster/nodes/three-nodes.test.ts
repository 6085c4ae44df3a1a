import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { networkNames } from '../../node-agent/network/network.ts'
import { startAgent, type TestAgent } from '../../node-agent/network/testing/agent.ts'
import { type Hand, type Heard, startHand } from '../../node-agent/network/testing/hand.ts'
import {
  namespaceBehind,
  noNamespaces,
  type TestNamespace,
  testNamespace,
} from '../../node-agent/network/testing/namespace.ts'
import { service, slice } from '../../node-agent/network/testing/objects.ts'
import { createNodeNetwork, destroyNodeNetwork, type NodeNetwork } from './node-network.ts'

if (noNamespaces) console.warn(`skipped: tests of services across nodes (${noNamespaces})`)

const names = (heard: readonly Heard[]) => [...new Set(heard.map(({ name, error }) => name ?? error))].sort()
const podOf = (n: number) => `10.244.${n}.2`

describe.skipIf(noNamespaces)('three nodes', () => {
  const cluster = randomBytes(8).toString('hex')
  const dataDir = mkdtempSync(join(tmpdir(), 'gantry-nodes-'))
  let machine: TestNamespace
  let network: NodeNetwork
  let root: Hand
  const agents: TestAgent[] = []
  const pods: Hand[] = []

  beforeAll(async () => {
    machine = testNamespace()
    const routes = ['10.96.0.0/16', '10.244.0.0/16']
    network = await createNodeNetwork({ cluster, count: 3, routes, run: machine.run })
    const nodes = network.nodes.map(({ name, address }, i) => nodeObject(name, address, `10.244.${i}.0/24`))
    const endpoints = network.nodes.map(({ name }, i) => ({ ip: podOf(i), nodeName: name }))
    const ports = [{ name: 'http', port: 80, nodePort: 30080, protocol: 'TCP' }]
    const objects = [...nodes, service('ns/web', '10.96.0.21', { type: 'NodePort', ports }), slice('ns/web', endpoints)]
    await Promise.all(
      network.nodes.map(async ({ name, address, enter }, i) => {
        const own = join(dataDir, name)
        const options = {
          nodeName: name,
          nodeIp: address,
          dataDir: own,
          cniConfDir: join(own, 'net.d'),
          resolvConf: '/dev/null',
        }
        agents[i] = await startAgent(enter, { podCidr: `10.244.${i}.0/24`, objects, options })
        const node = namespaceBehind(enter)
        const pod = startHand(node.addPod(`${podOf(i)}/24`, `10.244.${i}.1`, networkNames(own).bridge).enter)
        pods[i] = pod
        await pod.serve(name)
        namespaces.push(node)
      }),
    )
    root = startHand(machine.enter)
  }, 60_000)
  const namespaces: TestNamespace[] = []
  afterAll(async () => {
    await Promise.all([...agents.map((agent) => agent.kill()), ...pods.map((pod) => pod.end()), root?.end()])
    for (const node of namespaces) node.remove()
    if (machine) await destroyNodeNetwork(cluster, machine.run)
    machine?.remove()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const all = ['node-1', 'node-2', 'node-3']

  test('let pods call each other, who see each other’s own address', async () => {
    await expect
      .poll(async () => names(await (pods[0] as Hand).call(podOf(2), 8080)), { timeout: 10_000 })
      .toEqual(['node-3'])
    expect((await (pods[0] as Hand).call(podOf(1), 8080))[0]?.from).toBe(podOf(0))
  })

  test('serve one service from all of them, to pods, to the machine, and at every node port', async () => {
    const settled = async (hand: Hand, address: string, port: number) =>
      expect.poll(async () => names(await hand.call(address, port, 25)), { timeout: 10_000 }).toEqual(all)
    for (const pod of pods) await settled(pod, '10.96.0.21', 80)
    await settled(root, '10.96.0.21', 80)
    for (const { address } of network.nodes) await settled(root, address, 30080)
  })

  test('answer names each by itself', async () => {
    for (const pod of pods) expect(await pod.ask('10.96.0.10', 'web.ns.svc.cluster.local')).toEqual(['10.96.0.21'])
  })

  test('lose a node that is cut off, and have it back when it is healed', async () => {
    await network.partition('node-3')
    expect(names(await (pods[0] as Hand).call(podOf(2), 8080))).not.toContain('node-3')
    await network.heal('node-3')
    await expect
      .poll(async () => names(await (pods[0] as Hand).call(podOf(2), 8080)), { timeout: 10_000 })
      .toEqual(['node-3'])
  })

  test('forget the way to a node that is deleted', async () => {
    const [first] = agents
    await first?.delete(nodeObject('node-2', '', ''))
    await expect
      .poll(async () => names(await (pods[0] as Hand).call(podOf(1), 8080)), { timeout: 10_000 })
      .not.toContain('node-2')
  })
})

function nodeObject(name: string, address: string, podCIDR: string): Live<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: { addresses: [{ type: 'InternalIP', address }] },
  }
}
