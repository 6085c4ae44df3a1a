import type { LabelSelector, Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../api/generated/types.ts'
import { type LabelMatcher, type Labels, labelSelectorMatcher } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import type { PodInfo } from './pod-info.ts'

/** One term of a pod's affinity to, or against, other pods. */
export interface AffinityTerm {
  readonly topologyKey: string
  /** Those that other pods must be in; undefined: the namespaces' labels decide. */
  readonly namespaces: ReadonlySet<string> | undefined
  /** Whether the other pod is one the term speaks of; the labels are those of the other pod's namespace. */
  matches(other: PodInfo, namespaceLabels: Labels): boolean
}

export interface WeightedTerm extends AffinityTerm {
  readonly weight: number
}

export interface AffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[]
  readonly requiredAntiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly WeightedTerm[]
  readonly preferredAntiAffinity: readonly WeightedTerm[]
}

const none: AffinityTerms = {
  requiredAffinity: [],
  requiredAntiAffinity: [],
  preferredAffinity: [],
  preferredAntiAffinity: [],
}

export function affinityTerms(pod: Live<Pod>): AffinityTerms {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  if (!podAffinity && !podAntiAffinity) return none
  const namespace = pod.metadata.namespace ?? ''
  const required = (terms: readonly PodAffinityTerm[] = []) => terms.map((term) => parseTerm(term, namespace))
  const preferred = (terms: readonly WeightedPodAffinityTerm[] = []) =>
    terms.map(({ weight, podAffinityTerm }) => ({ weight, ...parseTerm(podAffinityTerm, namespace) }))
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  }
}

/** matchLabelKeys need no care here: the API server has written them into the selector. */
function parseTerm(term: PodAffinityTerm, own: string): AffinityTerm {
  const matches = selectorOrNothing(term.labelSelector)
  const inNamespace = term.namespaceSelector && labelSelectorMatcher(term.namespaceSelector)
  const named = new Set(term.namespaces?.length || term.namespaceSelector ? term.namespaces : [own])
  return {
    topologyKey: term.topologyKey,
    namespaces: inNamespace ? undefined : named,
    matches: (other, namespaceLabels) =>
      (named.has(other.namespace) || inNamespace?.(namespaceLabels) === true) && matches(other.labels),
  }
}

/** A selector that is left out selects nothing, an empty one everything. */
export const selectorOrNothing = (selector: LabelSelector | undefined): LabelMatcher =>
  selector ? labelSelectorMatcher(selector) : () => false
