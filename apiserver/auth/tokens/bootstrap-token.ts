import type { Secret } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { authenticated, type TokenAuthenticator } from '../authenticator.ts'
import { sameSecret } from './same-secret.ts'

const tokenForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const everyBootstrapper = 'system:bootstrappers'

/**
 * Tokens by which new nodes ask for their first certificate: `id.secret`, kept in secrets `bootstrap-token-ID` of
 * kube-system. One that has expired or is not meant for authentication is nobody's.
 */
export function createBootstrapTokenAuthenticator(
  client: ServerClient,
  secrets: Resource,
  now: () => number,
): TokenAuthenticator {
  return {
    authenticateToken(token, audiences) {
      const [, id, tokenSecret] = token.match(tokenForm) ?? []
      if (id === undefined || tokenSecret === undefined) return undefined
      const secret = client.cached<Stored<Secret>>(secrets, 'kube-system', `bootstrap-token-${id}`)
      if (!secret || secret.metadata.deletionTimestamp || secret.type !== 'bootstrap.kubernetes.io/token') {
        return undefined
      }
      const value = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString()
      if (!sameSecret(value('token-secret'), tokenSecret) || value('token-id') !== id) return undefined
      if (value('usage-bootstrap-authentication') !== 'true' || hasExpired(value('expiration'), now())) return undefined
      const extra = value('auth-extra-groups')
      const groups = extra === '' ? [] : extra.split(',')
      if (!groups.every((group) => groupForm.test(group))) return undefined
      const user = { name: `system:bootstrap:${id}`, groups: [...new Set([everyBootstrapper, ...groups])].sort() }
      return { user: authenticated(user), audiences }
    },
  }
}

/** A time that cannot be read counts as past. */
function hasExpired(expiration: string, nowMs: number): boolean {
  if (expiration === '') return false
  const at = Date.parse(expiration)
  return Number.isNaN(at) || at <= nowMs
}
