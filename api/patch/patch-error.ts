import { badRequestError, StatusError } from '../machinery/errors.ts'

/** 422: the patch is well formed but does not apply. `cause` says why; the message is the one upstream always gives. */
export const rejectedPatch = (cause: string): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {
    causes: [{ message: cause }],
  })

/**
 * 400: the patch means nothing for an object of this type. Upstream answers 500 with the same message, having no class
 * for it; but the fault is the client's, and trying again will not help.
 */
export const unclassifiedError = (message: string): StatusError => badRequestError(message)
