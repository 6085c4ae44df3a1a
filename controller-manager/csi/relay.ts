import { StatusError } from '../../api/machinery/errors.ts'
import { nodes } from '../../client/resources.ts'
import type { Api } from '../../client/types.ts'

/** A driver has refused. `code` is gRPC's name for why: RESOURCE_EXHAUSTED, NOT_FOUND; `why` is its own words. */
export class DriverError extends Error {
  override name = 'DriverError'
  readonly code: string
  readonly why: string

  constructor(code: string, why: string) {
    super(`rpc error: code = ${codeInWords(code)} desc = ${why}`)
    this.code = code
    this.why = why
  }
}

/** `ResourceExhausted`, as Go's programs write RESOURCE_EXHAUSTED. */
export const codeInWords = (code: string): string =>
  code.toLowerCase().replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase())

/** gRPC's codes of calls that may still be at work, or have been done without anybody hearing of it. */
const uncertain = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'ABORTED'])

/** Whether the call is over for certain, and nothing was done. One that has not reached its driver says nothing of those before. */
export const isFinal = (error: unknown): error is DriverError =>
  error instanceof DriverError && !uncertain.has(error.code)

/**
 * Calls the identity or controller service of a driver through the agent of a node where it is registered. Messages are
 * those of CSI in protobuf's JSON form. Throws a DriverError for what the driver refuses, a StatusError where it is not reached.
 */
export async function callDriver<A>(
  api: Api,
  { node, driver }: { node: string; driver: string },
  method: string,
  message: object,
  signal: AbortSignal,
): Promise<A> {
  try {
    return await api.post<A>(nodes, { name: node }, `proxy/csi/${encodeURIComponent(driver)}/${method}`, message, {
      signal,
    })
  } catch (error) {
    const [cause] = error instanceof StatusError ? (error.details?.causes ?? []) : []
    // gRPC's codes are written in capitals, which no reason of ours is.
    if (cause?.reason && /^[A-Z_]+$/.test(cause.reason)) throw new DriverError(cause.reason, cause.message ?? '')
    throw error
  }
}
