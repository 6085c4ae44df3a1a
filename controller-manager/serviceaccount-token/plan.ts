import type { Secret, ServiceAccount } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

export const tokenSecretType = 'kubernetes.io/service-account-token'
export const accountNameAnnotation = 'kubernetes.io/service-account.name'
export const accountUidAnnotation = 'kubernetes.io/service-account.uid'

/** What becomes of a secret that is to hold a token. */
export type TokenPlan =
  | { do: 'keep' }
  /** Its account is not there. */
  | { do: 'delete' }
  /** What it lacks is written into it; a token, if `sign`. */
  | { do: 'fill'; secret: Live<Secret>; sign: boolean }

/** Decides on a secret from its account, undefined where there is none of that name and uid. */
export function planToken(secret: Live<Secret>, account: Live<ServiceAccount> | undefined, rootCa: string): TokenPlan {
  if (!account) return { do: 'delete' }
  const data = secret.data ?? {}
  const { name, uid = '' } = account.metadata
  const ca = base64(rootCa)
  const filled: Record<string, string> = {
    ...data,
    ...(rootCa === '' ? {} : { 'ca.crt': ca }),
    namespace: data.namespace || base64(secret.metadata.namespace ?? ''),
  }
  const sign = !data.token
  const isComplete = !sign && filled.namespace === data.namespace && filled['ca.crt'] === data['ca.crt']
  if (isComplete) return { do: 'keep' }
  const annotations = {
    ...secret.metadata.annotations,
    [accountNameAnnotation]: name,
    [accountUidAnnotation]: uid,
  }
  return { do: 'fill', secret: { ...secret, metadata: { ...secret.metadata, annotations }, data: filled }, sign }
}

/** Whether the secret holds a token of the account. */
export function isTokenOf({ type, metadata }: Live<Secret>, account: { name: string; uid: string }): boolean {
  const { [accountNameAnnotation]: name, [accountUidAnnotation]: uid } = metadata.annotations ?? {}
  return type === tokenSecretType && name === account.name && (!uid || uid === account.uid)
}

/** Bytes of a secret are base64 on the wire. */
export const base64 = (text: string): string => Buffer.from(text).toString('base64')
