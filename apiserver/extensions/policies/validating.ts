import type { Validation } from '../../../api/generated/types.ts'
import { StatusError } from '../../../api/machinery/errors.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import { refuse } from '../../admission/refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../../admission/types.ts'
import { isExempt } from '../matching.ts'
import { type Case, createJudge, type Judge } from './judge.ts'
import { followPolicies } from './policies.ts'

const maxMessageLength = 5 << 10

/** What a policy holds against a write. */
interface Objection {
  of: Case
  message: string
  reason: string
}

/** Holds what is written to the ValidatingAdmissionPolicies in force. */
export function createValidatingPolicies(context: AdmissionContext): AdmissionPlugin {
  const source = followPolicies(context.client, context.lookup, 'validatingadmissionpolicies')
  const judge = createJudge(context)
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: ({ resource }) => source.policies.length > 0 && !isExempt(resource),
    async validate(attributes) {
      const objections: Objection[] = []
      for (const bound of source.policies) {
        for (const each of await judge.cases(bound, attributes)) objections.push(...(await object(judge, each)))
      }
      const does =
        (action: string) =>
        ({ of }: Objection) =>
          of.binding.validationActions?.includes(action) ?? false
      for (const { of, message } of objections.filter(does('Warn'))) {
        attributes.warn(
          `Validation failed for ValidatingAdmissionPolicy '${of.policy.name}' with binding '${of.binding.name}': ${message}`,
        )
      }
      const [first, ...others] = objections.filter(does('Deny'))
      if (first) throw refusal(attributes, first, others)
    },
  }
}

/** All that one policy, put into force by one binding with one set of parameters, holds against a write. */
async function object(judge: Judge, each: Case): Promise<Objection[]> {
  const { policy, variables, fault } = each
  const failed = (message: string): Objection[] =>
    policy.failurePolicy === 'Ignore' ? [] : [{ of: each, message, reason: '' }]
  if (!variables) return failed(fault)
  const objections: Objection[] = []
  for (const validation of policy.validations ?? []) {
    const { expression = '', reason = '' } = validation
    try {
      if ((await judge.expressions.evaluate(expression, 'validation', variables)) === true) continue
      objections.push({ of: each, message: await messageOf(judge, validation, variables), reason })
    } catch (error) {
      objections.push(...failed(`expression '${expression.trim()}' resulted in error: ${firstLine(error)}`))
    }
  }
  return objections
}

const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0] ?? ''

/** What the policy says, computed if it can be; else which expression was false. */
async function messageOf(
  judge: Judge,
  { expression = '', message = '', messageExpression = '' }: Validation,
  variables: NonNullable<Case['variables']>,
): Promise<string> {
  const fallback = message.trim() || `failed expression: ${expression.trim()}`
  if (messageExpression === '') return fallback
  try {
    const said = await judge.expressions.evaluate(messageExpression, 'validationMessage', variables)
    if (typeof said !== 'string') return fallback
    const text = said.trim()
    return text === '' || text.includes('\n') || text.length > maxMessageLength ? fallback : text
  } catch {
    // The message is a courtesy: that it cannot be made is no reason to say nothing.
    return fallback
  }
}

const codes: Record<string, number> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 }

function refusal(attributes: AdmissionAttributes, first: Objection, others: readonly Objection[]): StatusError {
  const { of, message, reason } = first
  const { message: full, details } = refuse(
    attributes,
    `ValidatingAdmissionPolicy '${of.policy.name}' with binding '${of.binding.name}' denied request: ${message}`,
  )
  const causes = [first, ...others].map((each) => ({ message: each.message }))
  return new StatusError(codes[reason] ?? 422, reason || 'Invalid', full, { ...details, causes })
}
