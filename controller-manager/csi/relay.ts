import { StatusError } from '../../api/machinery/errors.ts'
import { nodes } from '../../client/resources.ts'
import type { Api } from '../../client/types.ts'

/** A driver has refused. `code` is gRPC's name for why: RESOURCE_EXHAUSTED, NOT_FOUND. */
export class DriverError extends Error {
  override name = 'DriverError'
  readonly code: string

  constructor(code: string, why: string) {
    super(`rpc error: code = ${code} desc = ${why}`)
    this.code = code
  }
}

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
