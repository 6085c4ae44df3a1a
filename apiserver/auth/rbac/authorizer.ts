import type { PolicyRule, RoleRef } from '../../../api/generated/types.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { Lru } from '../lru.ts'
import type { AuthorizationAttributes, Authorizer, Decision, ResolvedRules, UserInfo } from '../types.ts'
import { type Grant, type Lookup, PolicyIndex } from './policy-index.ts'
import { ruleMatches } from './rules.ts'

/** Users whose answers are remembered, and answers of each. */
const rememberedUsers = 1024
const rememberedAnswers = 4096

/**
 * What is known of one question in one scope, whatever the object's name: most rules name no objects, so one answer serves all
 * objects of a kind.
 */
interface Answer {
  /** Names that a rule allows by name, before any that allows all. */
  byName: ReadonlyMap<string, Decision> | undefined
  /** Undefined: nothing in this scope allows it. */
  otherwise: Decision | undefined
}

/** What one user holds in the cluster and in each namespace asked about, and the answers already given. */
interface Holdings {
  rules: Map<string, ResolvedGrants>
  answers: Lru<string, Answer>
}

interface ResolvedGrants {
  rules: readonly { rule: PolicyRule; grant: Grant }[]
  faults: readonly string[]
}

/** Allows what roles bound to the user or the user's groups allow; never denies, only has no opinion. */
export class RbacAuthorizer implements Authorizer {
  readonly #index: PolicyIndex
  readonly #users = new Lru<string, Holdings>(rememberedUsers)
  /** The same user object comes back with every request of a connection or token. */
  #byObject = new WeakMap<UserInfo, Holdings>()

  constructor(client: ServerClient, lookup: Lookup) {
    this.#index = new PolicyIndex(client, lookup, () => {
      if (this.#users.size === 0) return
      this.#users.clear()
      this.#byObject = new WeakMap()
    })
  }

  stop(): void {
    this.#index.stop()
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const holdings = this.#holdings(attributes.user)
    const { namespace, name } = attributes
    const question = questionOf(attributes)
    // What a cluster role binding grants holds in every namespace: one answer for all of them.
    const decision =
      this.#ask(holdings, question, '', attributes, name) ??
      (namespace === '' ? undefined : this.#ask(holdings, question + namespace, namespace, attributes, name))
    if (decision) return decision
    const faults = this.#scopes(holdings, attributes.user, namespace).flatMap((scope) => scope.faults)
    return faults.length === 0 ? noOpinion : { allowed: false, reason: `RBAC: ${aggregate(faults)}` }
  }

  rulesFor(user: UserInfo, namespace: string): ResolvedRules {
    const resourceRules: ResolvedRules['resourceRules'] = []
    const nonResourceRules: ResolvedRules['nonResourceRules'] = []
    const { rules, faults } = this.#rules(user, namespace)
    for (const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } of rules) {
      if (resources.length > 0) resourceRules.push({ verbs, apiGroups, resources, resourceNames })
      if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs })
    }
    const incomplete = { resourceRules, nonResourceRules, incomplete: false }
    return faults.length === 0 ? incomplete : { ...incomplete, evaluationError: aggregate(faults) }
  }

  /** Every rule the user holds in a namespace (with '': of the cluster). */
  policyRules(user: UserInfo, namespace: string): PolicyRule[] {
    return this.#rules(user, namespace).rules
  }

  /** Rules of the role that a binding in `namespace` refers to; a string says why there are none. */
  roleRules(ref: RoleRef, namespace: string): readonly PolicyRule[] | string {
    return this.#index.rulesOf(ref, namespace)
  }

  #rules(user: UserInfo, namespace: string): { rules: PolicyRule[]; faults: string[] } {
    const holdings = this.#holdings(user)
    const scopes = this.#scopes(holdings, user, namespace)
    return {
      rules: scopes.flatMap((scope) => scope.rules.map(({ rule }) => rule)),
      faults: scopes.flatMap(({ faults }) => faults),
    }
  }

  #holdings(user: UserInfo): Holdings {
    let holdings = this.#byObject.get(user)
    if (!holdings) {
      const key = JSON.stringify([user.name, user.groups])
      holdings = this.#users.get(key)
      if (!holdings) {
        holdings = { rules: new Map(), answers: new Lru(rememberedAnswers) }
        this.#users.set(key, holdings)
      }
      this.#byObject.set(user, holdings)
    }
    return holdings
  }

  #ask(
    holdings: Holdings,
    question: string,
    scope: string,
    attributes: AuthorizationAttributes,
    name: string,
  ): Decision | undefined {
    let answer = holdings.answers.get(question)
    if (!answer) {
      answer = answerFrom(this.#resolve(holdings, attributes.user, scope), attributes)
      holdings.answers.set(question, answer)
    }
    return answer.byName?.get(name) ?? answer.otherwise
  }

  #scopes(holdings: Holdings, user: UserInfo, namespace: string): ResolvedGrants[] {
    const cluster = this.#resolve(holdings, user, '')
    return namespace === '' ? [cluster] : [cluster, this.#resolve(holdings, user, namespace)]
  }

  #resolve(holdings: Holdings, user: UserInfo, namespace: string): ResolvedGrants {
    const known = holdings.rules.get(namespace)
    if (known) return known
    const rules: { rule: PolicyRule; grant: Grant }[] = []
    const faults: string[] = []
    for (const grant of this.#index.grants(user, namespace)) {
      const granted = this.#index.rulesOf(grant.binding.roleRef, namespace)
      if (typeof granted === 'string') faults.push(granted)
      else for (const rule of granted) rules.push({ rule, grant })
    }
    const resolved = { rules, faults }
    if (holdings.rules.size >= rememberedAnswers) holdings.rules.clear()
    holdings.rules.set(namespace, resolved)
    return resolved
  }
}

/**
 * A key of what is asked, to which the namespace may be appended. Reviews ask about any words at all, so the parts are
 * told apart by their lengths: no separator would be safe.
 */
function questionOf({ verb, group, resource, subresource, path }: AuthorizationAttributes): string {
  if (path !== '') return `path ${verb.length}:${verb}${path}`
  const lengths = `${verb.length},${group.length},${resource.length},${subresource.length}`
  return `${lengths}:${verb}${group}${resource}${subresource}`
}

const noOpinion: Decision = { allowed: false, reason: '' }

function answerFrom({ rules }: ResolvedGrants, attributes: AuthorizationAttributes): Answer {
  const byName = new Map<string, Decision>()
  const named = () => (byName.size > 0 ? byName : undefined)
  for (const { rule, grant } of rules) {
    if (!ruleMatches(rule, attributes)) continue
    const decision: Decision = { allowed: true, reason: `RBAC: allowed by ${describeGrant(grant)}` }
    if (!rule.resourceNames?.length || attributes.path !== '') return { byName: named(), otherwise: decision }
    for (const name of rule.resourceNames) if (!byName.has(name)) byName.set(name, decision)
  }
  return { byName: named(), otherwise: undefined }
}

function describeGrant({ binding, subject }: Grant): string {
  const { name = '', namespace = '' } = binding.metadata
  const [kind, title] = namespace === '' ? ['ClusterRoleBinding', name] : ['RoleBinding', `${name}/${namespace}`]
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name
  const { kind: roleKind, name: roleName } = binding.roleRef
  return `${kind} ${JSON.stringify(title)} of ${roleKind} ${JSON.stringify(roleName)} to ${subject.kind} ${JSON.stringify(who)}`
}

/** Several faults as upstream prints them: one as it is, more in brackets, none twice. */
export function aggregate(faults: readonly string[]): string {
  const distinct = [...new Set(faults)]
  return distinct.length === 1 ? (distinct[0] as string) : `[${distinct.join(', ')}]`
}
