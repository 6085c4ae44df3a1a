import { createHmac } from 'node:crypto'
import type { Secret } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token'
const namePrefix = 'bootstrap-token-'
const signaturePrefix = 'jws-kubeconfig-'

const value = ({ data }: Live<Secret>, key: string): string => Buffer.from(data?.[key] ?? '', 'base64').toString()

/** When the token stops to count, in milliseconds since 1970; undefined: never. A time that cannot be read is past. */
export function expirationMs(secret: Live<Secret>): number | undefined {
  const text = value(secret, 'expiration')
  return text === '' ? undefined : (parseTime(text) ?? 0)
}

/** The signatures of the content, under their keys: one of each token that may sign and counts. */
function signaturesOf(content: string, secrets: readonly Live<Secret>[], nowMs: number): Record<string, string> {
  const signatures: Record<string, string> = {}
  for (const secret of secrets) {
    const id = value(secret, 'token-id')
    const key = value(secret, 'token-secret')
    const isMeant = value(secret, 'usage-bootstrap-signing') === 'true' && secret.metadata.name === `${namePrefix}${id}`
    if (id === '' || key === '' || !isMeant || (expirationMs(secret) ?? Number.POSITIVE_INFINITY) <= nowMs) continue
    signatures[`${signaturePrefix}${id}`] ??= detachedSignature(content, id, key)
  }
  return signatures
}

/** A JWS whose content is left out: the reader has it. */
export function detachedSignature(content: string, id: string, key: string): string {
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url')
  const signed = `${head}.${Buffer.from(content).toString('base64url')}`
  return `${head}..${createHmac('sha256', key).update(signed).digest('base64url')}`
}

/**
 * What `cluster-info` holds once it is signed by the tokens there are; undefined when it does already, or has nothing to
 * sign.
 */
export function signedData(
  data: Record<string, string> | undefined,
  secrets: readonly Live<Secret>[],
  nowMs: number,
): Record<string, string> | undefined {
  const content = data?.kubeconfig
  if (!data || content === undefined) return undefined
  const rest = Object.entries(data).filter(([key]) => !key.startsWith(signaturePrefix))
  const next: Record<string, string> = { ...Object.fromEntries(rest), ...signaturesOf(content, secrets, nowMs) }
  const keys = Object.keys(next)
  const isSame = keys.length === Object.keys(data).length && keys.every((key) => next[key] === data[key])
  return isSame ? undefined : next
}
