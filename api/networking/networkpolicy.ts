import { portName, portNumber } from '../core/field-formats.ts'
import { cidrFaults, cidrWarnings, isStrictSubnet, parseCidr } from '../core/ip.ts'
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from '../generated/types.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { formatLabelSelector, validateLabelSelector } from '../machinery/labels.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type NetworkPolicyObject = Stored<NetworkPolicy> & { spec: NetworkPolicySpec }

export const networkPolicies = defineResource<NetworkPolicyObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.networking.v1.NetworkPolicy'),
  defaults,
  validate: ({ spec }, old) => {
    const tolerance = toleranceOf(old?.spec)
    return [
      ...validateLabelSelector(spec.podSelector, 'spec.podSelector', tolerance),
      ...rulesOf(spec).flatMap(({ path, ports, peers, peersPath }) => [
        ...ports.flatMap((port, i) => validatePort(port, index(child(path, 'ports'), i))),
        ...peers.flatMap((peer, i) => validatePeer(peer, index(peersPath, i), tolerance)),
      ]),
      ...validateTypes(spec.policyTypes ?? []),
    ]
  },
  warnings: ({ spec }) =>
    rulesOf(spec).flatMap(({ peers, peersPath }) =>
      peers.flatMap(({ ipBlock }, i) => {
        if (!ipBlock) return []
        const path = child(index(peersPath, i), 'ipBlock')
        const except = ipBlock.except ?? []
        return [
          ...cidrWarnings(child(path, 'cidr'), ipBlock.cidr),
          ...except.flatMap((cidr, k) => cidrWarnings(index(child(path, 'except'), k), cidr)),
        ]
      }),
    ),
  strategy: { generation: 'spec' },
  columns: [
    nameColumn,
    {
      name: 'Pod-Selector',
      type: 'string',
      description: 'The pods that the policy is about.',
      value: ({ spec }) => formatLabelSelector(spec.podSelector ?? {}),
    },
    ageColumn,
  ],
})

interface Rule {
  path: string
  ports: readonly NetworkPolicyPort[]
  peers: readonly NetworkPolicyPeer[]
  peersPath: string
}

/** What the standing object already got away with. */
interface Tolerance {
  allowInvalidLabelValue: boolean
  cidrs: readonly string[]
}

const protocols = ['TCP', 'UDP', 'SCTP']
const types = ['Ingress', 'Egress']

function defaults(policy: NetworkPolicyObject): void {
  policy.spec ??= {}
  const { spec } = policy
  if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  for (const { ports = [] } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
    for (const port of ports) port.protocol ??= 'TCP'
}

function rulesOf(spec: NetworkPolicySpec): Rule[] {
  const rule = (path: string, field: string, ports: NetworkPolicyPort[] = [], peers: NetworkPolicyPeer[] = []) => ({
    path,
    ports,
    peers,
    peersPath: child(path, field),
  })
  return [
    ...(spec.ingress ?? []).map(({ ports, from }, i) => rule(index('spec.ingress', i), 'from', ports, from)),
    ...(spec.egress ?? []).map(({ ports, to }, i) => rule(index('spec.egress', i), 'to', ports, to)),
  ]
}

function toleranceOf(old: NetworkPolicySpec | undefined): Tolerance {
  if (!old) return { allowInvalidLabelValue: false, cidrs: [] }
  const blocks = rulesOf(old).flatMap(({ peers }) => peers.flatMap(({ ipBlock }) => ipBlock ?? []))
  return {
    allowInvalidLabelValue: validateLabelSelector(old.podSelector, '').length > 0,
    cidrs: blocks.flatMap(({ cidr, except = [] }) => [cidr, ...except]),
  }
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (protocol !== undefined && !protocols.includes(protocol))
    errors.push(notSupported(child(path, 'protocol'), protocol, protocols))
  const endPath = child(path, 'endPort')
  if (typeof port === 'number') {
    errors.push(...portNumber(child(path, 'port'), port))
    if (endPort === undefined) return errors
    if (endPort < port) errors.push(invalid(endPath, port, 'must be greater than or equal to `port`'))
    return [...errors, ...portNumber(endPath, endPort)]
  }
  if (endPort !== undefined) {
    const state = port === undefined ? 'not specified' : 'non-numeric'
    errors.push(invalid(endPath, endPort, `may not be specified when \`port\` is ${state}`))
  }
  return port === undefined ? errors : [...errors, ...portName(child(path, 'port'), port)]
}

function validatePeer(peer: NetworkPolicyPeer, path: string, tolerance: Tolerance): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer
  const errors: FieldError[] = []
  if (podSelector) errors.push(...validateLabelSelector(podSelector, child(path, 'podSelector'), tolerance))
  if (namespaceSelector)
    errors.push(...validateLabelSelector(namespaceSelector, child(path, 'namespaceSelector'), tolerance))
  if (ipBlock) errors.push(...validateBlock(ipBlock, child(path, 'ipBlock'), tolerance.cidrs))
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'))
  else if (ipBlock && (podSelector || namespaceSelector))
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'))
  return errors
}

function validateBlock({ cidr = '', except = [] }: IPBlock, path: string, accepted: readonly string[]): FieldError[] {
  if (cidr === '') return [required(child(path, 'cidr'))]
  const outer = parseCidr(cidr)
  const errors = cidrFaults(child(path, 'cidr'), cidr, accepted)
  if (!outer) return errors
  for (const [i, text] of except.entries()) {
    const at = index(child(path, 'except'), i)
    errors.push(...cidrFaults(at, text, accepted))
    const inner = parseCidr(text)
    if (inner && !isStrictSubnet(outer, inner)) errors.push(invalid(at, text, 'must be a strict subset of `cidr`'))
  }
  return errors
}

function validateTypes(given: readonly string[]): FieldError[] {
  const path = 'spec.policyTypes'
  if (given.length > types.length) return [invalid(path, given, 'may not specify more than two policyTypes')]
  return given.flatMap((type, i) => (types.includes(type) ? [] : [notSupported(index(path, i), type, types)]))
}
