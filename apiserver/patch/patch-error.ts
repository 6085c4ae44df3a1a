import { StatusError } from '../../api/machinery/errors.ts'

/** 422: the patch is well formed but does not apply. `cause` says why; the message is the one upstream always gives. */
export const rejectedPatch = (cause: string): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {
    causes: [{ message: cause }],
  })

/** 500 without a reason: how upstream answers a fault it has no class for. kubectl prints the message alone. */
export const unclassifiedError = (message: string): StatusError => new StatusError(500, '', message)
