import { describe, expect, test } from 'vitest'
import type { NetworkPolicySpec } from '../../../api/generated/types.ts'
import { pod, policy } from '../testing/objects.ts'
import { placeOf } from './place.ts'
import { compilePolicy, type Direction } from './rules.ts'

const web = placeOf(pod('shop/web', '10.244.0.2'))

const read = (spec: Partial<NetworkPolicySpec>) => compilePolicy(policy('shop/p', 'web', spec))
const texts = (direction: Direction, spec: Partial<NetworkPolicySpec>) => read(spec).rulesFor(direction, web)

describe('the rules of a policy', () => {
  test.each([
    ['nothing comes in without a rule', [], []],
    ['an empty rule lets everything in', [{}], ['return']],
    ['no port means all of them', [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }], ['ip saddr 10.0.0.0/8 return']],
    [
      'a block has holes, and what is written without care is a network all the same',
      [{ from: [{ ipBlock: { cidr: '10.1.2.3/8', except: ['10.1.0.0/16', '10.1.2.0/24'] } }] }],
      ['ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 } return'],
    ],
    ['blocks of IPv6 are of no pod here', [{ from: [{ ipBlock: { cidr: 'fd00::/8' } }] }], []],
    ['nothing is written of a protocol that there is not', [{ ports: [{ port: 80, protocol: 'ICMP' }] }], []],
    [
      'ports, ranges, and protocols as a whole',
      [{ ports: [{ port: 80 }, { port: 90, endPort: 99, protocol: 'UDP' }, { protocol: 'SCTP' }] }],
      ['meta l4proto 6 th dport 80 return', 'meta l4proto 17 th dport 90-99 return', 'meta l4proto 132 return'],
    ],
    [
      'each peer with each port',
      [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }, { ipBlock: { cidr: '11.0.0.0/8' } }], ports: [{ port: 80 }] }],
      [
        'ip saddr 10.0.0.0/8 meta l4proto 6 th dport 80 return',
        'ip saddr 11.0.0.0/8 meta l4proto 6 th dport 80 return',
      ],
    ],
    [
      "a port's name is one of the pod's own, and of its protocol",
      [{ ports: [{ port: 'http' }, { port: 'http', protocol: 'UDP' }, { port: 'metrics' }] }],
      ['meta l4proto 6 th dport 8080 return'],
    ],
  ])('%s', (_, ingress, expected) => {
    expect(texts('in', { ingress })).toEqual(expected)
  })

  test('isolate for what comes in, and for what goes out where it says so', () => {
    const isolates = (spec: Partial<NetworkPolicySpec>) => read(spec).isolates
    expect(isolates({ policyTypes: ['Egress'] })).toEqual({ in: false, out: true })
    expect(isolates({ policyTypes: ['Ingress', 'Egress'] })).toEqual({ in: true, out: true })
    const { policyTypes: _, ...old } = policy('shop/p', 'web', { egress: [] }).spec ?? {}
    expect(compilePolicy({ metadata: { name: 'p' }, spec: old }).isolates).toEqual({ in: true, out: true })
    expect(compilePolicy({ metadata: { name: 'p' }, spec: {} }).isolates).toEqual({ in: true, out: false })
  })

  test('name pods by sets, which equal selections share', () => {
    const client = { podSelector: { matchLabels: { app: 'client' } } }
    const compiled = read({ ingress: [{ from: [client], ports: [{ port: 80 }] }, { from: [client] }] })
    const [set, ...others] = compiled.sets
    expect(others).toEqual([])
    expect(compiled.rulesFor('in', web)).toEqual([
      `ip saddr @${set?.name} meta l4proto 6 th dport 80 return`,
      `ip saddr @${set?.name} return`,
    ])
  })

  const labels: Record<string, Record<string, string>> = { shop: { team: 'a' }, other: { team: 'b' } }
  const members = (spec: Partial<NetworkPolicySpec>) =>
    read(spec).sets.map(({ elementsOf }) =>
      [
        pod('shop/client', '10.244.0.3'),
        pod('shop/other', '10.244.0.4'),
        pod('other/client', '10.244.0.5'),
        pod('none/client', '10.244.0.6'),
        pod('shop/client'),
        pod('shop/client', '10.244.0.7', { hostNetwork: true }),
        { ...pod('shop/client', '10.244.0.8'), status: { phase: 'Succeeded', podIP: '10.244.0.8' } },
      ].flatMap((one) => elementsOf(placeOf(one), (namespace) => labels[namespace] ?? {})),
    )
  const client = { matchLabels: { app: 'client' } }

  test.each([
    ['of its own namespace', { podSelector: client }, ['10.244.0.3']],
    [
      'of namespaces with a label',
      { podSelector: client, namespaceSelector: { matchLabels: { team: 'b' } } },
      ['10.244.0.5'],
    ],
    ['all of such namespaces', { namespaceSelector: { matchLabels: { team: 'a' } } }, ['10.244.0.3', '10.244.0.4']],
    ['all of its own', { podSelector: {} }, ['10.244.0.3', '10.244.0.4']],
    ['all there are', { namespaceSelector: {} }, ['10.244.0.3', '10.244.0.4', '10.244.0.5', '10.244.0.6']],
  ])('pods %s', (_, peer, expected) => {
    expect(members({ ingress: [{ from: [peer] }] })).toEqual([expected])
    expect(members({ egress: [{ to: [peer] }] })).toEqual([expected])
  })

  test("what goes to a port by its name goes to each peer's own", () => {
    const spec = { policyTypes: ['Egress'], egress: [{ to: [{ podSelector: client }], ports: [{ port: 'http' }] }] }
    const [set, ...others] = read(spec).sets
    expect([set?.withPort, others]).toEqual([true, []])
    expect(texts('out', spec)).toEqual([`ip daddr . meta l4proto . th dport @${set?.name} return`])
    expect(members({ egress: [{ ports: [{ port: 'http' }] }] })).toEqual([
      ['10.244.0.3 . 6 . 8080', '10.244.0.4 . 6 . 8080', '10.244.0.5 . 6 . 8080', '10.244.0.6 . 6 . 8080'],
    ])
  })
})
