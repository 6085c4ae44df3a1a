import { unauthorizedError } from '../../api/machinery/errors.ts'
import { anonymousUser, authenticatedGroup, unauthenticatedGroup } from './groups.ts'
import { Lru } from './lru.ts'
import type { Authenticator, Credentials, UserInfo } from './types.ts'

/** A user known by a token, and which of the audiences asked for the token is good for. */
export interface TokenAnswer {
  user: UserInfo
  audiences: readonly string[]
}

/** One kind of bearer token. Undefined: not a token of this kind. Throws an Error for one of its kind that is wrong. */
export interface TokenAuthenticator {
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): TokenAnswer | undefined | Promise<TokenAnswer | undefined>
}

export interface AuthenticatorOptions {
  /** Kinds of tokens, asked in order. */
  tokens: readonly TokenAuthenticator[]
  /** A token must be meant for one of them. */
  apiAudiences: readonly string[]
  /** Requests without credentials are let in as system:anonymous. */
  anonymous: boolean
}

const rememberedCertificates = 4096
const anonymous: UserInfo = { name: anonymousUser, groups: [unauthenticatedGroup] }

/** What TokenReview needs besides: an answer that says why not. */
export interface RequestAuthenticator extends Authenticator {
  /** Throws an Error that says what is wrong with the token. */
  authenticateToken(token: string, audiences: readonly string[]): Promise<TokenAnswer>
}

/**
 * A certificate first, then a token, then nobody. A wrong token is refused even where anonymous requests are let in, so
 * that its bearer learns of it.
 */
export function createAuthenticator({
  tokens,
  apiAudiences,
  anonymous: letAnyoneIn,
}: AuthenticatorOptions): RequestAuthenticator {
  const byCertificate = new Lru<string, UserInfo>(rememberedCertificates)
  const authenticateToken = async (token: string, audiences: readonly string[]): Promise<TokenAnswer> => {
    let fault: string | undefined
    for (const authenticator of tokens) {
      try {
        const answer = await authenticator.authenticateToken(token, audiences)
        if (answer) return answer
      } catch (error) {
        fault = (error as Error).message
      }
    }
    throw new Error(fault === undefined ? 'invalid bearer token' : `[invalid bearer token, ${fault}]`)
  }
  const byToken = async (token: string): Promise<UserInfo> => {
    try {
      return (await authenticateToken(token, apiAudiences)).user
    } catch {
      // Why is not told to whoever may be guessing.
      throw unauthorizedError()
    }
  }
  return {
    authenticateToken,
    authenticate({ certificate, bearerToken }: Credentials) {
      if (certificate && certificate.commonName !== '') {
        let user = byCertificate.get(certificate.fingerprint256)
        if (!user) {
          user = userOfCertificate(certificate)
          byCertificate.set(certificate.fingerprint256, user)
        }
        return user
      }
      if (bearerToken !== undefined && bearerToken !== '') return byToken(bearerToken)
      return letAnyoneIn ? anonymous : undefined
    },
  }
}

function userOfCertificate(certificate: NonNullable<Credentials['certificate']>): UserInfo {
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  return authenticated({
    name: certificate.commonName,
    groups: certificate.organizations,
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  })
}

/** Adds the group of all who have proved who they are. */
export function authenticated(user: UserInfo): UserInfo {
  const { name, groups } = user
  if (name === anonymousUser || groups.includes(authenticatedGroup) || groups.includes(unauthenticatedGroup))
    return user
  return { ...user, groups: [...groups, authenticatedGroup] }
}
