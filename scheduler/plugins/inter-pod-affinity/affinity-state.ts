import type { Labels } from '../../../api/machinery/labels.ts'
import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { Topologies } from '../../cache/topology.ts'
import type { AffinityTerm } from '../../framework/affinity-terms.ts'
import type { Copyable } from '../../framework/cycle-state.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import type { Look } from './kinds.ts'
import { TopologyCounts } from './topology-counts.ts'

type NamespaceLabels = (namespace: string) => Labels

/** Where the pods are that the pod wants to be near to, those it does not, and those that do not want it near. */
export class AffinityState implements Copyable<AffinityState> {
  readonly pod: PodInfo
  readonly #namespaceLabels: NamespaceLabels
  readonly #topologies: Topologies
  #wanted: TopologyCounts
  #unwanted: TopologyCounts
  #unwelcome: TopologyCounts

  constructor(pod: PodInfo, topologies: Topologies, namespaceLabels: NamespaceLabels) {
    this.pod = pod
    this.#topologies = topologies
    this.#namespaceLabels = namespaceLabels
    this.#wanted = new TopologyCounts(topologies)
    this.#unwanted = new TopologyCounts(topologies)
    this.#unwelcome = new TopologyCounts(topologies)
  }

  static of(pod: PodInfo, { podGroups: groups, topologies }: Cache, namespaceLabels: NamespaceLabels): AffinityState {
    const state = new AffinityState(pod, topologies, namespaceLabels)
    const { requiredAffinity, requiredAntiAffinity } = pod.terms
    const [first] = requiredAffinity
    for (const group of first ? groups.in(first.namespaces) : []) {
      if (!matchesAll(requiredAffinity, group.pod, namespaceLabels(group.pod.namespace))) continue
      for (const { topologyKey } of requiredAffinity) state.#wanted.refer(topologyKey, group)
    }
    for (const term of requiredAntiAffinity) {
      for (const group of groups.in(term.namespaces)) {
        if (!term.matches(group.pod, namespaceLabels(group.pod.namespace))) continue
        state.#unwanted.refer(term.topologyKey, group)
      }
    }
    const own = namespaceLabels(pod.namespace)
    for (const group of groups.withRequiredAntiAffinity) {
      for (const term of group.pod.terms.requiredAntiAffinity) {
        if (term.matches(pod, own)) state.#unwelcome.refer(term.topologyKey, group)
      }
    }
    return state
  }

  /** Nothing keeps the pod from any node. */
  get isIdle(): boolean {
    const { requiredAffinity, requiredAntiAffinity } = this.pod.terms
    return this.#unwelcome.isEmpty && requiredAffinity.length === 0 && requiredAntiAffinity.length === 0
  }

  /** A pod comes to the node, or with sign -1 goes. */
  count(other: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    this.#countAsked(other, node, sign)
    this.#countUnwelcome(other, node, sign)
  }

  findsWanted(node: NodeInfo): boolean {
    const terms = this.pod.terms.requiredAffinity
    if (terms.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) return false
    if (terms.every(({ topologyKey }) => this.#wanted.get(node, topologyKey) > 0)) return true
    // The first of a group that wants to be near its own kind may go anywhere.
    return this.#wanted.isEmpty && matchesAll(terms, this.pod, this.#namespaceLabels(this.pod.namespace))
  }

  findsUnwanted(node: NodeInfo): boolean {
    return this.pod.terms.requiredAntiAffinity.some(({ topologyKey }) => this.#unwanted.get(node, topologyKey) > 0)
  }

  isUnwelcome(node: NodeInfo): boolean {
    return this.#unwelcome.hasAny(node)
  }

  /** The topologies that decide, each with what it knows of a node beside the domain. */
  *looks(): Iterable<Look> {
    const { requiredAffinity, requiredAntiAffinity } = this.pod.terms
    for (const { topologyKey } of requiredAffinity) {
      const topology = this.#topologies.of(topologyKey)
      yield { topology, at: (node) => (this.#wanted.in(topology, node) > 0 ? 1 : 0) }
    }
    for (const { topologyKey } of requiredAntiAffinity) {
      const topology = this.#topologies.of(topologyKey)
      yield { topology, at: (node) => (this.#unwanted.in(topology, node) > 0 ? 1 : 0) }
    }
    for (const topology of this.#unwelcome.topologies) {
      yield { topology, at: (node) => (this.#unwelcome.in(topology, node) > 0 ? 1 : 0) }
    }
  }

  copy(): AffinityState {
    const copy = new AffinityState(this.pod, this.#topologies, this.#namespaceLabels)
    copy.#wanted = this.#wanted.copy()
    copy.#unwanted = this.#unwanted.copy()
    copy.#unwelcome = this.#unwelcome.copy()
    return copy
  }

  #countAsked(other: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    const { requiredAffinity, requiredAntiAffinity } = this.pod.terms
    const labels = this.#namespaceLabels(other.namespace)
    if (matchesAll(requiredAffinity, other, labels)) {
      for (const { topologyKey } of requiredAffinity) this.#wanted.add(node, topologyKey, sign)
    }
    for (const term of requiredAntiAffinity) {
      if (term.matches(other, labels)) this.#unwanted.add(node, term.topologyKey, sign)
    }
  }

  #countUnwelcome(other: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    for (const term of other.terms.requiredAntiAffinity) {
      if (term.matches(this.pod, this.#namespaceLabels(this.pod.namespace))) {
        this.#unwelcome.add(node, term.topologyKey, sign)
      }
    }
  }
}

/** Whether one pod satisfies all terms at once; none are satisfied by nobody. */
export const matchesAll = (terms: readonly AffinityTerm[], pod: PodInfo, namespaceLabels: Labels): boolean =>
  terms.length > 0 && terms.every((term) => term.matches(pod, namespaceLabels))
