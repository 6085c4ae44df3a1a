import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NetworkPolicySpec } from '../../../api/generated/types.ts'
import { networkNames } from '../network.ts'
import { type AgentStart, startAgent, type TestAgent } from '../testing/agent.ts'
import { type Hand, startHand } from '../testing/hand.ts'
import { noNamespaces, testNamespace } from '../testing/namespace.ts'
import { pod, policy, service, slice } from '../testing/objects.ts'

if (noNamespaces) console.warn(`skipped: tests of network policies (${noNamespaces})`)

// Pods on the bridge of a node, in namespaces of the kernel, that call each other.
const addresses = { web: '10.244.0.2', client: '10.244.0.3', stranger: '10.244.0.4' } as const
type Name = keyof typeof addresses

describe.skipIf(noNamespaces)('network policies', () => {
  let machine: ReturnType<typeof testNamespace>
  let agent: TestAgent
  let host: Hand
  const hands = {} as Record<Name, Hand>
  const dataDir = mkdtempSync(join(tmpdir(), 'gantry-network-'))
  const objects: AgentStart['objects'] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'a' } } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'street', labels: { team: 'b' } } },
    pod('shop/web', addresses.web),
    pod('shop/client', addresses.client),
    pod('street/stranger', addresses.stranger),
    service('shop/web', '10.96.0.21'),
    slice('shop/web', [{ ip: addresses.web, nodeName: 'node-1' }]),
  ]
  const start = (more: AgentStart['objects'] = [], slow: AgentStart['slow'] = {}) =>
    startAgent(machine.enter, {
      slow,
      podCidr: '10.244.0.0/24',
      objects: [...objects, ...more],
      options: { nodeName: 'node-1', nodeIp: '127.0.0.1', dataDir, cniConfDir: join(dataDir, 'net.d') },
    })

  beforeAll(async () => {
    machine = testNamespace()
    agent = await start()
    const { bridge } = networkNames(dataDir)
    for (const name of Object.keys(addresses) as Name[]) {
      const { enter } = machine.addPod(`${addresses[name]}/24`, '10.244.0.1', bridge)
      hands[name] = startHand(enter)
      await hands[name].serve(name)
    }
    host = startHand(machine.enter)
  })
  afterAll(async () => {
    await Promise.all([agent?.kill(), host?.end(), ...Object.values(hands).map((hand) => hand.end())])
    machine?.remove()
    rmSync(dataDir, { recursive: true, force: true })
  })

  /** Between neighbours on a bridge; a refusal is silence. */
  const patienceMs = 300
  /** Who answers a call, or why nobody does. */
  const call = async (from: Hand, address: string, port = 8080) => {
    const [heard] = await from.call(address, port, 1, patienceMs)
    return heard?.name ?? heard?.error
  }
  const becomes = (from: Hand, address: string, port: number, who: string) =>
    expect.poll(() => call(from, address, port)).toBe(who)
  const { web, stranger } = addresses

  /** While the policy is there. */
  async function under(app: string | undefined, spec: Partial<NetworkPolicySpec>, check: () => Promise<void>) {
    const object = policy('shop/p', app, spec)
    await agent.put(object)
    try {
      await check()
    } finally {
      await agent.delete(object)
    }
  }
  const fromClient = { podSelector: { matchLabels: { app: 'client' } } }

  test('let everybody through where there is none', async () => {
    await becomes(hands.client, '10.96.0.21', 80, 'web')
    await becomes(hands.stranger, web, 8080, 'web')
  })

  test('keep everybody out but the node itself, and the pod from calling itself', async () => {
    await under('web', {}, async () => {
      await becomes(hands.client, web, 8080, 'ETIMEDOUT')
      expect(await call(hands.stranger, '10.96.0.21', 80)).toBe('ETIMEDOUT')
      await becomes(host, web, 8080, 'web')
      await becomes(hands.web, '10.96.0.21', 80, 'web')
      // What goes out is another matter, and so are the answers.
      await becomes(hands.web, stranger, 8080, 'stranger')
    })
    await becomes(hands.client, web, 8080, 'web')
  })

  test('let in whom they name, through the service too, at the ports they name', async () => {
    await under('web', { ingress: [{ from: [fromClient], ports: [{ port: 'http' }] }] }, async () => {
      await becomes(hands.stranger, web, 8080, 'ETIMEDOUT')
      await becomes(hands.client, web, 8080, 'web')
      await becomes(hands.client, '10.96.0.21', 80, 'web')
      expect(await hands.client.say(web, 8081, 'one')).toBe('nothing')
    })
    const datagrams = { ports: [{ protocol: 'UDP', port: 8000, endPort: 8100 }] }
    await under('web', { ingress: [datagrams] }, async () => {
      await becomes(hands.client, web, 8080, 'ETIMEDOUT')
      expect(await hands.client.say(web, 8081, 'two')).toBe('web')
    })
  })

  test('name namespaces by labels, and follow those, and those of pods', async () => {
    const teamB = {
      namespaceSelector: { matchLabels: { team: 'b' } },
      podSelector: { matchLabels: { app: 'stranger' } },
    }
    await under('web', { ingress: [{ from: [teamB] }] }, async () => {
      await becomes(hands.client, web, 8080, 'ETIMEDOUT')
      await becomes(hands.stranger, web, 8080, 'web')
      await agent.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'street', labels: { team: 'c' } } })
      await becomes(hands.stranger, web, 8080, 'ETIMEDOUT')
      await agent.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'street', labels: { team: 'b' } } })
      await becomes(hands.stranger, web, 8080, 'web')
      const renamed = pod('street/stranger', stranger)
      await agent.put({ ...renamed, metadata: { ...renamed.metadata, labels: { app: 'other' } } })
      await becomes(hands.stranger, web, 8080, 'ETIMEDOUT')
      await agent.put(renamed)
      await becomes(hands.stranger, web, 8080, 'web')
    })
  })

  test('keep pods from going out but to whom they name, and leave names to be asked', async () => {
    const toWeb = { podSelector: { matchLabels: { app: 'web' } } }
    const egress = [{ to: [toWeb], ports: [{ port: 'http' }] }]
    await under('client', { policyTypes: ['Egress'], egress }, async () => {
      await becomes(hands.client, stranger, 8080, 'ETIMEDOUT')
      await becomes(hands.client, '10.96.0.21', 80, 'web')
      expect(await hands.client.say(web, 8081, 'three')).toBe('nothing')
      expect(await hands.client.ask('10.96.0.10', 'web.shop.svc.cluster.local')).toEqual(['10.96.0.21'])
      await becomes(hands.stranger, addresses.client, 8080, 'client')
    })
    const blocks = [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [`${web}/32`] } }] }]
    await under('client', { policyTypes: ['Egress'], egress: blocks }, async () => {
      await becomes(hands.client, web, 8080, 'ETIMEDOUT')
      await becomes(hands.client, stranger, 8080, 'stranger')
    })
  })

  test('are added to each other: what one lets through goes through', async () => {
    const object = policy('shop/closed', undefined, { policyTypes: ['Ingress', 'Egress'] })
    await agent.put(object)
    await becomes(hands.client, web, 8080, 'ETIMEDOUT')
    const both = { policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] }
    await under(undefined, both, () => becomes(hands.client, web, 8080, 'web'))
    await becomes(hands.client, web, 8080, 'ETIMEDOUT')
    await agent.delete(object)
    await becomes(hands.client, web, 8080, 'web')
  })

  test('hold while their agent is gone, when the next one comes, and after it has come', async () => {
    const closed = policy('shop/closed', 'web', {})
    await agent.put(closed)
    await becomes(hands.client, web, 8080, 'ETIMEDOUT')
    const end = await hands.client.load(web, 8080, 1, 30)
    await agent.kill()
    agent = await start([closed], { pods: 300 })
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect((await end()).filter(({ name }) => name !== undefined).length).toBe(0)
    await agent.delete(closed)
    await becomes(hands.client, web, 8080, 'web')
  })

  test('hold for a pod before it runs, though no status tells of its address yet', async () => {
    const closed = policy('shop/closed', 'new', {})
    await agent.put(closed)
    const fresh = startHand(machine.addPod('10.244.0.9/24', '10.244.0.1', networkNames(dataDir).bridge).enter)
    try {
      await fresh.serve('new')
      await becomes(hands.client, '10.244.0.9', 8080, 'new')
      await agent.put(pod('shop/new'))
      await agent.starts(pod('shop/new'), '10.244.0.9')
      expect(await call(hands.client, '10.244.0.9')).toBe('ETIMEDOUT')
      // Something of it changes, and nothing says an address yet.
      const labelled = { ...pod('shop/new').metadata, labels: { app: 'new', more: 'yes' } }
      await agent.put({ ...pod('shop/new'), metadata: labelled })
      expect(await call(hands.client, '10.244.0.9')).toBe('ETIMEDOUT')
      await agent.put(pod('shop/new', '10.244.0.9'))
      expect(await call(hands.client, '10.244.0.9')).toBe('ETIMEDOUT')
      // Its address is free for others when it is over.
      await agent.put({ ...pod('shop/new'), status: { phase: 'Succeeded', podIP: '10.244.0.9' } })
      await becomes(hands.client, '10.244.0.9', 8080, 'new')
    } finally {
      await fresh.end()
      await agent.delete(closed)
    }
  })
})
