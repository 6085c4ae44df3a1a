import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Scope } from '../handlers/context.ts'
import { isProxiedHtml, type ProxiedAt, proxiedLink } from './proxied-links.ts'

const connectTimeoutMs = 10_000
/** How long who is still there may take for the next piece of what the other side left for it. */
const lingerMs = 30_000

/** What is passed on. */
type Relayed = Pick<Scope, 'req' | 'res' | 'upgradeHead'>

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
])

const longestRefusal = 50_000

/**
 * Passes a request on and its answer back, or, where it switches protocols, joins the two connections. With `refusal`, an
 * answer that is one is thrown as what it makes of it. With `at`, links are made anew. With `pass`, the client has asked to
 * switch protocols, and its target knows nothing of that: the answer is given to it. With `as`, these headers say who asks,
 * and nothing that the client says of that is passed on.
 */
export function relay<S extends Relayed>(
  scope: S,
  target: RequestOptions,
  {
    refusal,
    at,
    pass,
    as,
  }: {
    refusal?: (code: number, text: string) => StatusError
    at?: ProxiedAt
    pass?: (scope: S, answer: IncomingMessage) => Promise<void>
    as?: Readonly<Record<string, string | string[]>>
  } = {},
): Promise<void> {
  const { req, res } = scope
  const switches = scope.upgradeHead !== undefined && !pass
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined && !hopByHop.has(name)) headers[name] = value
  }
  if (as) {
    for (const name of Object.keys(headers)) if (name.startsWith('x-remote-')) delete headers[name]
    Object.assign(headers, as)
  }
  if (switches) {
    headers.connection = 'Upgrade'
    headers.upgrade = req.headers.upgrade ?? ''
  }
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const { agent: _agent, ...withoutAgent } = target
  // A joined connection is never given back to the pool.
  const options = switches ? { ...withoutAgent, ...agentTls(target), agent: false } : target
  return new Promise((resolve, reject) => {
    const upstream = send({
      ...options,
      method: req.method,
      headers,
      ...(target.protocol === 'https:' && !target.agent ? { rejectUnauthorized: false } : {}),
    })
    upstream.setTimeout(connectTimeoutMs, () => {
      if (!upstream.socket || upstream.socket.connecting) upstream.destroy(new Error('it did not answer in time'))
    })
    upstream.once('error', (error) => {
      if (res.headersSent) res.destroy()
      reject(
        new StatusError(502, 'BadGateway', `error trying to reach ${target.host}:${target.port}: ${error.message}`),
      )
    })
    upstream.once('response', (answer) => {
      const code = answer.statusCode ?? 502
      if (refusal && code >= 300) {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          if (text.length < longestRefusal) text += chunk
        })
        answer.once('end', () => reject(refusal(code, text.trim())))
        answer.once('error', reject)
        return
      }
      if (pass) {
        pass(scope, answer).then(resolve, reject)
        return
      }
      res.once('close', resolve)
      passBack(scope, answer, at).catch(reject)
    })
    upstream.once('upgrade', (answer, socket, head) => {
      join(scope, answer, socket, head)
      socket.once('close', resolve)
    })
    res.once('close', () => upstream.destroy())
    if (scope.upgradeHead) upstream.end()
    else req.pipe(upstream)
  })
}

function agentTls(target: RequestOptions): object {
  const { options } = (target.agent ?? {}) as {
    options?: { cert?: unknown; key?: unknown; ca?: unknown; rejectUnauthorized?: boolean }
  }
  if (!options) return {}
  const { cert, key, ca, rejectUnauthorized } = options
  return {
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(ca ? { ca } : {}),
    ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
  }
}

async function passBack({ req, res }: Relayed, answer: IncomingMessage, at: ProxiedAt | undefined): Promise<void> {
  const code = answer.statusCode ?? 502
  const page = at && req.method !== 'HEAD' && isProxiedHtml(answer.headers)
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value === undefined || hopByHop.has(name) || (page && name === 'content-length')) continue
    res.setHeader(name, at && name === 'location' ? proxiedLink(String(value), at) : value)
  }
  res.writeHead(code)
  res.flushHeaders()
  const body = page ? (await import('./proxied-html.ts')).withProxiedLinks(answer, at) : answer
  body.pipe(res)
  body.once('error', () => res.destroy())
}

function join({ req, res, upgradeHead }: Relayed, answer: IncomingMessage, socket: Duplex, head: Buffer): void {
  const client = req.socket
  res.detachSocket(client)
  let lines = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    lines += `${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}\r\n`
  client.write(`${lines}\r\n`)
  if (head.length > 0) client.write(head)
  if (upgradeHead && upgradeHead.length > 0) socket.write(upgradeHead)
  client.pipe(socket)
  socket.pipe(client)
  client.once('error', () => client.destroy()).once('close', () => endAfterWrites(socket as Socket))
  socket.once('error', () => socket.destroy()).once('close', () => endAfterWrites(client))
}

/** Whoever is still there gets what was written for it before the other left, if it goes on reading. */
function endAfterWrites(socket: Socket): void {
  socket.setTimeout(lingerMs, () => socket.destroy())
  socket.destroySoon()
}
