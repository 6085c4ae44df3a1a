import type { AuthenticationV1TokenRequest, SelfSubjectReview, TokenReview } from '../generated/types.ts'
import { type FieldError, invalid } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** Questions to the server: created, answered in the response, never stored. */
export const tokenReviews = defineResource<Stored<TokenReview>>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  verbs: ['create'],
  schema: builtinSchema('io.k8s.api.authentication.v1.TokenReview'),
})

/** Who am I? */
export const selfSubjectReviews = defineResource<Stored<SelfSubjectReview>>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
  verbs: ['create'],
  schema: builtinSchema('io.k8s.api.authentication.v1.SelfSubjectReview'),
})

type TokenRequest = Stored<AuthenticationV1TokenRequest>

/** Body of serviceaccounts/token. */
export const tokenRequestSchema = builtinSchema('io.k8s.api.authentication.v1.TokenRequest')

const defaultTokenSeconds = 3600
const minTokenSeconds = 600
const maxTokenSeconds = 2 ** 32

/** A token is good for an hour unless asked otherwise. */
export function defaultTokenRequest(request: TokenRequest): void {
  request.spec ??= { audiences: [] }
  request.spec.expirationSeconds ??= defaultTokenSeconds
}

/** Faults of a request for a token. */
export function validateTokenRequest({ spec }: TokenRequest): FieldError[] {
  const seconds = spec?.expirationSeconds ?? 0
  const path = 'spec.expirationSeconds'
  if (seconds < minTokenSeconds) return [invalid(path, seconds, 'may not specify a duration less than 10 minutes')]
  return seconds > maxTokenSeconds
    ? [invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds')]
    : []
}
