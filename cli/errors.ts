import { StatusError } from '../api/machinery/errors.ts'
import { Interrupted } from './io.ts'
import { grantHint } from './mistakes/forbidden.ts'

/** A failure whose message is for the user, as it stands after `error: `. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A refusal of the server, with what was being done at the time: `when creating "web.yaml"`. */
export class WhileDoing extends Error {
  readonly refusal: StatusError

  constructor(what: string, refusal: StatusError) {
    super(`error ${what}: ${refusal.message}`)
    this.refusal = refusal
  }
}

/** What kubectl would print of an error, ended by a newline, and the exit code. */
export function explain(error: unknown, server = ''): { text: string; code: number } {
  if (error instanceof CliError) return { text: `error: ${error.message}\n`, code: error.exitCode }
  if (error instanceof Interrupted) return { text: '', code: 130 }
  if (error instanceof WhileDoing) return { text: `${refusalText(error.refusal, error.message)}\n`, code: 1 }
  if (error instanceof StatusError) return { text: `${refusalText(error, error.message)}\n`, code: 1 }
  const text = networkText(error as NodeJS.ErrnoException, server)
  return { text: `${text ?? `error: ${error instanceof Error ? error.message : String(error)}`}\n`, code: 1 }
}

function refusalText({ reason, details }: StatusError, message: string): string {
  if (reason === 'Invalid' && details?.causes?.length) {
    const causes = details.causes.map(({ field, message: why }) => (field ? `${field}: ${why}` : why))
    const kind = details.group ? `${details.kind}.${details.group}` : details.kind
    const list = causes.length === 1 ? causes[0] : `\n* ${causes.join('\n* ')}`
    return `The ${kind?.split('.')[0]} ${JSON.stringify(details.name ?? '')} is invalid: ${list}`
  }
  if (reason === 'Unauthorized')
    return 'error: You must be logged in to the server (Unauthorized): the credentials of the kubeconfig are not (or no longer) known there'
  if (reason === '' || reason === 'Unknown') return `Error from server: ${message}`
  const hint = reason === 'Forbidden' ? grantHint(message).trimEnd() : ''
  return `Error from server (${reason}): ${message}${hint && `\n${hint}`}`
}

const certificateCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

function networkText(error: NodeJS.ErrnoException, server: string): string | undefined {
  const host = server.replace(/^https?:\/\//, '')
  switch (error.code) {
    case 'ECONNREFUSED':
      return `The connection to the server ${host} was refused - did you specify the right host or port?\nIs the cluster running? \`gantry status\` shows it, \`gantry up\` starts one.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'ECONNRESET':
      return `Unable to connect to the server: ${error.message}`
  }
  if (certificateCodes.has(error.code ?? ''))
    return `Unable to connect to the server: tls: ${error.message}. The kubeconfig is of another cluster, or of this one before it was made anew: take the one in its data directory`
  return undefined
}
