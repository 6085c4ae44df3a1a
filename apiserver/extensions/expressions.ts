import type { AdmissionProgram } from '../../api/cel/admission.ts'
import type { MayDo } from '../../api/cel/authorizer.ts'
import type { MatchCondition } from '../../api/generated/types.ts'
import type { ExpressionUse } from '../../api/machinery/compilers.ts'
import type { AdmissionAttributes } from '../admission/types.ts'
import { Lru } from '../auth/lru.ts'
import type { Authorizer } from '../auth/types.ts'
import { type GroupVersion, type Namespaces, namespaceFor } from './matching.ts'
import { describeRequest, objectsIn } from './request.ts'

/** Compiled expressions are kept: policies are few, writes are many. */
const keptPrograms = 2000

/** Runs the expressions of webhooks and policies. The engine is loaded when the first one is met. */
export interface Expressions {
  /** What the expressions about a write can use, and may cost between them; `params` is for policies. */
  variables(attributes: AdmissionAttributes, wanted: GroupVersion, params?: unknown): Promise<Variables>
  /** Rejects with an Error for what does not compile or cannot be evaluated. */
  evaluate(expression: string, use: ExpressionUse, variables: Variables): Promise<unknown>
  /** Whether all conditions hold. `fault` says why that cannot be told. */
  all(conditions: readonly MatchCondition[], variables: Variables): Promise<{ matches: boolean } | { fault: string }>
}

export type Variables = Record<string, unknown>

export function createExpressions(authorizer: Authorizer, namespaces: Namespaces): Expressions {
  const programs = new Lru<string, AdmissionProgram>(keptPrograms)

  const programOf = async (expression: string, use: ExpressionUse): Promise<AdmissionProgram> => {
    const key = `${use} ${expression}`
    const known = programs.get(key)
    if (known) return known
    const { compileAdmission } = await import('../../api/cel/admission.ts')
    const compiled = compileAdmission(expression.trim(), use)
    if ('fault' in compiled) throw new Error(compiled.fault)
    programs.set(key, compiled)
    return compiled
  }

  const evaluate: Expressions['evaluate'] = async (expression, use, variables) =>
    (await programOf(expression, use)).run(variables)

  return {
    evaluate,
    async variables(attributes, wanted, params) {
      const { celValue, lazily } = await import('../../api/cel/values.ts')
      const { newAuthorizer } = await import('../../api/cel/authorizer.ts')
      const { Budget, withBudget } = await import('../../api/cel/budget.ts')
      const { object, oldObject } = objectsIn(attributes, wanted)
      const namespace = await namespaceFor(attributes, namespaces)
      const seen = lazily({
        object: () => celValue(object),
        oldObject: () => celValue(oldObject),
        request: () => celValue(describeRequest(attributes, wanted)),
        namespaceObject: () => celValue(namespace),
        params: () => celValue(params),
        variables: () => null,
        authorizer: () => newAuthorizer(mayDo(authorizer, attributes), ownAccess(attributes)),
      })
      return withBudget(seen, new Budget())
    },
    async all(conditions, variables) {
      const faults: string[] = []
      for (const { name, expression = '' } of conditions) {
        try {
          // One that is false decides, whatever is wrong with others.
          if ((await evaluate(expression, 'matchCondition', variables)) === false) return { matches: false }
        } catch (error) {
          faults.push(`expression '${name}' resulted in error: ${(error as Error).message.split('\n')[0]}`)
        }
      }
      return faults.length > 0 ? { fault: faults.join(', ') } : { matches: true }
    },
  }
}

const ownAccess = ({ resource, subresource, namespace, name }: AdmissionAttributes) => ({
  group: resource.group,
  resource: resource.plural,
  subresource,
  namespace,
  name,
})

const mayDo =
  (authorizer: Authorizer, { user }: AdmissionAttributes): MayDo =>
  async (access, account) => {
    const { path = '', group = '', resource = '', subresource = '', namespace = '', name = '', verb } = access
    const asking = account
      ? {
          name: `system:serviceaccount:${account.namespace}:${account.name}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'],
        }
      : user
    const question = { user: asking, verb, path, group, resource, subresource, namespace, name }
    const { allowed, reason, evaluationError } = await authorizer.authorize(question)
    return { allowed, reason, ...(evaluationError ? { error: evaluationError } : {}) }
  }
