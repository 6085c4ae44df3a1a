import { badRequestError, internalServerError, type StatusError } from '../../../api/machinery/errors.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import { refuse } from '../../admission/refuse.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { createExpressions } from '../expressions.ts'
import { type GroupVersion, matchedVersion, namespaceMatches, namespacesOf, objectMatches } from '../matching.ts'
import { createWebhookCaller } from './call.ts'
import type { Hook } from './hooks.ts'
import { newReview, readVerdict, refusal, type Verdict } from './review.ts'

const defaultTimeoutSeconds = 10

/** What came of asking a webhook. */
export interface Asked {
  /** The version in which it was shown the object. */
  wanted: GroupVersion
  /** Undefined: it could not be asked, and that is no fault. */
  verdict: Verdict | undefined
}

/** Asks single webhooks about writes. */
export interface Asking {
  /** Undefined: the webhook does not want to know. Throws the StatusError of its refusal, or of not reaching it. */
  ask(hook: Hook, attributes: AdmissionAttributes): Promise<Asked | undefined>
}

export function createAsking({ client, lookup, authorizer }: AdmissionContext): Asking {
  const caller = createWebhookCaller(client, lookup)
  const namespaces = namespacesOf(client, lookup)
  const expressions = createExpressions(authorizer, namespaces)

  const wantedBy = async (hook: Hook, attributes: AdmissionAttributes): Promise<GroupVersion | undefined> => {
    const wanted = matchedVersion(hook.criteria, attributes)
    if (!wanted || !objectMatches(hook.objectSelector, attributes)) return undefined
    if (!(await namespaceMatches(hook.namespaceSelector, attributes, namespaces))) return undefined
    if (!hook.matchConditions?.length) return wanted
    const variables = await expressions.variables(attributes, wanted)
    const outcome = await expressions.all(hook.matchConditions, variables)
    if ('matches' in outcome) return outcome.matches ? wanted : undefined
    if (hook.failurePolicy === 'Ignore') return undefined
    throw refuse(attributes, outcome.fault)
  }

  return {
    async ask(hook, attributes) {
      const wanted = await wantedBy(hook, attributes)
      if (!wanted) return undefined
      const { name, clientConfig = {}, timeoutSeconds = defaultTimeoutSeconds } = hook
      if (attributes.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
        throw badRequestError(`admission webhook ${JSON.stringify(name)} does not support dry run`)
      }
      const review = newReview(attributes, wanted, hook.admissionReviewVersions)
      let verdict: Verdict
      try {
        verdict = readVerdict(await caller.call(clientConfig, review.body, timeoutSeconds), review)
      } catch (error) {
        if (hook.failurePolicy === 'Ignore') return { wanted, verdict: undefined }
        throw unreachable(name, error)
      }
      for (const warning of verdict.warnings) attributes.warn(warning)
      if (!verdict.allowed) throw refusal(name, verdict.status)
      return { wanted, verdict }
    },
  }
}

const unreachable = (name: string | undefined, error: unknown): StatusError =>
  internalServerError(
    `failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${(error as Error).message}`,
  )
