import type { Status, StatusCause, StatusDetails } from '../generated/types.ts'
import { type FieldError, formatFieldError } from './field-errors.ts'

/** What a resource is called in messages: `deployments.apps "web" not found`. */
export interface GroupResource {
  group: string
  resource: string
}

export const qualifiedName = ({ group, resource }: GroupResource): string =>
  group === '' ? resource : `${resource}.${group}`

/** An error that reaches the client as a `Status` object with upstream's code, reason and details. */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'StatusError'
    this.code = code
    this.reason = reason
    this.details = details
  }

  /** The Status body, as upstream writes it. */
  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    }
  }
}

const about = (of: GroupResource, name: string, more?: Partial<StatusDetails>): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(of.group === '' ? {} : { group: of.group }),
  ...(of.resource === '' ? {} : { kind: of.resource }),
  ...more,
})

export const notFoundError = (of: GroupResource, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualifiedName(of)} ${JSON.stringify(name)} not found`, about(of, name))

export const alreadyExistsError = (of: GroupResource, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${qualifiedName(of)} ${JSON.stringify(name)} already exists`, about(of, name))

export const conflictError = (of: GroupResource, name: string, why: string, causes?: StatusCause[]): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedName(of)} ${JSON.stringify(name)}: ${why}`,
    about(of, name, causes ? { causes } : {}),
  )

/** The message of a write that named an old version. */
export const modifiedMessage =
  'the object has been modified; please apply your changes to the latest version and try again'

export const forbiddenError = (of: GroupResource, name: string, why: string): StatusError => {
  const subject =
    of.resource === ''
      ? `forbidden: ${why}`
      : name === ''
        ? `${qualifiedName(of)} is forbidden: ${why}`
        : `${qualifiedName(of)} ${JSON.stringify(name)} is forbidden: ${why}`
  return new StatusError(403, 'Forbidden', subject, about(of, name))
}

export const unauthorizedError = (message = 'Unauthorized'): StatusError =>
  new StatusError(401, 'Unauthorized', message)

/** `kind` is the kind and group, as upstream prints them: `Deployment.apps "web" is invalid: …`. */
export function invalidError(
  of: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const lines = [...new Set(errors.map(formatFieldError))]
  const text = lines.length === 1 ? (lines[0] as string) : `[${lines.join(', ')}]`
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`
  return new StatusError(422, 'Invalid', `${kind} ${JSON.stringify(name)} is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    kind: of.kind,
    causes: errors.map((error) => ({ reason: error.type, message: error.message, field: error.field })),
  })
}

export const badRequestError = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

/** The version asked for is no longer kept. */
export const expiredError = (message: string): StatusError => new StatusError(410, 'Expired', message)
export const goneError = (message: string): StatusError => new StatusError(410, 'Gone', message)

export const methodNotSupportedError = (of: GroupResource, action: string): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind ${JSON.stringify(qualifiedName(of))}`,
    about(of, ''),
  )

/** The path is served, but not with this method. */
export const methodNotAllowedError = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')

export const tooManyRequestsError = (message: string, retryAfterSeconds: number): StatusError =>
  new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds })

export const timeoutError = (message: string, retryAfterSeconds = 0): StatusError =>
  new StatusError(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds })

/** The server is there but a part it needs is not; the client should try again. */
export const unavailableError = (message: string): StatusError =>
  new StatusError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 })

export const tooLargeError = (message: string): StatusError => new StatusError(413, 'RequestEntityTooLarge', message)

export const unsupportedMediaTypeError = (message: string): StatusError =>
  new StatusError(415, 'UnsupportedMediaType', message)

export const notAcceptableError = (message: string): StatusError => new StatusError(406, 'NotAcceptable', message)

export const internalServerError = (message: string): StatusError =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })

/** The path names nothing this server has. */
export const noSuchPathError = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource')
