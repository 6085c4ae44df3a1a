import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { parse } from 'yaml'
import { parseConfig } from '../config.ts'
import { type RunningApiServer, startApiServer } from '../start.ts'
import { openStore } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'

/** An answer, its body read as JSON where it is that. */
export interface Answer {
  code: number
  headers: IncomingHttpHeaders
  text: string
  // Tests look into answers of all kinds.
  // biome-ignore lint/suspicious/noExplicitAny: an answer may be anything, and a wrong guess fails its test
  body: any
}

export interface Ask {
  headers?: Record<string, string>
  /** Who asks; the administrator unless it says something else. */
  as?: RequestOptions
}

/** A whole API server in this process, with its store in a temporary directory. */
export interface RunningServer {
  url: string
  directory: string
  store: Store
  /** TLS options of the administrator. */
  admin: RequestOptions
  /** TLS options of somebody without a certificate. */
  nobody: RequestOptions
  request(method: string, path: string, body?: unknown, ask?: Ask): Promise<Answer>
  get(path: string, ask?: Ask): Promise<Answer>
  create(path: string, object: object, ask?: Ask): Promise<Answer>
  /** A merge patch, unless the headers say otherwise. */
  patch(path: string, patch: unknown, ask?: Ask): Promise<Answer>
  remove(path: string, options?: object): Promise<Answer>
  /** Ends the server, not its data. */
  end(): Promise<void>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

/**
 * Starts one. `prepare` may put files into its directory first; what it returns are further flags. `onLine` is told each
 * line of the log.
 */
export async function runServer(
  flags: readonly string[] = [],
  prepare: (directory: string) => readonly string[] = () => [],
  onLine?: (line: Record<string, unknown>) => void,
): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-unit-'))
  let store: Store | undefined
  let running: RunningApiServer
  try {
    const config = parseConfig([
      `--data-dir=${join(directory, 'data')}`,
      '--bind-address=127.0.0.1',
      '--secure-port=0',
      '--disable-admission-plugins=ServiceAccount',
      ...flags,
      ...prepare(directory),
    ])
    running = await startApiServer(config, logTo(onLine), async (options) => {
      store = await openStore(options)
      return store
    })
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  const { users, clusters } = parse(readFileSync(running.kubeconfig, 'utf8')) as {
    users: { user: Record<string, string> }[]
    clusters: { cluster: Record<string, string> }[]
  }
  const decode = (text: string | undefined) => Buffer.from(text ?? '', 'base64')
  const ca = decode(clusters[0]?.cluster['certificate-authority-data'])
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0]?.user ?? {}
  const agents = [
    new Agent({ keepAlive: true, maxSockets: 64, ca, cert: decode(cert), key: decode(key) }),
    new Agent({ keepAlive: true, maxSockets: 64, ca }),
  ] as const
  const admin = { agent: agents[0], ca, cert: decode(cert), key: decode(key) }
  const request: RunningServer['request'] = (method, path, body, { headers = {}, as = admin } = {}) =>
    send(`${running.url}${path}`, { ...as, method, headers }, body)
  let ended = false
  const end = async () => {
    if (ended) return
    ended = true
    for (const agent of agents) agent.destroy()
    await running.stop()
  }
  return {
    url: running.url,
    directory,
    store: store as Store,
    admin,
    nobody: { agent: agents[1], ca },
    request,
    get: (path, ask) => request('GET', path, undefined, ask),
    create: (path, object, ask) => request('POST', path, object, ask),
    patch: (path, patch, { headers, ...ask } = {}) =>
      request('PATCH', path, patch, {
        ...ask,
        headers: { 'content-type': 'application/merge-patch+json', ...headers },
      }),
    remove: (path, options) => request('DELETE', path, options),
    end,
    async stop() {
      await end()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One request; text and bytes are sent as they are, all else as JSON. */
export function send(url: string, options: RequestOptions, body?: unknown): Promise<Answer> {
  const bytes = body === undefined || typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body)
  const headers = { ...(bytes === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers }
  return new Promise((resolve, reject) => {
    const req = httpsRequest(url, { ...options, headers: headers as Record<string, string> }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.once('error', reject)
      res.once('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ code: res.statusCode ?? 0, headers: res.headers, text, body: jsonOf(res.headers, text) })
      })
    })
    req.once('error', reject)
    req.end(bytes)
  })
}

/** A watch's answer is several documents, or none: its text is for the test to read. */
function jsonOf(headers: IncomingHttpHeaders, text: string): unknown {
  if (!String(headers['content-type']).startsWith('application/json')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function logTo(onLine: ((line: Record<string, unknown>) => void) | undefined): Logger {
  return onLine ? pino({}, { write: (line) => onLine(JSON.parse(line)) }) : pino({ level: 'silent' })
}
