import type { Variable } from '../../../api/generated/types.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { createExpressions, type Expressions, type Variables } from '../expressions.ts'
import {
  type Criteria,
  type GroupVersion,
  matchedVersion,
  namespaceMatches,
  namespacesOf,
  objectMatches,
} from '../matching.ts'
import { paramsOf } from './params.ts'
import { type Binding, type BoundPolicy, criteriaOf, type Policy } from './policies.ts'

/** One occasion on which a policy is put into force. */
export interface Case {
  policy: Policy
  binding: Binding
  /** The version in which the policy sees the object. */
  wanted: GroupVersion
  /** Undefined: the policy cannot be put into force, and `fault` says why. */
  variables: Variables | undefined
  fault: string
}

/** Finds out which policies have a say in a write. */
export interface Judge {
  expressions: Expressions
  /** Throws 404 for a namespace that is not there. */
  cases(bound: BoundPolicy, attributes: AdmissionAttributes): Promise<Case[]>
}

export function createJudge(context: AdmissionContext): Judge {
  const { client, lookup, authorizer } = context
  const namespaces = namespacesOf(client, lookup)
  const expressions = createExpressions(authorizer, namespaces)

  const isMeant = async (
    match: Criteria & Policy['matchConstraints'],
    attributes: AdmissionAttributes,
  ): Promise<GroupVersion | undefined> => {
    const wanted = matchedVersion(match, attributes)
    if (!wanted || !objectMatches(match.objectSelector, attributes)) return undefined
    return (await namespaceMatches(match.namespaceSelector, attributes, namespaces)) ? wanted : undefined
  }

  const variablesFor = async (
    { variables = [] }: Policy,
    attributes: AdmissionAttributes,
    wanted: GroupVersion,
    params: AnyObject | undefined,
  ): Promise<Variables> => {
    const given = await expressions.variables(attributes, wanted, params)
    return variables.length === 0 ? given : withComposed(expressions, given, variables)
  }

  return {
    expressions,
    async cases({ policy, bindings }, attributes) {
      const wanted = await isMeant({ ...policy.matchConstraints, ...criteriaOf(policy.matchConstraints) }, attributes)
      if (!wanted) return []
      const found: Case[] = []
      for (const binding of bindings) {
        const own = binding.matchResources
        if (own && !(await isMeant({ ...own, ...criteriaOf(own) }, attributes))) continue
        try {
          for (const params of paramsOf(context, policy.paramKind, binding, attributes)) {
            const variables = await variablesFor(policy, attributes, wanted, params)
            const outcome = await expressions.all(policy.matchConditions ?? [], variables)
            if ('fault' in outcome) found.push({ policy, binding, wanted, variables: undefined, fault: outcome.fault })
            else if (outcome.matches) found.push({ policy, binding, wanted, variables, fault: '' })
          }
        } catch (error) {
          found.push({ policy, binding, wanted, variables: undefined, fault: (error as Error).message })
        }
      }
      return found
    },
  }
}

/** The policy's own variables, in order: each may use those before it, and one that fails does so where it is used. */
async function withComposed(
  expressions: Expressions,
  given: Variables,
  variables: readonly Variable[],
): Promise<Variables> {
  const composed: Record<string, unknown> = Object.create(null)
  const all = Object.create(given, { variables: { value: composed, enumerable: true } }) as Variables
  for (const { name = '', expression = '' } of variables) {
    try {
      composed[name] = await expressions.evaluate(expression, 'variable', all)
    } catch (error) {
      const failed = new Error(`composited variable "${name}" fails to evaluate: ${(error as Error).message}`)
      Object.defineProperty(composed, name, {
        enumerable: true,
        get() {
          throw failed
        },
      })
    }
  }
  return all
}
