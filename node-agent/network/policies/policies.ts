import type { NetworkPolicy, Pod } from '../../../api/generated/types.ts'
import type { Labels } from '../../../api/machinery/labels.ts'
import type { Live } from '../../../client/types.ts'
import { isTerminalPhase } from '../../pods/types.ts'
import type { Chain, Element, Fragment } from '../proxy/ruleset.ts'
import { type PodPlace, placeOf } from './place.ts'
import { type CompiledPolicy, compilePolicy, type Direction, type PeerSet } from './rules.ts'

export interface PoliciesOptions {
  nodeName: string
  /** Puts a part into the kernel's table, or takes it out. */
  put(owner: string, fragment: Fragment | undefined): void
}

/**
 * What network policies make of the pods of this node: each that a policy selects has a chain of its own, which returns for
 * what some policy lets through and drops the rest. Whom rules name by labels is in sets, of which a pod that comes or goes
 * changes its own elements only. Nothing is put before {@link begin}.
 */
export class NetworkPolicies {
  readonly #options: PoliciesOptions
  readonly #policies = new Map<string, CompiledPolicy>()
  readonly #namespaces = new Map<string, Labels>()
  readonly #pods = new Map<string, PodPlace>()
  /** Addresses that pods of this node have, though no status says so yet. */
  readonly #starting = new Map<string, PodPlace>()
  /** The sets that policies need, with how many of them do. */
  readonly #sets = new Map<string, { set: PeerSet; needed: number }>()
  /** The pods of this node by their addresses; the last is the one that has it. */
  readonly #here = new Map<string, Map<string, PodPlace>>()
  #begun = false

  constructor(options: PoliciesOptions) {
    this.#options = options
  }

  /** Everything is known: from now on the table follows. */
  begin(): void {
    this.#begun = true
    for (const { set } of this.#sets.values()) this.#declare(set)
    for (const pod of this.#pods.values()) this.#enlist(pod)
    for (const ip of this.#here.keys()) this.#isolate(ip)
  }

  putPolicy(policy: Live<NetworkPolicy>): void {
    this.#swapPolicy(keyOf(policy), compilePolicy(policy))
  }

  removePolicy(policy: Live<NetworkPolicy>): void {
    this.#swapPolicy(keyOf(policy), undefined)
  }

  putNamespace(name: string, labels: Labels | undefined): void {
    if (labels) this.#namespaces.set(name, labels)
    else this.#namespaces.delete(name)
    for (const pod of this.#pods.values()) if (pod.namespace === name) this.#enlist(pod)
  }

  putPod(pod: Live<Pod>): void {
    const place = placeOf(pod)
    const known = this.#starting.get(place.uid)
    // Until its status tells, the address is the one that its node knows.
    const { podIP, phase } = pod.status ?? {}
    const isWaited = known && place.ip === undefined && podIP === undefined && !isTerminalPhase(phase)
    if (!isWaited) this.#starting.delete(place.uid)
    this.#place(isWaited ? { ...place, ip: known.ip } : place)
  }

  removePod({ metadata: { uid = '' } }: Live<Pod>): void {
    this.#starting.delete(uid)
    this.#displace(uid)
  }

  /** A pod of this node has its address, and begins. True when policies isolate it. */
  podStarts(pod: Live<Pod>, ip: string): boolean {
    const place = placeOf(pod, ip)
    if (place.ip === undefined) return false
    if (this.#pods.get(place.uid)?.ip !== place.ip) {
      this.#starting.set(place.uid, place)
      this.#place(place)
    }
    return this.#policiesOf(place).length > 0
  }

  /** Nothing of it runs any more; what is known of it otherwise stays. */
  podEnded(uid: string): void {
    if (this.#starting.delete(uid)) this.#displace(uid)
  }

  #place(place: PodPlace): void {
    const before = this.#pods.get(place.uid)
    if (before && JSON.stringify(before) === JSON.stringify(place)) return
    this.#pods.set(place.uid, place)
    this.#enlist(place)
    const hasMoved = before?.ip !== place.ip || before?.nodeName !== place.nodeName
    if (before?.ip !== undefined && hasMoved) this.#leave(before.ip, place.uid)
    if (place.ip === undefined || place.nodeName !== this.#options.nodeName) return
    const those = this.#here.get(place.ip) ?? new Map<string, PodPlace>()
    // The newest has it: whoever had it before is gone, or will be.
    if (hasMoved) those.delete(place.uid)
    this.#here.set(place.ip, those.set(place.uid, place))
    this.#isolate(place.ip)
  }

  #displace(uid: string): void {
    const before = this.#pods.get(uid)
    if (!before) return
    this.#pods.delete(uid)
    if (this.#begun) this.#options.put(`pod/${uid}`, undefined)
    if (before.ip !== undefined) this.#leave(before.ip, uid)
  }

  #leave(ip: string, uid: string): void {
    const those = this.#here.get(ip)
    if (!those?.delete(uid)) return
    if (those.size === 0) this.#here.delete(ip)
    this.#isolate(ip)
  }

  #swapPolicy(key: string, policy: CompiledPolicy | undefined): void {
    const before = this.#policies.get(key)
    if (policy) this.#policies.set(key, policy)
    else this.#policies.delete(key)
    const fresh: PeerSet[] = []
    for (const set of policy?.sets ?? []) {
      const known = this.#sets.get(set.name)
      if (known) known.needed += 1
      else {
        this.#sets.set(set.name, { set, needed: 1 })
        fresh.push(set)
      }
    }
    const unneeded: string[] = []
    for (const { name } of before?.sets ?? []) {
      const known = this.#sets.get(name)
      if (!known || --known.needed > 0) continue
      this.#sets.delete(name)
      unneeded.push(name)
    }
    if (!this.#begun) return
    for (const set of fresh) this.#declare(set)
    for (const name of unneeded) this.#options.put(name, undefined)
    if (fresh.length + unneeded.length > 0) for (const pod of this.#pods.values()) this.#enlist(pod)
    const namespace = (policy ?? before)?.namespace
    for (const [ip, those] of this.#here)
      if ([...those.values()].some((pod) => pod.namespace === namespace)) this.#isolate(ip)
  }

  #declare({ name, withPort }: PeerSet): void {
    this.#options.put(name, { elements: [], chains: [], sets: [{ name, withPort }] })
  }

  /** Puts the pod into the sets of all that name it. */
  #enlist(pod: PodPlace): void {
    if (!this.#begun) return
    const labelsOf = (namespace: string) => this.#namespaces.get(namespace) ?? {}
    const elements = [...this.#sets.values()].flatMap(({ set }) =>
      set.elementsOf(pod, labelsOf).map((key): Element => ({ set: set.name, key })),
    )
    this.#options.put(`pod/${pod.uid}`, elements.length > 0 ? { elements, chains: [], sets: [] } : undefined)
  }

  /** Writes the chains of the pod that has this address. */
  #isolate(ip: string): void {
    if (!this.#begun) return
    const pod = [...(this.#here.get(ip)?.values() ?? [])].at(-1)
    const policies = pod ? this.#policiesOf(pod) : []
    const elements: Element[] = []
    const chains: Chain[] = []
    for (const direction of ['in', 'out'] as const) {
      const isolating = policies.filter(({ isolates }) => isolates[direction])
      if (!pod || isolating.length === 0) continue
      const name = `${direction}/${ip}`
      elements.push({ set: `isolated-${direction}`, key: ip, verdict: `jump ${name}` })
      chains.push({ name, rules: chainRules(direction, pod, isolating) })
    }
    this.#options.put(`isolated/${ip}`, chains.length > 0 ? { elements, chains, sets: [] } : undefined)
  }

  #policiesOf({ namespace, labels }: PodPlace): CompiledPolicy[] {
    return [...this.#policies.values()].filter((policy) => policy.namespace === namespace && policy.selects(labels))
  }
}

function chainRules(direction: Direction, pod: PodPlace, policies: readonly CompiledPolicy[]): string[] {
  // A pod that calls itself by a service is nobody else's business.
  const itself = `ip ${direction === 'in' ? 'saddr' : 'daddr'} ${pod.ip} return`
  return [...new Set([itself, ...policies.flatMap((policy) => policy.rulesFor(direction, pod))]), 'drop']
}

const keyOf = ({ metadata }: Live<NetworkPolicy>): string => `${metadata.namespace}/${metadata.name}`
