import { createHash } from 'node:crypto'
import type {
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../../../api/generated/types.ts'
import { type LabelMatcher, labelSelectorMatcher } from '../../../api/machinery/labels.ts'
import type { Live } from '../../../client/types.ts'
import { disjointCidrs } from '../addresses.ts'
import { protocolNumber } from '../proxy/fragment.ts'
import type { PeerSetName } from '../proxy/ruleset.ts'
import type { Protocol } from '../services/routes.ts'
import type { PodPlace } from './place.ts'

/** What comes to a pod, or what goes out from it. */
export type Direction = 'in' | 'out'

/** Pods that a rule names by their labels, and for a port with a name which of their ports. */
interface PeerSelection {
  /** The pods' namespace; undefined: those that the selector takes. */
  namespace?: string
  namespaceSelector?: LabelSelector
  podSelector?: LabelSelector
  port?: { name: string; protocol: string }
}

/** The set of the kernel's table that holds those pods. Equal selections have equal names, so that policies share it. */
export interface PeerSet {
  name: PeerSetName
  /** Whether it holds addresses with a protocol and a port, or addresses alone. */
  withPort: boolean
  /** The elements that a pod adds to it. */
  elementsOf(pod: PodPlace, labelsOf: (namespace: string) => Readonly<Record<string, string>>): string[]
}

/** A policy, read once: whom it isolates, and what it lets through. */
export interface CompiledPolicy {
  namespace: string
  selects: LabelMatcher
  isolates: Readonly<Record<Direction, boolean>>
  sets: readonly PeerSet[]
  /** The rules of nft for what it lets through to (or from) that pod, each ending in `return`. */
  rulesFor(direction: Direction, pod: PodPlace): string[]
}

interface Rule {
  peers: readonly NetworkPolicyPeer[]
  ports: readonly NetworkPolicyPort[]
}

/** Reads a NetworkPolicy (networking.k8s.io/v1) for addresses of IPv4. */
export function compilePolicy({ metadata, spec = {} }: Live<NetworkPolicy>): CompiledPolicy {
  const namespace = metadata.namespace ?? ''
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])]
  const sets = new Map<string, PeerSet>()
  const setOf = (selection: PeerSelection): PeerSetName => {
    const set = peerSet(selection)
    sets.set(set.name, set)
    return set.name
  }
  const rules: Record<Direction, ((pod: PodPlace) => string[])[]> = {
    in: (spec.ingress ?? []).map(({ from: peers = [], ports = [] }) =>
      ruleTexts({ peers, ports }, 'in', namespace, setOf),
    ),
    out: (spec.egress ?? []).map(({ to: peers = [], ports = [] }) =>
      ruleTexts({ peers, ports }, 'out', namespace, setOf),
    ),
  }
  return {
    namespace,
    selects: labelSelectorMatcher(spec.podSelector ?? {}),
    isolates: { in: types.includes('Ingress'), out: types.includes('Egress') },
    sets: [...sets.values()],
    rulesFor: (direction, pod) => rules[direction].flatMap((textsFor) => textsFor(pod)),
  }
}

/** One rule of a policy: each of its peers with each of its ports. */
function ruleTexts(
  { peers, ports }: Rule,
  direction: Direction,
  namespace: string,
  setOf: (selection: PeerSelection) => PeerSetName,
): (pod: PodPlace) => string[] {
  const address = direction === 'in' ? 'ip saddr' : 'ip daddr'
  const selections = peers.flatMap((peer) => selectionOf(peer, namespace) ?? [])
  const blocks = peers.flatMap(({ ipBlock }) => (ipBlock ? blockTexts(ipBlock, address) : []))
  const anyone = peers.length === 0
  // Made only where they are asked for, as their sets are.
  const sources = () => [
    ...(anyone ? [''] : []),
    ...selections.map((selection) => `${address} @${setOf(selection)} `),
    ...blocks,
  ]
  const through = (port: string): string[] => sources().map((source) => `${source}${port}return`)
  if (ports.length === 0) return always(through(''))
  const makers = ports.map(({ port, endPort, protocol = 'TCP' }) => {
    const number = numberOf(protocol)
    // One word that nft does not take would keep the whole table from being written.
    if (number === undefined) return always([])
    if (port === undefined) return always(through(`meta l4proto ${number} `))
    if (typeof port === 'number') {
      const range = endPort === undefined || endPort === port ? port : `${port}-${endPort}`
      return always(through(`meta l4proto ${number} th dport ${range} `))
    }
    // A name means a port of whoever is called: of the pod itself, or of each peer one of its own.
    if (direction === 'in') {
      const froms = sources()
      return (pod: PodPlace) =>
        pod.ports
          .filter((one) => one.name === port && one.protocol === protocol)
          .flatMap((one) => froms.map((from) => `${from}meta l4proto ${number} th dport ${one.port} return`))
    }
    const named = { name: port, protocol }
    return always(
      (anyone ? [{ namespaceSelector: {} }] : selections).map(
        (selection) => `${address} . meta l4proto . th dport @${setOf({ ...selection, port: named })} return`,
      ),
    )
  })
  return (pod) => makers.flatMap((textsFor) => textsFor(pod))
}

const numberOf = (protocol: string): number | undefined => protocolNumber[protocol.toLowerCase() as Protocol]

const always = (texts: string[]) => () => texts

function selectionOf(
  { podSelector, namespaceSelector }: NetworkPolicyPeer,
  namespace: string,
): PeerSelection | undefined {
  if (!podSelector && !namespaceSelector) return undefined
  return {
    ...(namespaceSelector ? { namespaceSelector } : { namespace }),
    ...(podSelector ? { podSelector } : {}),
  }
}

function blockTexts({ cidr, except = [] }: NonNullable<NetworkPolicyPeer['ipBlock']>, address: string): string[] {
  const without = disjointCidrs(except, 'IPv4')
  const but = without.length > 0 ? `${address} != { ${without.join(', ')} } ` : ''
  return disjointCidrs([cidr], 'IPv4').map((network) => `${address} ${network} ${but}`)
}

function peerSet(selection: PeerSelection): PeerSet {
  const { namespace, namespaceSelector, podSelector = {}, port } = selection
  const takesNamespace = labelSelectorMatcher(namespaceSelector ?? {})
  const takesPod = labelSelectorMatcher(podSelector)
  return {
    name: `peers/${createHash('sha256').update(JSON.stringify(selection)).digest('hex').slice(0, 16)}`,
    withPort: port !== undefined,
    elementsOf(pod, labelsOf) {
      const { ip } = pod
      if (ip === undefined || !takesPod(pod.labels)) return []
      if (namespace === undefined ? !takesNamespace(labelsOf(pod.namespace)) : pod.namespace !== namespace) return []
      if (!port) return [ip]
      return pod.ports
        .filter(({ name, protocol }) => name === port.name && protocol === port.protocol)
        .map((one) => `${ip} . ${numberOf(one.protocol)} . ${one.port}`)
    },
  }
}
