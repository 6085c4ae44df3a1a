import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Command } from 'commander'
import { CliError } from './errors.ts'
import { isServed, type ProxyRules, parseRules } from './proxy/rules.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface ProxyFlags {
  port: string
  address: string
  unixSocket?: string
  apiPrefix: string
  acceptHosts?: string
  acceptPaths?: string
  rejectPaths?: string
  rejectMethods?: string
  disableFilter?: boolean
}

export const proxy: Verb<ProxyFlags> = {
  usage: '[--port=PORT]',
  examples: ['gantry proxy', 'gantry proxy --port=0    # any free port', 'curl http://127.0.0.1:8001/api/v1/pods'],
  define: (command: Command) =>
    void command
      .option('-p, --port <port>', 'where to listen; 0 for any free port', '8001')
      .option('--address <address>', 'on which address', '127.0.0.1')
      .option('-u, --unix-socket <path>', 'listen on a socket file instead')
      .option('--api-prefix <path>', 'under which path the API is served', '/')
      .option('--accept-hosts <patterns>', 'hosts that may be asked for, as regular expressions')
      .option('--accept-paths <patterns>', 'paths that are served')
      .option('--reject-paths <patterns>', 'and those that are not')
      .option('--reject-methods <patterns>', 'methods that are refused')
      .option('--disable-filter', 'let everybody who reaches it do everything'),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: ${args.join(' ')}`)
    const port = Number(flags.port)
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new CliError(`--port: ${flags.port} is no port`)
    const rules = parseRules(flags)
    const prefix = `/${flags.apiPrefix.replace(/^\/+|\/+$/g, '')}`.replace(/\/$/, '')
    const { connection } = session.client
    const targetOf = (req: IncomingMessage) => target(session, rules, prefix, req)
    // Of a refusal as nobody, the next request learns.
    const heard = ({ statusCode }: IncomingMessage) => void (statusCode === 401 && connection.renew(connection.login))
    const server = createServer((req, res) => {
      targetOf(req).then(
        (options) => forward(options, req, res)?.on('response', heard),
        (error: Error) => sayBadGateway(res, error),
      )
    })
    server.on('upgrade', (req, socket, head) => {
      targetOf(req).then(
        (options) => forwardUpgrade(options, socket, head)?.on('response', heard),
        () => socket.destroy(),
      )
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      if (flags.unixSocket) server.listen(flags.unixSocket, resolve)
      else server.listen(port, flags.address, resolve)
    })
    session.io.out(`Starting to serve on ${placeOf(server.address())}\n`)
    await new Promise<void>((resolve) => session.io.signal.addEventListener('abort', () => resolve(), { once: true }))
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    return 0
  },
}

function placeOf(bound: string | AddressInfo | null): string {
  if (bound === null || typeof bound === 'string') return bound ?? ''
  const { address, port } = bound
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Where a request goes, and as whom; undefined for one that is refused. */
async function target(
  session: Session,
  rules: ProxyRules,
  prefix: string,
  req: IncomingMessage,
): Promise<RequestOptions | undefined> {
  const { pathname, search } = new URL(req.url ?? '/', 'http://localhost')
  if (!isServed(rules, { method: req.method ?? 'GET', host: req.headers.host ?? '', path: pathname })) return undefined
  if (!pathname.startsWith(prefix)) return undefined
  const { connection } = session.client
  const { url } = connection
  const { authorization: _, origin: _origin, ...headers } = req.headers
  return {
    ...(await connection.open('streams')),
    protocol: url.protocol,
    host: url.hostname,
    port: url.port,
    method: req.method,
    path: `${url.pathname.replace(/\/$/, '')}${pathname.slice(prefix.length) || '/'}${search}`,
    headers: { ...headers, host: url.host, ...session.headers, ...connection.authorization() },
  }
}

const ask = (options: RequestOptions) => (options.protocol === 'http:' ? httpRequest : httpsRequest)(options)

function forward(
  options: RequestOptions | undefined,
  req: IncomingMessage,
  res: ServerResponse,
): ClientRequest | undefined {
  if (!options) {
    res.writeHead(403, { 'content-type': 'text/plain' }).end('Forbidden\n')
    return undefined
  }
  const asked = ask(options)
  asked.on('response', (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(res)
    answer.on('error', () => res.destroy())
  })
  asked.on('error', (error) => sayBadGateway(res, error))
  res.on('close', () => asked.destroy())
  return req.pipe(asked)
}

function sayBadGateway(res: ServerResponse, { message }: Error): void {
  if (res.headersSent) res.destroy()
  else res.writeHead(502, { 'content-type': 'text/plain' }).end(`${message}\n`)
}

/** exec and the like, where the filter lets them: the two sockets become one. */
function forwardUpgrade(options: RequestOptions | undefined, socket: Duplex, head: Buffer): ClientRequest | undefined {
  if (!options) {
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    return undefined
  }
  const asked = ask(options)
  asked.on('upgrade', (answer, upstream: Socket, first: Buffer) => {
    socket.write(headOf(answer))
    if (first.length > 0) socket.write(first)
    if (head.length > 0) upstream.write(head)
    upstream.pipe(socket).pipe(upstream)
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  // It did not want to: what it says instead is said.
  asked.on('response', (answer) => {
    socket.write(headOf(answer))
    answer.pipe(socket)
  })
  asked.on('error', () => socket.destroy())
  return asked.end()
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`
  for (let i = 0; i < rawHeaders.length; i += 2) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return `${text}\r\n`
}
