import type { Resource } from '../machinery/resource.ts'
import {
  defaultTokenRequest,
  selfSubjectReviews,
  tokenRequestSchema,
  tokenReviews,
  validateTokenRequest,
} from './reviews.ts'

export { defaultTokenRequest, selfSubjectReviews, tokenRequestSchema, tokenReviews, validateTokenRequest }
export const authenticationResources: readonly Resource[] = [selfSubjectReviews, tokenReviews]
