import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  subjectAccessReviews,
} from '../../api/authorization/reviews.ts'
import type {
  LocalSubjectAccessReview,
  NonResourceAttributes,
  ResourceAttributes,
  UserInfo as ReviewedUser,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  TokenReview,
} from '../../api/generated/types.ts'
import { badRequestError, invalidError } from '../../api/machinery/errors.ts'
import { parseFieldSelector } from '../../api/machinery/fields.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { RequestAuthenticator } from './authenticator.ts'
import type { AuthorizationAttributes, Authorizer, UserInfo } from './types.ts'

export interface ReviewContext {
  /** Who asks. */
  user: UserInfo
  /** Of the request's path; '' for none. */
  namespace: string
  nowMs: number
}

/** Answers a review: the object sent, with its status. Throws StatusErrors. */
export type Review = (object: AnyObject, context: ReviewContext) => Promise<AnyObject>

export interface ReviewOptions {
  authorizer: Authorizer
  authenticator: RequestAuthenticator
  apiAudiences: readonly string[]
}

/** The reviews by `group/plural`. */
export function createReviews({ authorizer, authenticator, apiAudiences }: ReviewOptions): ReadonlyMap<string, Review> {
  const decide = async (user: UserInfo, asked: Attributes): Promise<SubjectAccessReviewStatus> => {
    const { allowed, reason, evaluationError } = await authorizer.authorize(attributesOf(user, asked))
    const errors = [evaluationError, selectorError(asked)].filter((error) => error !== undefined)
    return {
      allowed,
      ...(reason === '' ? {} : { reason }),
      ...(errors.length === 0 ? {} : { evaluationError: errors.join('; ') }),
    }
  }

  const subjectAccess = async (review: Stored<SubjectAccessReview | LocalSubjectAccessReview>): Promise<AnyObject> => {
    const { user = '', uid, groups = [], extra } = review.spec
    const subject: UserInfo = { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
    return answer(review, await decide(subject, review.spec))
  }

  const reviews: Record<string, (object: AnyObject, context: ReviewContext) => Promise<AnyObject>> = {
    'authorization.k8s.io/subjectaccessreviews': async (object, context) => {
      const review = object as unknown as Stored<SubjectAccessReview>
      refuse(review, subjectAccessReviews, context)
      return subjectAccess(review)
    },
    'authorization.k8s.io/localsubjectaccessreviews': async (object, context) => {
      const review = object as unknown as Stored<LocalSubjectAccessReview>
      const { namespace } = context
      review.metadata.namespace ??= namespace
      refuse(review, localSubjectAccessReviews, context)
      if (namespace === '') throw badRequestError('namespace is required on this type: ')
      if (namespace !== review.metadata.namespace) {
        throw badRequestError(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
      }
      return subjectAccess(review)
    },
    'authorization.k8s.io/selfsubjectaccessreviews': async (object, context) => {
      const review = object as unknown as Stored<SelfSubjectAccessReview>
      refuse(review, selfSubjectAccessReviews, context)
      return answer(review, await decide(context.user, review.spec))
    },
    'authorization.k8s.io/selfsubjectrulesreviews': async (object, { user }) => {
      const review = object as unknown as Stored<SelfSubjectRulesReview>
      const namespace = review.spec?.namespace ?? ''
      if (namespace === '') throw badRequestError('no namespace on request')
      const { resourceRules, nonResourceRules, incomplete, evaluationError } = authorizer.rulesFor(user, namespace)
      return answer(review, {
        resourceRules: resourceRules.map(({ resourceNames, ...rule }) =>
          resourceNames.length > 0 ? { ...rule, resourceNames } : rule,
        ),
        nonResourceRules,
        incomplete,
        ...(evaluationError === undefined ? {} : { evaluationError }),
      })
    },
    'authentication.k8s.io/selfsubjectreviews': async (object, { user, nowMs }) => {
      const review = object as unknown as Stored<SelfSubjectReview>
      review.metadata.creationTimestamp = new Date(nowMs).toISOString().replace(/\.\d{3}Z$/, 'Z')
      return answer(review, { userInfo: reviewedUser(user) })
    },
    'authentication.k8s.io/tokenreviews': async (object) => {
      const review = object as unknown as Stored<TokenReview>
      const { token = '', audiences = [] } = review.spec ?? {}
      if (token === '') throw badRequestError('token is required for TokenReview in authentication')
      try {
        const wanted = audiences.length > 0 ? audiences : apiAudiences
        const found = await authenticator.authenticateToken(token, wanted)
        return answer(review, {
          authenticated: true,
          user: reviewedUser(found.user),
          audiences: [...found.audiences],
        })
      } catch (error) {
        return answer(review, { user: {}, error: (error as Error).message })
      }
    },
  }
  return new Map(Object.entries(reviews))
}

const answer = (review: object, status: object): AnyObject => ({ ...review, status }) as unknown as AnyObject

function reviewedUser({ name, uid, groups, extra }: UserInfo): ReviewedUser {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    groups: [...groups],
    ...(extra ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) } : {}),
  }
}

interface Attributes {
  resourceAttributes?: ResourceAttributes
  nonResourceAttributes?: NonResourceAttributes
}

function attributesOf(
  user: UserInfo,
  { resourceAttributes, nonResourceAttributes }: Attributes,
): AuthorizationAttributes {
  const { verb = '', group = '', resource = '', subresource = '', name = '', namespace = '' } = resourceAttributes ?? {}
  if (resourceAttributes) {
    const fieldSelector = selectorOf(resourceAttributes).readable
    return { user, verb, group, resource, subresource, name, namespace, path: '', fieldSelector }
  }
  const { path = '', verb: method = '' } = nonResourceAttributes ?? {}
  return { user, verb: method, group: '', resource: '', subresource: '', name: '', namespace: '', path }
}

/**
 * The field selector as a query has it, without the requirements that no authorizer understands: what is left is a broader
 * question, never a narrower one.
 */
function selectorOf({ fieldSelector }: ResourceAttributes): { readable: string; isWhole: boolean } {
  const { rawSelector = '', requirements = [] } = fieldSelector ?? {}
  if (requirements.length === 0) return { readable: rawSelector, isWhole: isSelector(rawSelector) }
  const terms = requirements.flatMap(({ key, operator, values = [] }) => {
    const sign = operator === 'In' ? '=' : operator === 'NotIn' ? '!=' : undefined
    const [value, ...more] = values
    if (sign === undefined || value === undefined || more.length > 0) return []
    return [`${key}${sign}${value.replace(/[\\,=]/g, '\\$&')}`]
  })
  return { readable: terms.join(','), isWhole: terms.length === requirements.length }
}

function selectorError({ resourceAttributes }: Attributes): string | undefined {
  if (!resourceAttributes) return undefined
  const { readable, isWhole } = selectorOf(resourceAttributes)
  if (isWhole) return undefined
  const extent =
    resourceAttributes.fieldSelector?.requirements?.length && readable !== '' ? 'partially ignored' : 'ignored'
  return `spec.resourceAttributes.fieldSelector ${extent} due to parse error`
}

function isSelector(text: string): boolean {
  try {
    parseFieldSelector(text)
    return true
  } catch {
    return false
  }
}

/** Throws Invalid for a question that cannot be answered. */
function refuse<T extends { metadata: { name?: string } }>(
  review: T,
  { group, kind, validate }: Pick<Resource<T>, 'group' | 'kind' | 'validate'>,
  { user, nowMs }: ReviewContext,
): void {
  const faults = validate?.(review, undefined, { user, nowMs, subresource: '', dryRun: false }) ?? []
  if (faults.length > 0) throw invalidError({ group, kind }, review.metadata.name ?? '', faults)
}
