import type { Pod, TokenRequestSpec } from '../../../api/generated/types.ts'
import { badRequestError, conflictError, invalidError, notFoundError } from '../../../api/machinery/errors.ts'
import { type FieldError, invalid } from '../../../api/machinery/field-errors.ts'
import { type KubeObject, parseApiVersion, type Stored } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'
import type { BoundObject, TokenIssuer } from './issue.ts'

export interface TokenRequestObject extends KubeObject {
  spec?: Partial<TokenRequestSpec>
  status?: { token: string; expirationTimestamp: string }
}

export interface TokenRequestOptions {
  client: ServerClient
  lookup: (group: string, plural: string) => Resource
  issuer: TokenIssuer
  apiAudiences: readonly string[]
  /** Longest life of a token in seconds; 0: no limit of our own. */
  maxExpirationSeconds?: number
}

export interface TokenRequestContext {
  namespace: string
  /** Of the service account. */
  name: string
  nowMs: number
  warn: (message: string) => void
  /** Called with the request as it will be answered: the place of validating admission. */
  validate?: (request: TokenRequestObject) => Promise<void>
}

/** Upstream's limits of a token's life. */
const minSeconds = 600
const maxSeconds = 2 ** 32
const defaultSeconds = 3600
/**
 * Pods are given tokens that say an hour; clients that never read the file again keep working for a year, and can be
 * found by the warning time in their tokens.
 */
const extendableSeconds = 3607
const extendedSeconds = 365 * 24 * 60 * 60

const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' }

/** Answers POST …/serviceaccounts/NAME/token. Throws StatusErrors in upstream's words. */
export async function requestToken(
  request: TokenRequestObject,
  { client, lookup, issuer, apiAudiences, maxExpirationSeconds = 0 }: TokenRequestOptions,
  { namespace, name, nowMs, warn, validate }: TokenRequestContext,
): Promise<TokenRequestObject> {
  const misnamed = (field: 'name' | 'namespace', value: string) =>
    invalidError(kind, name, [
      invalid(`metadata.${field}`, value, `must match the service account ${field} if specified`),
    ])
  const { metadata } = request
  if (metadata.name && metadata.name !== name) throw misnamed('name', metadata.name)
  if (metadata.namespace && metadata.namespace !== namespace) throw misnamed('namespace', metadata.namespace)

  const read = async <T extends KubeObject>(plural: string, at: string, wanted: string): Promise<T> => {
    const object = await client.get<T>(lookup('', plural), at, wanted)
    if (!object) throw notFoundError({ group: '', resource: plural }, wanted)
    return object
  }
  const serviceAccount = await read<KubeObject>('serviceaccounts', namespace, name)
  const { uid = '' } = serviceAccount.metadata
  if (metadata.uid && metadata.uid !== uid) {
    throw conflictError(
      { group: kind.group, resource: kind.kind },
      name,
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
    )
  }
  const spec = {
    ...request.spec,
    audiences: request.spec?.audiences?.length ? request.spec.audiences : [...apiAudiences],
    expirationSeconds: request.spec?.expirationSeconds ?? defaultSeconds,
  }
  const answer: TokenRequestObject = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: kind.kind,
    metadata: { ...metadata, name, namespace, uid, creationTimestamp: timestamp(nowMs) },
    spec,
  }
  const errors = validateExpiration(spec.expirationSeconds)
  if (errors.length > 0) throw invalidError(kind, '', errors)
  // Admission sees what was asked for: a node may ask for the audience a pod leaves out, which is no other by name.
  await validate?.({ ...answer, spec: { ...spec, audiences: request.spec?.audiences ?? [] } })

  const boundObject = spec.boundObjectRef
    ? await findBound(spec.boundObjectRef, name, namespace, read, client, lookup)
    : undefined
  if (maxExpirationSeconds > 0 && spec.expirationSeconds > maxExpirationSeconds) {
    warn(`requested expiration of ${spec.expirationSeconds} seconds shortened to ${maxExpirationSeconds} seconds`)
    spec.expirationSeconds = maxExpirationSeconds
  }
  const isExtended =
    boundObject?.kind === 'Pod' &&
    spec.expirationSeconds === extendableSeconds &&
    spec.audiences.every((audience) => apiAudiences.includes(audience))
  const token = await issuer.issueServiceAccountToken({
    serviceAccount,
    audiences: spec.audiences,
    expirationSeconds: isExtended ? extendedSeconds : spec.expirationSeconds,
    ...(isExtended ? { warnAfterSeconds: spec.expirationSeconds } : {}),
    ...(boundObject ? { boundObject } : {}),
    nowMs,
  })
  answer.status = { token, expirationTimestamp: timestamp(nowMs + spec.expirationSeconds * 1000) }
  return answer
}

/** Validation of what a request asks for; also run by the kind's own strategy where there is one. */
function validateExpiration(seconds: number): FieldError[] {
  const field = 'spec.expirationSeconds'
  if (seconds < minSeconds) return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')]
  if (seconds > maxSeconds) return [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
  return []
}

async function findBound(
  reference: NonNullable<TokenRequestSpec['boundObjectRef']>,
  accountName: string,
  namespace: string,
  read: <T extends KubeObject>(plural: string, namespace: string, name: string) => Promise<T>,
  client: ServerClient,
  lookup: (group: string, plural: string) => Resource,
): Promise<BoundObject> {
  const { apiVersion = '', kind: boundKind = '', name = '', uid } = reference
  const { group, version } = parseApiVersion(apiVersion)
  const bound = await (async (): Promise<BoundObject> => {
    switch (group === '' ? boundKind : '') {
      case 'Pod': {
        const pod = await read<Stored<Pod>>('pods', namespace, name)
        if (pod.spec?.serviceAccountName !== accountName) {
          throw badRequestError(
            `cannot bind token for serviceaccount ${JSON.stringify(accountName)} to pod running with different serviceaccount name.`,
          )
        }
        const nodeName = pod.spec.nodeName
        if (!nodeName) return { kind: 'Pod', object: pod }
        const nodes = lookup('', 'nodes')
        const node =
          client.cached<KubeObject>(nodes, '', nodeName) ?? (await client.get<KubeObject>(nodes, '', nodeName))
        return {
          kind: 'Pod',
          object: pod,
          node: { name: nodeName, ...(node?.metadata.uid ? { uid: node.metadata.uid } : {}) },
        }
      }
      case 'Node':
        return { kind: 'Node', object: await read('nodes', '', name) }
      case 'Secret':
        return { kind: 'Secret', object: await read('secrets', namespace, name) }
      default:
        throw badRequestError(`cannot bind token to object of type ${group}/${version}, Kind=${boundKind}`)
    }
  })()
  if (uid && bound.object.metadata.uid !== uid) {
    throw conflictError(
      { group, resource: boundKind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  return bound
}

const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
