import type { KubeObject } from '../machinery/object.ts'

/** Who issues tokens that are kept in secrets. */
export const legacyIssuer = 'kubernetes/serviceaccount'

/** When a token kept in a secret was last used, and since when it counts no more: labels of the secret, as dates. */
export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'

/** Since when uses are recorded: in a config map of kube-system, under the key `since`. */
export const tokenTrackingMap = 'kube-apiserver-legacy-service-account-token-tracking'

/** What a token says that lasts as long as the secret it is kept in. */
export interface LegacyClaims {
  iss: string
  sub: string
  'kubernetes.io/serviceaccount/namespace': string
  'kubernetes.io/serviceaccount/secret.name': string
  'kubernetes.io/serviceaccount/service-account.name': string
  'kubernetes.io/serviceaccount/service-account.uid': string
}

export function legacyTokenClaims({ metadata }: KubeObject, secret: KubeObject): LegacyClaims {
  const { namespace = '', name = '', uid = '' } = metadata
  return {
    iss: legacyIssuer,
    sub: `system:serviceaccount:${namespace}:${name}`,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secret.metadata.name ?? '',
    'kubernetes.io/serviceaccount/service-account.name': name,
    'kubernetes.io/serviceaccount/service-account.uid': uid,
  }
}
