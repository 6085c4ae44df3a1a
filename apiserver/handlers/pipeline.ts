import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { snapshotPath } from '../../api/gantry/snapshot.ts'
import {
  badRequestError,
  methodNotSupportedError,
  noSuchPathError,
  StatusError,
  unauthorizedError,
} from '../../api/machinery/errors.ts'
import { hasPart } from '../../api/machinery/resource.ts'
import { forbiddenRequest } from '../auth/forbidden.ts'
import { impersonate } from '../auth/impersonation.ts'
import { takeSocketToken } from '../auth/tokens/socket-protocol.ts'
import type { Authenticator, AuthorizationAttributes, Credentials, UserInfo } from '../auth/types.ts'
import type { Endpoint, ServerContext } from './context.ts'
import { type Deadlines, wantedTimeMs } from './deadlines.ts'
import type { InflightLimiter } from './inflight.ts'
import type { RequestMetrics } from './metrics.ts'
import { type MediaType, negotiate } from './negotiate.ts'
import { parseRequestInfo, type RequestInfo } from './request-info.ts'
import { handleResource, handleStatus } from './resource.ts'
import { sendError, toStatusError } from './respond.ts'

/** Answers a path that is no resource: health, discovery, metrics. False: not one of its paths. */
export type PathHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  info: RequestInfo,
  user: UserInfo,
  upgradeHead?: Buffer,
) => boolean | Promise<boolean>

export interface PipelineOptions {
  server: ServerContext
  authenticator: Authenticator
  limiter: InflightLimiter
  deadlines: Deadlines
  metrics: RequestMetrics
  paths: readonly PathHandler[]
  /** Called once for each request that has been answered. */
  log: (entry: RequestLogEntry) => void
  /** Called for faults of our own. */
  onInternalError: (error: unknown, info: RequestInfo | undefined) => void
}

export interface RequestLogEntry {
  verb: string
  path: string
  code: number
  user: string
  userAgent: string
  ms: number
}

const json: MediaType = { format: 'json', as: 'object', asVersion: 'v1', pretty: false }
const longRunningSubresources = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])
const longRunningPaths = new Set(['/ui/metrics', snapshotPath])
/** A node may list what a selector confines to itself. */
const selectingVerbs = new Set(['list', 'watch', 'deletecollection'])
const mutatingVerbs = new Set(['create', 'update', 'patch', 'delete', 'deletecollection', 'post', 'put'])

/** The way of every request: authenticate → limit → authorize → route. Never throws; every fault becomes a Status. */
export function createPipeline(
  options: PipelineOptions,
): (req: IncomingMessage, res: ServerResponse, upgradeHead?: Buffer) => Promise<void> {
  const { server, authenticator, limiter, deadlines, metrics, paths, log, onInternalError } = options
  return async (req, res, upgradeHead) => {
    const startedAt = performance.now()
    const { socket } = req
    const writtenBefore = socket.bytesWritten
    let media = json
    let info: RequestInfo | undefined
    let user: UserInfo | undefined
    let leave: (() => void) | undefined
    res.once('close', () => {
      leave?.()
      const ms = performance.now() - startedAt
      if (info) metrics.observe(info, res.statusCode, ms, socket.bytesWritten - writtenBefore)
      log({
        verb: info?.verb ?? req.method ?? '',
        path: req.url ?? '',
        code: res.statusCode,
        user: user?.name ?? '',
        userAgent: req.headers['user-agent'] ?? '',
        ms,
      })
    })
    try {
      info = parseRequestInfo(req.method ?? 'GET', req.url ?? '/')
      if (!info) throw badRequestError('the path of the request is not well formed')
      media = mediaOf(req, info)
      user = await whoAsks(req, authenticator, server)
      if (!isLongRunning(info)) {
        deadlines.add(res, wantedTimeMs(info.query))
        leave = limiter.enter(mutatingVerbs.has(info.verb), isExempt(user, info))
      }
      await authorize(server, user, info)
      if (!info.isResource) {
        for (const handler of paths) if (await handler(req, res, info, user, upgradeHead)) return
        throw noSuchPathError()
      }
      await route(req, res, info, user, media, server, upgradeHead)
    } catch (error) {
      // Whatever comes after the answer, such as one of its time running out, is nobody's.
      if (res.writableEnded) return
      const status = toStatusError(error)
      if (status.code === 500) onInternalError(error, info)
      // What is left of the body would be read as the next request.
      if (!req.complete) res.setHeader('Connection', 'close')
      sendError(res, status, media.format === 'yaml' ? { ...json, format: 'yaml' } : json)
    }
  }
}

/** Finds the endpoint and hands over. */
async function route(
  req: IncomingMessage,
  res: ServerResponse,
  info: RequestInfo,
  user: UserInfo,
  media: MediaType,
  server: ServerContext,
  upgradeHead: Buffer | undefined,
): Promise<void> {
  const request = { server, req, res, info, user, media, warn: warner(res), ...(upgradeHead ? { upgradeHead } : {}) }
  const endpoint = server.endpoint(info.group, info.version, info.resource) ?? (await lateEndpoint(server, info))
  if (!endpoint) {
    const group = server.groups.get(`${info.group}/${info.version}`)
    if (!group) throw noSuchPathError()
    return group.handle(request)
  }
  checkScope(info, endpoint)
  const scope = { ...request, endpoint }
  const { resource, deprecation } = endpoint
  if (deprecation !== undefined) scope.warn(deprecation)
  const own = server.subresources.get(`${resource.group}/${resource.plural}/${info.subresource}`)
  if (own) {
    // Kinds that are answered and never stored: what their handler does, it does for the verbs they have.
    if (info.subresource === '' && !resource.verbs.some((verb) => verb === info.verb)) {
      throw methodNotSupportedError(endpoint.registry.of, info.verb)
    }
    return own(scope)
  }
  if (info.subresource === '') return handleResource(scope)
  if (info.subresource === 'status' && hasPart(resource, info.version, 'status')) return handleStatus(scope)
  const generic = server.subresources.get(`*/*/${info.subresource}`)
  if (generic && info.subresource === 'scale' && hasPart(resource, info.version, 'scale')) return generic(scope)
  throw noSuchPathError()
}

/** A kind that another server serves already may have yet to come here. The core group has none of those. */
async function lateEndpoint(server: ServerContext, { group, version, resource }: RequestInfo) {
  if (group === '' || server.groups.has(`${group}/${version}`)) return undefined
  await server.settle()
  return server.endpoint(group, version, resource)
}

/** Throws 404 or 405 for a request that does not fit the scope of its kind. */
export function checkScope(info: RequestInfo, { resource, registry }: Endpoint): void {
  if (!resource.namespaced) {
    if (info.namespace !== '' && info.resource !== 'namespaces') throw noSuchPathError()
    return
  }
  // Only reading and watching make sense across namespaces.
  if (info.namespace === '' && info.verb !== 'list' && info.verb !== 'watch') {
    if (info.verb === 'create' && info.name === '' && resource.verbs.length > 1) {
      throw new StatusError(
        405,
        'MethodNotAllowed',
        'the server does not allow this method on the requested resource',
        {},
      )
    }
    if (info.name === '') throw methodNotSupportedError(registry.of, info.verb)
    throw noSuchPathError()
  }
}

function warner(res: ServerResponse): (message: string) => void {
  let count = 0
  const seen = new Set<string>()
  return (message) => {
    // As many as fit into a header block that every client accepts.
    if (seen.has(message) || count >= 40 || res.headersSent) return
    seen.add(message)
    count++
    const printable = message.replace(/[^\x20-\x7e]/g, ' ').slice(0, 1000)
    res.appendHeader('Warning', `299 - ${JSON.stringify(printable)}`)
  }
}

function mediaOf(req: IncomingMessage, info: RequestInfo): MediaType {
  if (!info.isResource) return json
  // A stream or a proxied answer has a type of its own.
  if (longRunningSubresources.has(info.subresource)) return json
  const media = negotiate(req.headers.accept)
  const pretty = info.query.get('pretty')
  return pretty === 'true' || pretty === '1' ? { ...media, pretty: true } : media
}

async function whoAsks(req: IncomingMessage, authenticator: Authenticator, server: ServerContext): Promise<UserInfo> {
  const user = await authenticator.authenticate(credentialsOf(req))
  if (!user) throw unauthorizedError()
  // The proof has been read; nothing further along, nor what is proxied to, may see it.
  delete req.headers.authorization
  return impersonate(user, req.headers, server.authorizer)
}

const certificates = new WeakMap<TLSSocket, NonNullable<Credentials['certificate']> | null>()

function credentialsOf(req: IncomingMessage): Credentials {
  const credentials: Credentials = {}
  const header = req.headers.authorization
  if (header && /^bearer /i.test(header)) credentials.bearerToken = header.slice(7).trim()
  else if (req.headers.upgrade !== undefined) {
    const token = takeSocketToken(req.headers)
    if (token !== undefined) credentials.bearerToken = token
  }
  const certificate = certificateOf(req.socket as TLSSocket)
  if (certificate) credentials.certificate = certificate
  return credentials
}

/** The peer's certificate, read once for a connection. */
function certificateOf(socket: TLSSocket): Credentials['certificate'] {
  let known = certificates.get(socket)
  if (known === undefined) {
    known = readCertificate(socket) ?? null
    certificates.set(socket, known)
  }
  return known ?? undefined
}

function readCertificate(socket: TLSSocket): Credentials['certificate'] {
  if (!socket.authorized) return undefined
  const { subject, fingerprint256 } = socket.getPeerCertificate()
  // A subject may name one part several times; the declared type knows of one only.
  const names = subject as unknown as { CN?: string | string[]; O?: string | string[] } | undefined
  const [commonName] = [names?.CN ?? []].flat()
  return commonName ? { commonName, organizations: [names?.O ?? []].flat(), fingerprint256 } : undefined
}

function isLongRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || longRunningSubresources.has(info.subresource) || longRunningPaths.has(info.path)
}

/** Administrators must be able to mend an overloaded server, and probes would have it killed. */
function isExempt({ groups }: UserInfo, { path }: RequestInfo): boolean {
  return groups.includes('system:masters') || /^\/(healthz|livez|readyz)(\/|$)/.test(path)
}

/** Throws 403 unless the user may do what the request asks for. */
export async function authorize(server: ServerContext, user: UserInfo, info: RequestInfo): Promise<void> {
  const attributes: AuthorizationAttributes = {
    user,
    verb: info.verb,
    group: info.group,
    resource: info.isResource ? info.resource : '',
    subresource: info.subresource,
    name: info.name,
    namespace: info.namespace,
    path: info.isResource ? '' : info.path,
    fieldSelector: selectingVerbs.has(info.verb) ? (info.query.get('fieldSelector') ?? '') : '',
  }
  const answer = server.authorizer.authorize(attributes)
  const decision = answer instanceof Promise ? await answer : answer
  if (decision.allowed) return
  throw forbiddenRequest(attributes, decision.reason)
}
