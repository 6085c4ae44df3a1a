import type { Status } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'

/** The refusal that a Status tells of; without one, the answer's code and text. */
export function errorOf(status: Status | undefined, code: number, text = ''): StatusError {
  if (!status) return new StatusError(code, 'Unknown', text.slice(0, 1000) || `the server answered ${code}`)
  return new StatusError(status.code ?? code, status.reason ?? 'Unknown', status.message ?? '', status.details)
}
