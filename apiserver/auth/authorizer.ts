import { mastersGroup } from './groups.ts'
import type { AuthorizationAttributes, Authorizer, Decision, ResolvedRules } from './types.ts'

const noRules: ResolvedRules = { resourceRules: [], nonResourceRules: [], incomplete: false }
const everything: ResolvedRules = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
}

export const alwaysAllow: Authorizer = {
  authorize: () => ({ allowed: true, reason: '' }),
  rulesFor: () => everything,
}

export const alwaysDeny: Authorizer = {
  authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
  rulesFor: () => noRules,
}

/**
 * Lets members of system:masters do anything, then asks the authorizers in order: the first that allows decides; the
 * reasons of those that do not are put together.
 */
export function chainAuthorizers(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      if (attributes.user.groups.includes(mastersGroup)) return { allowed: true, reason: '' }
      return askFrom(authorizers, 0, attributes, [])
    },
    rulesFor(user, namespace) {
      const parts = authorizers.map((authorizer) => authorizer.rulesFor(user, namespace))
      const faults = parts.flatMap(({ evaluationError }) => (evaluationError === undefined ? [] : [evaluationError]))
      return {
        resourceRules: parts.flatMap(({ resourceRules }) => resourceRules),
        nonResourceRules: parts.flatMap(({ nonResourceRules }) => nonResourceRules),
        incomplete: parts.some(({ incomplete }) => incomplete),
        ...(faults.length === 0 ? {} : { evaluationError: faults.join(', ') }),
      }
    },
  }
}

/** Stays synchronous as long as the authorizers do. */
function askFrom(
  authorizers: readonly Authorizer[],
  first: number,
  attributes: AuthorizationAttributes,
  reasons: string[],
): Decision | Promise<Decision> {
  for (let i = first; i < authorizers.length; i++) {
    const answer = (authorizers[i] as Authorizer).authorize(attributes)
    if (answer instanceof Promise) {
      return answer.then((decision) => {
        if (decision.allowed) return decision
        if (decision.reason !== '') reasons.push(decision.reason)
        return askFrom(authorizers, i + 1, attributes, reasons)
      })
    }
    if (answer.allowed) return answer
    if (answer.reason !== '') reasons.push(answer.reason)
  }
  return { allowed: false, reason: reasons.join('\n') }
}

/** By upstream's names. */
export type AuthorizationMode = 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny'

/** The authorizers of `--authorization-mode`, in its order. Throws an Error for a mode there is none of. */
export function authorizerForModes(
  modes: readonly string[],
  makers: { node: () => Authorizer; rbac: () => Authorizer },
): Authorizer {
  const make: Record<AuthorizationMode, () => Authorizer> = {
    Node: makers.node,
    RBAC: makers.rbac,
    AlwaysAllow: () => alwaysAllow,
    AlwaysDeny: () => alwaysDeny,
  }
  if (modes.length === 0) throw new Error('at least one authorization mode must be passed')
  return chainAuthorizers(
    modes.map((mode) => {
      const maker = make[mode as AuthorizationMode]
      if (!maker)
        throw new Error(`authorization-mode ${JSON.stringify(mode)} is not one of ${Object.keys(make).join(', ')}`)
      return maker()
    }),
  )
}
