import type {
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
import { type FieldError, invalid } from '../../api/machinery/field-errors.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
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
  const decide = async (attributes: AuthorizationAttributes): Promise<SubjectAccessReviewStatus> => {
    const { allowed, reason, evaluationError } = await authorizer.authorize(attributes)
    return {
      allowed,
      ...(reason === '' ? {} : { reason }),
      ...(evaluationError === undefined ? {} : { evaluationError }),
    }
  }

  const subjectAccess = async (review: Stored<SubjectAccessReview>): Promise<AnyObject> => {
    const { user = '', uid, groups = [], extra } = review.spec
    const subject: UserInfo = { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
    return answer(review, await decide(attributesOf(subject, review.spec)))
  }

  const reviews: Record<string, (object: AnyObject, context: ReviewContext) => Promise<AnyObject>> = {
    'authorization.k8s.io/subjectaccessreviews': async (object) => {
      const review = object as unknown as Stored<SubjectAccessReview>
      refuse(review, 'SubjectAccessReview', subjectFaults(review))
      return subjectAccess(review)
    },
    'authorization.k8s.io/localsubjectaccessreviews': async (object, { namespace }) => {
      const review = object as unknown as Stored<SubjectAccessReview>
      review.metadata.namespace ??= namespace
      refuse(review, 'LocalSubjectAccessReview', [...subjectFaults(review), ...localFaults(review)])
      if (namespace === '') throw badRequestError('namespace is required on this type: ')
      if (namespace !== review.metadata.namespace) {
        throw badRequestError(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
      }
      return subjectAccess(review)
    },
    'authorization.k8s.io/selfsubjectaccessreviews': async (object, { user }) => {
      const review = object as unknown as Stored<SelfSubjectAccessReview>
      refuse(review, 'SelfSubjectAccessReview', attributesFaults(review.spec))
      return answer(review, await decide(attributesOf(user, review.spec)))
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
  if (resourceAttributes) return { user, verb, group, resource, subresource, name, namespace, path: '' }
  const { path = '', verb: method = '' } = nonResourceAttributes ?? {}
  return { user, verb: method, group: '', resource: '', subresource: '', name: '', namespace: '', path }
}

function attributesFaults({ resourceAttributes, nonResourceAttributes }: Attributes = {}): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const message = 'cannot be specified in combination with resourceAttributes'
    return [invalid('spec.nonResourceAttributes', nonResourceAttributes, message)]
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const message = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    return [invalid('spec.resourceAttributes', null, message)]
  }
  return []
}

function subjectFaults({ spec }: Stored<SubjectAccessReview>): FieldError[] {
  const isNobody = !spec?.user && !spec?.groups?.length
  return [
    ...attributesFaults(spec),
    ...(isNobody ? [invalid('spec.user', '', 'at least one of user or group must be specified')] : []),
  ]
}

function localFaults({ spec, metadata }: Stored<SubjectAccessReview>): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec
  const path = 'spec.resourceAttributes.namespace'
  return [
    ...(resourceAttributes && (resourceAttributes.namespace ?? '') !== (metadata.namespace ?? '')
      ? [invalid(path, resourceAttributes.namespace ?? '', 'must match metadata.namespace')]
      : []),
    ...(nonResourceAttributes
      ? [invalid('spec.nonResourceAttributes', nonResourceAttributes, 'disallowed on this kind of request')]
      : []),
  ]
}

function refuse(review: { metadata: { name?: string } }, kind: string, faults: readonly FieldError[]): void {
  if (faults.length > 0) throw invalidError({ group: 'authorization.k8s.io', kind }, review.metadata.name ?? '', faults)
}
