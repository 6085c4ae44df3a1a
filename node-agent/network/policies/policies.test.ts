import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type {
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import type { Fragment } from '../proxy/ruleset.ts'
import { pod, policy } from '../testing/objects.ts'
import { NetworkPolicies } from './policies.ts'

/** What the table is told, by owner. */
function started(): { policies: NetworkPolicies; table: Map<string, Fragment> } {
  const table = new Map<string, Fragment>()
  const policies = new NetworkPolicies({
    nodeName: 'node-1',
    put: (owner, fragment) => {
      if (fragment) table.set(owner, fragment)
      else table.delete(owner)
    },
  })
  return { policies, table }
}

type Change =
  | { kind: 'policy'; name: string; object: Live<NetworkPolicy> | undefined }
  | { kind: 'pod'; name: string; object: Live<Pod> | undefined }
  | { kind: 'namespace'; name: string; labels: Record<string, string> | undefined }

const namespaces = ['a', 'b'] as const
const team = fc.option(fc.constantFrom({ team: 'x' }, { team: 'y' }), { nil: undefined })
const selector = fc.constantFrom<LabelSelector[]>({}, { matchLabels: { app: 'one' } }, { matchLabels: { app: 'two' } })
const peer = fc.oneof<fc.MaybeWeightedArbitrary<NetworkPolicyPeer>[]>(
  fc.record({ podSelector: selector }),
  team.map((matchLabels) => ({ namespaceSelector: matchLabels ? { matchLabels } : {} })),
  fc.constant<NetworkPolicyPeer>({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }),
)
const ports = fc.array(
  fc.constantFrom<NetworkPolicyPort[]>({ port: 80 }, { port: 'http' }, { protocol: 'UDP', port: 53 }),
  { maxLength: 2 },
)

const policyChange = fc
  .record({
    namespace: fc.constantFrom(...namespaces),
    name: fc.constantFrom('p', 'q'),
    gone: fc.boolean(),
    app: fc.constantFrom('one', 'two', undefined),
    policyTypes: fc.constantFrom<string[][]>(['Ingress'], ['Egress'], ['Ingress', 'Egress']),
    ingress: fc.array(fc.record({ from: fc.array(peer, { maxLength: 2 }), ports }), { maxLength: 2 }),
    egress: fc.array(fc.record({ to: fc.array(peer, { maxLength: 2 }), ports }), { maxLength: 2 }),
  })
  .map(({ namespace, name, gone, app, policyTypes, ingress, egress }): Change => {
    const object = policy(`${namespace}/${name}`, app, { policyTypes, ingress, egress })
    return { kind: 'policy', name: `${namespace}/${name}`, object: gone ? undefined : object }
  })
const podChange = fc
  .record({
    namespace: fc.constantFrom(...namespaces),
    name: fc.constantFrom('1', '2', '3'),
    gone: fc.boolean(),
    app: fc.constantFrom('one', 'two'),
    hasIp: fc.boolean(),
    nodeName: fc.constantFrom('node-1', 'node-2'),
    phase: fc.constantFrom('Running', 'Succeeded'),
  })
  .map(({ namespace, name, gone, app, hasIp, nodeName, phase }): Change => {
    const key = `${namespace}/${name}`
    const ip = `10.244.${namespaces.indexOf(namespace)}.${name}`
    const made = pod(key, hasIp ? ip : undefined, { nodeName })
    const object = { ...made, metadata: { ...made.metadata, labels: { app } }, status: { ...made.status, phase } }
    return { kind: 'pod', name: key, object: gone ? undefined : object }
  })
const namespaceChange = fc
  .record({ name: fc.constantFrom(...namespaces), labels: team })
  .map(({ name, labels }): Change => ({ kind: 'namespace', name, labels }))

function carryOut(policies: NetworkPolicies, change: Change): void {
  const [namespace = '', name = ''] = change.name.split('/')
  const metadata = { namespace, name, uid: change.name }
  if (change.kind === 'namespace') policies.putNamespace(change.name, change.labels)
  else if (change.kind === 'pod') change.object ? policies.putPod(change.object) : policies.removePod({ metadata })
  else change.object ? policies.putPolicy(change.object) : policies.removePolicy({ metadata })
}

describe('what policies make of pods', () => {
  test('is the same whether it came in steps or was there at once', () => {
    const changes = fc.array(fc.oneof(policyChange, podChange, namespaceChange), { maxLength: 40, size: 'max' })
    fc.assert(
      fc.property(changes, fc.nat(40), (all, begin) => {
        const stepwise = started()
        all.forEach((change, at) => {
          if (at === begin) stepwise.policies.begin()
          carryOut(stepwise.policies, change)
        })
        if (begin >= all.length) stepwise.policies.begin()
        const atOnce = started()
        const last = new Map(all.map((change) => [`${change.kind} ${change.name}`, change]))
        for (const change of last.values()) carryOut(atOnce.policies, change)
        atOnce.policies.begin()
        expect(sorted(stepwise.table)).toEqual(sorted(atOnce.table))
      }),
      { numRuns: 500 },
    )
  })

  test('is nothing before it has begun', () => {
    const { policies, table } = started()
    policies.putPod(pod('a/1', '10.244.0.1'))
    policies.putPolicy(policy('a/p', undefined, {}))
    expect(table.size).toBe(0)
    policies.begin()
    expect([...table.keys()]).toEqual(['isolated/10.244.0.1'])
  })

  test('follows an address to the pod that has it now', () => {
    const { policies, table } = started()
    policies.begin()
    policies.putPolicy(policy('a/p', '1', {}))
    policies.putPod(pod('a/1', '10.244.0.1'))
    policies.putPod(pod('a/2', '10.244.0.1'))
    expect(table.has('isolated/10.244.0.1')).toBe(false)
    policies.removePod(pod('a/2'))
    expect(table.get('isolated/10.244.0.1')?.chains).toHaveLength(1)
  })

  test('holds for what starts, until it has ended or others say where it is', () => {
    const { policies, table } = started()
    policies.begin()
    policies.putPolicy(policy('a/p', '1', {}))
    expect(policies.podStarts(pod('a/2'), '10.244.0.2')).toBe(false)
    expect(policies.podStarts(pod('a/1'), '10.244.0.1')).toBe(true)
    policies.putPod(pod('a/1'))
    expect([...table.keys()]).toEqual(['isolated/10.244.0.1'])
    policies.podEnded('a/1')
    expect([...table.keys()]).toEqual([])
    policies.podStarts(pod('a/1'), '10.244.0.1')
    policies.putPod(pod('a/1', '10.244.0.1'))
    policies.podEnded('a/1')
    expect([...table.keys()]).toEqual(['isolated/10.244.0.1'])
  })
})

const sorted = (table: ReadonlyMap<string, Fragment>) =>
  [...table]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([owner, { elements, chains, sets }]) => ({
      owner,
      elements: elements.map((element) => JSON.stringify(element)).sort(),
      // The order of policies is no matter: each rule lets through, and the last drops.
      chains: chains.map(({ name, rules }) => ({ name, rules: [...rules].sort() })),
      sets,
    }))
