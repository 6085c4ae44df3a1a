import { createHash } from 'node:crypto'
import {
  invalidSinceLabel,
  type LegacyClaims,
  lastUsedLabel,
  legacyIssuer,
} from '../../../api/authentication/legacy-token.ts'
import type { VerificationKey } from '../../../api/authentication/signing-keys.ts'
import type { Secret } from '../../../api/generated/types.ts'
import { StatusError } from '../../../api/machinery/errors.ts'
import type { KubeObject, Stored } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import { formatTime } from '../../../api/machinery/time.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { authenticated, type TokenAuthenticator } from '../authenticator.ts'
import { serviceAccountGroups, serviceAccountUser } from '../groups.ts'
import { Lru } from '../lru.ts'
import type { UserInfo } from '../types.ts'
import { sameSecret } from './same-secret.ts'

interface Reference {
  name: string
  uid: string
}

/** What a token says, as upstream lays it out. */
export interface ServiceAccountClaims extends Partial<LegacyClaims> {
  iss: string
  sub: string
  aud?: string | string[]
  exp?: number
  nbf?: number
  iat?: number
  jti?: string
  'kubernetes.io'?: {
    namespace: string
    serviceaccount: Reference
    pod?: Reference
    node?: { name: string; uid?: string }
    secret?: Reference
    warnafter?: number
  }
}

export interface ServiceAccountTokenOptions {
  client: ServerClient
  lookup: (group: string, plural: string) => Resource
  keys: readonly VerificationKey[]
  /** The first one issues; tokens of the others are still good. */
  issuers: readonly string[]
  apiAudiences: readonly string[]
  now: () => number
}

const dayMs = 24 * 60 * 60 * 1000
const rememberedTokens = 10_000
/** Clocks differ a little. */
const leewayMs = 60_000

/**
 * Tokens of service accounts. A signature is checked once for each token; that the account and what the token is bound
 * to still exist is checked for every request.
 */
export function createServiceAccountAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  const { keys, issuers, apiAudiences, now } = options
  const verified = new Lru<string, Promise<{ claims: ServiceAccountClaims; user: UserInfo }>>(rememberedTokens)
  const check = createBindingCheck(options)
  const verify = (token: string) => {
    const digest = createHash('sha256').update(token).digest('base64url')
    let pending = verified.get(digest)
    if (!pending) {
      pending = verifySignature(token, keys).then((claims) => ({ claims, user: userOf(claims) }))
      verified.set(digest, pending)
      // What is wrong is not remembered: it would push out what is right.
      pending.catch(() => verified.delete(digest))
    }
    return pending
  }
  return {
    async authenticateToken(token, wanted) {
      const issuer = unverifiedIssuer(token)
      if (issuer === undefined || (issuer !== legacyIssuer && !issuers.includes(issuer))) return undefined
      const { claims, user } = await verify(token)
      const audiences = claims.aud === undefined ? apiAudiences : [claims.aud].flat()
      const common = audiences.filter((audience) => wanted.includes(audience))
      if (common.length === 0) {
        throw new Error(`token audiences ${list(audiences)} is invalid for the target audiences ${list(wanted)}`)
      }
      checkTimes(claims, now())
      await check(claims, token)
      return { user, audiences: common }
    },
  }
}

const list = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`

/** Read before anything is verified, only to tell whose token this is. */
function unverifiedIssuer(token: string): string | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString())
    const issuer = (claims as { iss?: unknown } | null)?.iss
    return typeof issuer === 'string' ? issuer : undefined
  } catch {
    return undefined
  }
}

async function verifySignature(token: string, keys: readonly VerificationKey[]): Promise<ServiceAccountClaims> {
  // Loaded with the first token: it takes a while, and the start has no need of it.
  const { compactVerify, decodeProtectedHeader } = await import('jose')
  const { kid } = decodeProtectedHeader(token)
  const candidates = kid === undefined ? keys : keys.filter(({ keyId }) => keyId === kid)
  if (candidates.length === 0) throw new Error('invalid signature, no keys found')
  let fault: unknown
  for (const { key, algorithm } of candidates) {
    try {
      const { payload } = await compactVerify(token, key, { algorithms: [algorithm] })
      return JSON.parse(Buffer.from(payload).toString()) as ServiceAccountClaims
    } catch (error) {
      fault = error
    }
  }
  throw fault
}

function checkTimes({ exp, nbf, iat }: ServiceAccountClaims, nowMs: number): void {
  if (nbf !== undefined && nowMs + leewayMs < nbf * 1000) throw new Error('service account token is not valid yet')
  if (exp !== undefined && nowMs - leewayMs > exp * 1000) throw new Error('service account token has expired')
  if (iat !== undefined && nowMs + leewayMs < iat * 1000) {
    throw new Error('service account token is issued in the future')
  }
}

function userOf(claims: ServiceAccountClaims): UserInfo {
  const own = claims['kubernetes.io']
  const namespace = own?.namespace ?? claims['kubernetes.io/serviceaccount/namespace'] ?? ''
  const name = own?.serviceaccount.name ?? claims['kubernetes.io/serviceaccount/service-account.name'] ?? ''
  const uid = own?.serviceaccount.uid ?? claims['kubernetes.io/serviceaccount/service-account.uid'] ?? ''
  const extra: Record<string, string[]> = {}
  const note = (key: string, value: string | undefined) => {
    if (value) extra[`authentication.kubernetes.io/${key}`] = [value]
  }
  note('pod-name', own?.pod?.name)
  note('pod-uid', own?.pod?.uid)
  note('credential-id', claims.jti === undefined || own === undefined ? undefined : `JTI=${claims.jti}`)
  note('node-name', own?.node?.name)
  note('node-uid', own?.node?.uid)
  return authenticated({
    name: serviceAccountUser(namespace, name),
    uid,
    groups: serviceAccountGroups(namespace),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  })
}

/** Makes the check that what a token names is still there, and still the same. */
function createBindingCheck({ client, lookup, now }: ServiceAccountTokenOptions) {
  const serviceAccounts = lookup('', 'serviceaccounts')
  const secrets = lookup('', 'secrets')
  const pods = lookup('', 'pods')
  const nodes = lookup('', 'nodes')

  /** The cache may not have seen it yet, or still hold its namesake. */
  const find = async (
    resource: Resource,
    namespace: string,
    { name, uid }: Reference,
  ): Promise<KubeObject | undefined> => {
    const cached = client.cached<KubeObject>(resource, namespace, name)
    return cached?.metadata.uid === uid ? cached : client.get<KubeObject>(resource, namespace, name)
  }
  const isDeleted = ({ metadata }: KubeObject) =>
    metadata.deletionTimestamp !== undefined && Date.parse(metadata.deletionTimestamp) < now() - leewayMs
  const checkBound = async (
    resource: Resource,
    namespace: string,
    reference: Reference,
    title: string,
    in_: string,
  ) => {
    const object = await find(resource, namespace, reference)
    if (!object) throw new Error('service account token has been invalidated')
    if (object.metadata.uid !== reference.uid) {
      throw new Error(
        `${title} UID (${object.metadata.uid}) does not match service account ${in_} ref claim (${reference.uid})`,
      )
    }
    if (isDeleted(object)) throw new Error('service account token has been invalidated')
  }

  return async (claims: ServiceAccountClaims, token: string): Promise<void> => {
    const own = claims['kubernetes.io']
    if (!own) return checkLegacy(claims, token)
    const { namespace, serviceaccount, pod, node, secret } = own
    const account = await find(serviceAccounts, namespace, serviceaccount)
    if (!account) throw new Error(`serviceaccounts ${JSON.stringify(serviceaccount.name)} not found`)
    if (account.metadata.uid !== serviceaccount.uid) {
      throw new Error(`service account UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`)
    }
    if (isDeleted(account)) throw new Error(`service account ${namespace}/${serviceaccount.name} has been deleted`)
    if (secret) await checkBound(secrets, namespace, secret, 'secret', 'secret')
    if (pod) await checkBound(pods, namespace, pod, 'pod', 'pod')
    else if (node) await checkBound(nodes, '', { name: node.name, uid: node.uid ?? '' }, 'node', 'node')
  }

  /** Tokens kept in secrets, which never expire: good as long as the secret holds them. */
  async function checkLegacy(claims: ServiceAccountClaims, token: string): Promise<void> {
    const namespace = claims['kubernetes.io/serviceaccount/namespace'] ?? ''
    const secretName = claims['kubernetes.io/serviceaccount/secret.name'] ?? ''
    const name = claims['kubernetes.io/serviceaccount/service-account.name'] ?? ''
    const uid = claims['kubernetes.io/serviceaccount/service-account.uid'] ?? ''
    if (namespace === '') throw new Error('namespace claim is missing')
    if (secretName === '') throw new Error('secretName claim is missing')
    if (name === '') throw new Error('serviceAccountName claim is missing')
    if (uid === '') throw new Error('serviceAccountUID claim is missing')
    if (claims.sub !== serviceAccountUser(namespace, name)) throw new Error('sub claim is invalid')
    const secret =
      client.cached<Stored<Secret>>(secrets, namespace, secretName) ??
      (await client.get<Stored<Secret>>(secrets, namespace, secretName))
    if (!secret || secret.metadata.deletionTimestamp) throw new Error('Token has been invalidated')
    const kept = Buffer.from(secret.data?.token ?? '', 'base64').toString()
    if (!sameSecret(kept, token)) throw new Error("Token does not match server's copy")
    const account = await find(serviceAccounts, namespace, { name, uid })
    if (!account) throw new Error(`serviceaccounts ${JSON.stringify(name)} not found`)
    if (account.metadata.deletionTimestamp) throw new Error(`ServiceAccount ${namespace}/${name} has been deleted`)
    if (account.metadata.uid !== uid) {
      throw new Error(`ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`)
    }
    if (secret.metadata.labels?.[invalidSinceLabel]) {
      throw new Error(
        `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token`,
      )
    }
    await recordUse(secret)
  }

  /** Once a day: a controller takes away what nobody uses. */
  async function recordUse({ metadata }: Stored<Secret>): Promise<void> {
    const today = formatTime(now()).slice(0, 10)
    const lastUsed = metadata.labels?.[lastUsedLabel]
    // A day more or less does not matter, and servers need not agree on when it begins.
    if (lastUsed !== undefined && Date.parse(lastUsed) >= Date.parse(today) - dayMs) return
    try {
      await client.update<Stored<Secret>>(secrets, metadata.namespace ?? '', metadata.name ?? '', (standing) => ({
        ...standing,
        metadata: { ...standing.metadata, labels: { ...standing.metadata.labels, [lastUsedLabel]: today } },
      }))
    } catch (error) {
      // Gone or changed by others meanwhile: the next use is recorded.
      if (!(error instanceof StatusError)) throw error
    }
  }
}
