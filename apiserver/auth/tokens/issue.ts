import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { serviceAccountUser } from '../groups.ts'
import type { ServiceAccountClaims } from './service-account.ts'
import { legacyIssuer } from './service-account.ts'
import type { SigningKey } from './signing-keys.ts'

/** What a token dies with. A pod's node is named for information. */
export type BoundObject =
  | { kind: 'Pod'; object: KubeObject; node?: { name: string; uid?: string } }
  | { kind: 'Node' | 'Secret'; object: KubeObject }

export interface TokenIssue {
  serviceAccount: KubeObject
  audiences: readonly string[]
  expirationSeconds: number
  boundObject?: BoundObject
  /** The token works longer than the client was told; from then on its use is a warning sign. */
  warnAfterSeconds?: number
  nowMs: number
}

export interface TokenIssuer {
  /** A signed token of a service account. */
  issueServiceAccountToken(issue: TokenIssue): Promise<string>
  /** A token that lasts as long as the secret it is kept in. */
  issueLegacyToken(serviceAccount: KubeObject, secret: KubeObject): Promise<string>
}

export function createTokenIssuer(key: SigningKey, issuer: string): TokenIssuer {
  const sign = async (claims: ServiceAccountClaims): Promise<string> => {
    // Loaded with the first token: it takes a while, and the start has no need of it.
    const { CompactSign } = await import('jose')
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: key.algorithm, kid: key.keyId })
      .sign(key.privateKey)
  }
  return {
    issueServiceAccountToken: (issue) => sign(claimsOf(issue, issuer)),
    issueLegacyToken({ metadata }, secret) {
      const { namespace = '', name = '', uid = '' } = metadata
      return sign({
        iss: legacyIssuer,
        sub: serviceAccountUser(namespace, name),
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secret.metadata.name ?? '',
        'kubernetes.io/serviceaccount/service-account.name': name,
        'kubernetes.io/serviceaccount/service-account.uid': uid,
      })
    },
  }
}

function claimsOf(issue: TokenIssue, issuer: string): ServiceAccountClaims {
  const { serviceAccount, audiences, expirationSeconds, boundObject, warnAfterSeconds, nowMs } = issue
  const now = Math.floor(nowMs / 1000)
  const { namespace = '', name = '' } = serviceAccount.metadata
  const reference = ({ metadata }: KubeObject) => ({ name: metadata.name ?? '', uid: metadata.uid ?? '' })
  return {
    aud: [...audiences],
    exp: now + expirationSeconds,
    iat: now,
    iss: issuer,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      ...(boundObject?.kind === 'Node' ? { node: reference(boundObject.object) } : {}),
      ...(boundObject?.kind === 'Pod' && boundObject.node ? { node: boundObject.node } : {}),
      ...(boundObject?.kind === 'Pod' ? { pod: reference(boundObject.object) } : {}),
      ...(boundObject?.kind === 'Secret' ? { secret: reference(boundObject.object) } : {}),
      serviceaccount: reference(serviceAccount),
      ...(warnAfterSeconds === undefined ? {} : { warnafter: now + warnAfterSeconds }),
    },
    nbf: now,
    sub: serviceAccountUser(namespace, name),
  }
}
