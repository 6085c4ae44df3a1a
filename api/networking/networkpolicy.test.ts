import { describe, expect, it } from 'vitest'
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type NetworkPolicyObject, networkPolicies } from './networkpolicy.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function policy(spec: NetworkPolicySpec): NetworkPolicyObject {
  const made: NetworkPolicyObject = { metadata: { name: 'p' }, spec: structuredClone(spec) }
  networkPolicies.defaults?.(made)
  return made
}

const faults = (spec: NetworkPolicySpec, old?: NetworkPolicySpec) =>
  networkPolicies.validate?.(policy(spec), old && policy(old), ctx).map(formatFieldError)
const from = (...peers: NetworkPolicyPeer[]): NetworkPolicySpec => ({ ingress: [{ from: peers }] })
const to = (...ports: NetworkPolicyPort[]): NetworkPolicySpec => ({ egress: [{ ports }] })
const peer = 'spec.ingress[0].from[0]'
const port = 'spec.egress[0].ports[0]'

describe('a network policy', () => {
  it.each<[NetworkPolicySpec, string[]]>([
    [{}, ['Ingress']],
    [{ egress: [{}] }, ['Ingress', 'Egress']],
    [{ egress: [{}], policyTypes: ['Egress'] }, ['Egress']],
  ])('%j is about %j', (spec, expected) => {
    expect(policy(spec).spec.policyTypes).toEqual(expected)
  })

  it('means TCP where it names no protocol', () => {
    expect(policy(to({ port: 80 })).spec.egress?.[0]?.ports).toEqual([{ port: 80, protocol: 'TCP' }])
  })

  it.each<[string, NetworkPolicySpec, string[]]>([
    ['selects pods', from({ podSelector: { matchLabels: { a: 'b' } }, namespaceSelector: {} }), []],
    ['excepts a part', from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }), []],
    ['names a range of ports', to({ port: 80, endPort: 90 }, { port: 'http', protocol: 'SCTP' }), []],
    ['names nobody', from({}), [`${peer}: Required value: must specify a peer`]],
    [
      'mixes addresses and pods',
      from({ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }),
      [`${peer}: Forbidden: may not specify both ipBlock and another peer`],
    ],
    ['names no network', from({ ipBlock: { cidr: '' } }), [`${peer}.ipBlock.cidr: Required value`]],
    [
      'excepts everything',
      from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }),
      [`${peer}.ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``],
    ],
    [
      'names an unknown protocol',
      to({ protocol: 'ICMP' }),
      [`${port}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`],
    ],
    [
      'ends before it starts',
      to({ port: 80, endPort: 70 }),
      [`${port}.endPort: Invalid value: 80: must be greater than or equal to \`port\``],
    ],
    [
      'ends without a start',
      to({ endPort: 70 }),
      [`${port}.endPort: Invalid value: 70: may not be specified when \`port\` is not specified`],
    ],
    [
      'ends after a name',
      to({ port: 'http', endPort: 70 }),
      [`${port}.endPort: Invalid value: 70: may not be specified when \`port\` is non-numeric`],
    ],
    [
      'is about an unknown direction',
      { policyTypes: ['Up'] },
      ['spec.policyTypes[0]: Unsupported value: "Up": supported values: "Ingress", "Egress"'],
    ],
    [
      'is about too many',
      { policyTypes: ['Ingress', 'Egress', 'Ingress'] },
      ['spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(spec)).toEqual(expected)
  })

  it('may keep networks that are oddly spelt', () => {
    const odd = from({ ipBlock: { cidr: '10.0.0.1/8' } })
    expect(faults(odd)).toHaveLength(1)
    expect(faults({ ...odd, policyTypes: ['Ingress', 'Egress'] }, odd)).toEqual([])
    expect(networkPolicies.warnings?.(policy(odd), undefined)).toEqual([
      `${peer}.ipBlock.cidr: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)`,
    ])
  })

  it('shows whom it is about', () => {
    const text = (spec: NetworkPolicySpec) => networkPolicies.columns?.[1]?.value(policy(spec), 0)
    expect([text({}), text({ podSelector: { matchLabels: { a: 'b' } } })]).toEqual(['<none>', 'a=b'])
  })
})
