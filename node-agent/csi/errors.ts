/** The codes of gRPC, in the order of their numbers. */
export const grpcCodes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

export type GrpcCode = (typeof grpcCodes)[number]

/** Why a driver refused, or could not be asked. `why` is its own words; the message is how upstream passes them on. */
export class CsiError extends Error {
  readonly code: GrpcCode
  readonly why: string

  constructor(code: GrpcCode, why: string) {
    super(`rpc error: code = ${inWords(code)} desc = ${why}`)
    this.name = 'CsiError'
    this.code = code
    this.why = why
  }
}

/** `DeadlineExceeded`, as Go's programs write DEADLINE_EXCEEDED. */
const inWords = (code: GrpcCode): string =>
  code === 'OK' ? code : code.toLowerCase().replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase())
