import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../../client/logger.ts'
import type { Relay } from '../csi/relay.ts'
import type { Runtime } from '../runtime/index.ts'
import { nodeAttributes } from './attributes.ts'
import { containerLogs } from './container-logs.ts'
import { keptLogs } from './kept-logs.ts'
import { statsHandlers } from './stats-handlers.ts'
import {
  type Handler,
  HttpError,
  type NodeAttributes,
  type PodView,
  type ServerContext,
  type StatsSource,
  type User,
} from './types.ts'

export type { NodeAttributes, PodView, StatsSource, User } from './types.ts'

export interface KubeletServerOptions {
  address: string
  /** 0: any free one. */
  port: number
  tls: { cert: string | Buffer; key: string | Buffer; clientCa: string | Buffer }
  /** Whether the user may; see `nodeAuthorizer` for upstream's way. */
  authorize(user: User, attributes: NodeAttributes): Promise<boolean> | boolean
  /** Who bears a token; absent: only certificates count. */
  authenticateToken?(token: string): Promise<User | undefined>
  pods: PodView
  runtime: Runtime
  log: Logger
  volumes: ServerContext['volumes']
  stats: StatsSource
  keptLogs: ServerContext['keptLogs']
  /** The storage drivers of the node; absent: there are none to be called. */
  csi?: Relay
  config?: object
}

export interface KubeletServer {
  port: number
  /** Ends the streams under way too. */
  stop(): Promise<void>
}

const handlers: Record<string, Handler> = {
  healthz: async (_context, { res }) => {
    res.end('ok')
  },
  containerLogs,
  keptLogs,
  pods: async ({ pods }, { res }) => {
    const items = pods.list().map((pod) => ({ ...pod, apiVersion: undefined, kind: undefined }))
    sendJson(res, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items })
  },
  configz: async ({ config }, { res }) => sendJson(res, { kubeletconfig: config }),
  csi: async ({ csi }, request) => {
    if (!csi) throw new HttpError(404, '404 page not found')
    await (await import('../csi/relay.ts')).relayCsi(csi, request)
  },
  volumes: async (context, request) => (await import('./volume-archive.ts')).volumeArchive(context, request),
  run: async (context, request) => (await import('./run.ts')).runCommand(context, request),
  ...statsHandlers,
}

const streamed = new Set(['exec', 'attach', 'portForward'])

/** Serves upstream's kubelet API over TLS. Resolves when it listens; rejects when the address is taken. */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { tls, log } = options
  const context: ServerContext = { ...options, config: options.config ?? {} }
  const admit = gatekeeper(options)
  const sockets = new Set<Duplex>()
  const server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    // What is written to a volume takes as long as it takes.
    requestTimeout: 0,
    // Who has none is told 401 in HTTP, rather than nothing at all.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('request', (req, res) => {
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    answer(context, admit, req, res, gone.signal).catch((error: unknown) => refuse(res, error, log))
  })
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => socket.destroy())
    upgrade(context, admit, req, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, log))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

type Gatekeeper = (req: IncomingMessage, url: URL) => Promise<void>

async function answer(
  context: ServerContext,
  admit: Gatekeeper,
  req: IncomingMessage,
  res: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const url = urlOf(req)
  await admit(req, url)
  const [first = '', ...parts] = pathParts(url)
  const handler = handlers[first]
  if (streamed.has(first)) throw new HttpError(400, 'Upgrade request required')
  if (!handler) throw new HttpError(404, '404 page not found')
  await handler(context, { req, res, parts, query: url.searchParams, signal })
}

async function upgrade(
  context: ServerContext,
  admit: Gatekeeper,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const url = urlOf(req)
  await admit(req, url)
  const [first = '', ...parts] = pathParts(url)
  if (!streamed.has(first)) throw new HttpError(404, '404 page not found')
  const { serveStream } = await import('./stream.ts')
  const kind = first as 'exec' | 'attach' | 'portForward'
  await serveStream(context, { kind, req, socket, head, parts, query: url.searchParams })
}

const urlOf = (req: IncomingMessage): URL => new URL(req.url ?? '/', 'https://node')

const pathParts = (url: URL): string[] =>
  url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)

/** Lets in whom the options let in; throws an HttpError for the others. */
function gatekeeper({ authorize, authenticateToken }: KubeletServerOptions): Gatekeeper {
  return async (req, url) => {
    const user = certifiedUser(req.socket as TLSSocket) ?? (await tokenUser(req, authenticateToken))
    if (!user) throw new HttpError(401, 'Unauthorized')
    for (const attributes of nodeAttributes(req.method ?? 'GET', url.pathname)) {
      if (await authorize(user, attributes)) return
    }
    const [{ verb, subresource }] = nodeAttributes(req.method ?? 'GET', url.pathname) as [NodeAttributes]
    throw new HttpError(
      403,
      `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])\n`,
    )
  }
}

/** The name and groups that the cluster's authority has put its signature to. */
function certifiedUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined
  const { CN, O } = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] }
  return CN === undefined ? undefined : { name: CN, groups: O === undefined ? [] : [O].flat() }
}

async function tokenUser(
  { headers }: IncomingMessage,
  authenticate: KubeletServerOptions['authenticateToken'],
): Promise<User | undefined> {
  const [, token] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
  return token === undefined ? undefined : authenticate?.(token)
}

function refuse(res: ServerResponse, error: unknown, log: Logger): void {
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return
  }
  const { status, message } = asHttpError(error, log)
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' })
  res.end(message)
}

function refuseUpgrade(socket: Duplex, error: unknown, log: Logger): void {
  const { status, message } = asHttpError(error, log)
  const text = Buffer.from(message)
  socket.write(
    `HTTP/1.1 ${status} ${status === 404 ? 'Not Found' : 'Refused'}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n`,
  )
  socket.end(text)
}

function asHttpError(error: unknown, log: Logger): HttpError {
  if (error instanceof HttpError) return error
  log.warn({ err: error }, 'could not answer')
  return new HttpError(500, error instanceof Error ? error.message : String(error))
}

function sendJson(res: ServerResponse, body: object): void {
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify(body))
}
