import { randomUUID } from 'node:crypto'
import { type SigningKey, signClaims } from '../../../api/authentication/signing-keys.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { serviceAccountUser } from '../groups.ts'
import type { ServiceAccountClaims } from './service-account.ts'

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
}

export function createTokenIssuer(key: SigningKey, issuer: string): TokenIssuer {
  return { issueServiceAccountToken: (issue) => signClaims(key, claimsOf(issue, issuer)) }
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
