import type {
  MatchCondition,
  MatchResources,
  Mutation,
  ParamKind,
  ParamRef,
  Validation,
  Variable,
} from '../../../api/generated/types.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import type { ServerClient } from '../../registry/reader.ts'
import type { Criteria } from '../matching.ts'

/** What policies of both kinds say. */
export interface Policy {
  name: string
  failurePolicy?: string
  paramKind?: ParamKind
  matchConstraints?: MatchResources
  matchConditions?: MatchCondition[]
  variables?: Variable[]
  /** Of a validating policy. */
  validations?: Validation[]
  auditAnnotations?: { key: string; valueExpression: string }[]
  /** Of a mutating policy. */
  mutations?: Mutation[]
  reinvocationPolicy?: string
}

/** What puts a policy into force. */
export interface Binding {
  name: string
  policyName?: string
  paramRef?: ParamRef
  matchResources?: MatchResources
  validationActions?: string[]
}

/** A policy with the bindings that put it into force. */
export interface BoundPolicy {
  policy: Policy
  bindings: readonly Binding[]
}

export interface PolicySource {
  /** Those that are in force, by name. */
  readonly policies: readonly BoundPolicy[]
}

/** Follows policies of a kind and their bindings. */
export function followPolicies(
  client: ServerClient,
  lookup: AdmissionContext['lookup'],
  kind: 'validatingadmissionpolicies' | 'mutatingadmissionpolicies',
): PolicySource {
  const group = 'admissionregistration.k8s.io'
  const policies = new Map<string, Policy>()
  const bindings = new Map<string, Binding>()
  let bound: readonly BoundPolicy[] | undefined = []
  const follow = <T extends { name: string }>(plural: string, into: Map<string, T>) =>
    client.onChange<AnyObject & { spec?: object }>(lookup(group, plural), ({ type, object }) => {
      const name = object.metadata.name ?? ''
      if (type === 'DELETED') into.delete(name)
      else into.set(name, { ...object.spec, name } as T)
      bound = undefined
    })
  follow(kind, policies)
  follow(kind.replace(/ies$/, 'ybindings'), bindings)
  return {
    get policies() {
      bound ??= bind(policies, bindings)
      return bound
    },
  }
}

function bind(policies: ReadonlyMap<string, Policy>, bindings: ReadonlyMap<string, Binding>): BoundPolicy[] {
  const byName = <T extends { name: string }>(all: Iterable<T>) => [...all].sort((a, b) => (a.name < b.name ? -1 : 1))
  const sorted = byName(bindings.values())
  return byName(policies.values())
    .map((policy) => ({ policy, bindings: sorted.filter(({ policyName }) => policyName === policy.name) }))
    .filter((each) => each.bindings.length > 0)
}

/** What a policy or a binding matches; a binding without rules narrows nothing by them. */
export function criteriaOf(match: MatchResources = {}): Criteria {
  const { resourceRules = [], excludeResourceRules = [], matchPolicy } = match
  const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }
  return {
    rules: resourceRules.length > 0 ? resourceRules : [everything],
    excluded: excludeResourceRules,
    ...(matchPolicy ? { matchPolicy } : {}),
  }
}
