import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { notAcceptableError } from '../../api/machinery/errors.ts'
import type { Discovery } from '../discovery/discovery.ts'
import { serverVersion } from '../discovery/version.ts'
import type { OpenApi } from '../openapi/openapi.ts'
import { type HealthCheck, serveHealth } from './health.ts'
import type { RequestMetrics } from './metrics.ts'
import { negotiate } from './negotiate.ts'
import type { PathHandler } from './pipeline.ts'
import type { RequestInfo } from './request-info.ts'
import { sendBytes, sendObject } from './respond.ts'

/** Documents the server keeps ready: what it serves, in all the forms clients ask for. */
export interface Documents {
  discovery: Discovery
  openapi: OpenApi
  /** Of service-account tokens, for those who verify them. */
  issuer: { configuration(): Buffer; keys(): Buffer }
}

export interface PathHandlerOptions {
  documents: Documents
  healthChecks: readonly HealthCheck[]
  metrics: RequestMetrics
}

const json = { format: 'json', as: 'object', asVersion: 'v1', pretty: false } as const
const openApiProtobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** How clients have always asked for it: not a well-formed media type, so it is never the answer's. */
const openApiProtobufAsked = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

/** Everything that is not a resource: health, discovery, OpenAPI, version, metrics. */
export function createPathHandlers({ documents, healthChecks, metrics }: PathHandlerOptions): PathHandler[] {
  const { discovery, openapi, issuer } = documents
  return [
    (_req, res, info) => serveHealth(res, info, healthChecks),
    (req, res, info) => serveDiscovery(req, res, info, discovery),
    (req, res, info) => serveOpenApi(req, res, info, openapi),
    async (req, res, info) => {
      switch (info.path) {
        case '/version':
        case '/version/':
          sendObject(res, 200, serverVersion(), negotiate(req.headers.accept, false))
          return true
        case '/metrics': {
          const text = Buffer.from(await metrics.text())
          res.writeHead(200, { 'Content-Type': metrics.registry.contentType, 'Content-Length': text.length })
          res.end(text)
          return true
        }
        case '/.well-known/openid-configuration':
          sendBytes(res, 200, issuer.configuration(), json)
          return true
        case '/openid/v1/jwks':
          sendBytes(res, 200, issuer.keys(), json)
          return true
        case '/':
          sendObject(res, 200, { paths: rootPaths }, json)
          return true
        default:
          return false
      }
    },
  ]
}

function serveDiscovery(req: IncomingMessage, res: ServerResponse, info: RequestInfo, discovery: Discovery): boolean {
  const [root, group, version, more] = info.path.split('/').filter((part) => part !== '')
  if ((root !== 'api' && root !== 'apis') || more !== undefined) return false
  if (group === undefined) {
    const accept = req.headers.accept ?? ''
    const aggregated = aggregatedVersion(accept)
    if (aggregated) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`
      sendDocument(req, res, discovery.aggregated(root, aggregated), type)
      return true
    }
    const document = root === 'api' ? discovery.api(reachedAt(req)) : discovery.apis()
    sendBytes(res, 200, document, negotiate(accept, false))
    return true
  }
  const body =
    root === 'api'
      ? version === undefined
        ? discovery.resourceList('', group)
        : undefined
      : version === undefined
        ? discovery.group(group)
        : discovery.resourceList(group, version)
  if (!body) return false
  sendBytes(res, 200, body, negotiate(req.headers.accept, false))
  return true
}

function reachedAt({ socket: { localAddress = '', localPort } }: IncomingMessage): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`
}

/** The first form of aggregated discovery that the client names before plain JSON. */
function aggregatedVersion(accept: string): 'v2' | 'v2beta1' | undefined {
  for (const offer of accept.split(',')) {
    if (!offer.includes('as=APIGroupDiscoveryList')) {
      if (/^\s*application\/json\s*(;q=.*)?$/.test(offer)) return undefined
      continue
    }
    if (offer.includes('v=v2beta1')) return 'v2beta1'
    if (offer.includes('v=v2')) return 'v2'
  }
  return undefined
}

async function serveOpenApi(
  req: IncomingMessage,
  res: ServerResponse,
  info: RequestInfo,
  openapi: OpenApi,
): Promise<boolean> {
  if (info.path === '/openapi/v2') {
    const accept = req.headers.accept ?? ''
    if (accept.includes(openApiProtobufAsked) || accept.includes(openApiProtobuf))
      sendDocument(req, res, await openapi.v2Protobuf(), openApiProtobuf)
    else sendDocument(req, res, await openapi.v2(), 'application/json')
    return true
  }
  if (info.path === '/openapi/v3') {
    sendDocument(req, res, await openapi.v3Index(), 'application/json')
    return true
  }
  if (!info.path.startsWith('/openapi/v3/')) return false
  const accept = req.headers.accept ?? '*/*'
  if (!/json|\*\/\*/.test(accept)) throw notAcceptableError('only application/json is served here')
  const document = await openapi.v3(info.path.slice('/openapi/v3/'.length))
  if (!document) return false
  // A hash in the address names this very content: it never changes.
  if (info.query.has('hash')) res.setHeader('Cache-Control', 'public, immutable')
  sendDocument(req, res, document, 'application/json')
  return true
}

const tags = new WeakMap<Buffer, string>()

/** Sends a document that clients keep: 304 when theirs is the same. */
function sendDocument(req: IncomingMessage, res: ServerResponse, body: Buffer, type: string): void {
  let tag = tags.get(body)
  if (!tag) {
    tag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`
    tags.set(body, tag)
  }
  res.setHeader('ETag', tag)
  res.setHeader('Vary', 'Accept')
  if (req.headers['if-none-match'] === tag) {
    res.writeHead(304)
    res.end()
    return
  }
  res.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length })
  res.end(body)
}

const rootPaths = [
  '/.well-known/openid-configuration',
  '/api',
  '/api/v1',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openid/v1/jwks',
  '/readyz',
  '/version',
]
