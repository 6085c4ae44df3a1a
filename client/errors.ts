import { StatusError } from '../api/machinery/errors.ts'

const codeOf = (error: unknown) => (error instanceof StatusError ? error.code : 0)
const reasonOf = (error: unknown) => (error instanceof StatusError ? error.reason : '')

export const isNotFound = (error: unknown): boolean => codeOf(error) === 404
/** The version that was written over is not the one that stands, or the object is not the one that was meant. */
export const isConflict = (error: unknown): boolean => codeOf(error) === 409 && reasonOf(error) !== 'AlreadyExists'
export const isAlreadyExists = (error: unknown): boolean => reasonOf(error) === 'AlreadyExists'
/** The version asked for is no longer kept. */
export const isGone = (error: unknown): boolean => codeOf(error) === 410
export const isInvalid = (error: unknown): boolean => codeOf(error) === 422
export const isForbidden = (error: unknown): boolean => codeOf(error) === 403
export const isTooManyRequests = (error: unknown): boolean => codeOf(error) === 429
/** The namespace is being deleted: nothing more can be made in it. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  error.code === 403 &&
  (error.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')

const network = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** Nobody answers there, or only to say that they cannot now: trying again later may help. */
export const isServerDown = (error: unknown): boolean =>
  [500, 502, 503, 504].includes(codeOf(error)) || network.has((error as NodeJS.ErrnoException)?.code ?? '')
