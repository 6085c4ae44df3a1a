import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ManagerMetrics } from './metrics.ts'

/** A named test of health; an Error's message says what is wrong. */
export interface HealthCheck {
  name: string
  check(): Error | undefined
}

/** Serves /healthz, /livez, /readyz and /metrics. Resolves when it listens; rejects if the address is taken. */
export async function startManagerServer(options: {
  address: string
  /** 0 takes any free one. */
  port: number
  metrics: ManagerMetrics
  checks: readonly HealthCheck[]
}): Promise<{ port: number; stop(): Promise<void> }> {
  const { metrics, checks } = options
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
      response.end(body)
    }
    const url = new URL(request.url ?? '/', 'http://localhost')
    const root = url.pathname.split('/')[1] ?? ''
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'GET only\n')
    if (url.pathname === '/metrics') {
      metrics.registry.metrics().then(
        (text) => send(200, metrics.registry.contentType, text),
        (error: Error) => send(500, 'text/plain', `${error.message}\n`),
      )
      return
    }
    if (!['healthz', 'livez', 'readyz'].includes(root)) return send(404, 'text/plain', '404 page not found\n')
    const [status, body] = health(url, root, checks)
    send(status, 'text/plain; charset=utf-8', body)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** `ok`, or with ?verbose or on failure a line for each check, as upstream's components answer. */
function health(url: URL, root: string, checks: readonly HealthCheck[]): [status: number, body: string] {
  const wanted = url.pathname.split('/')[2]
  const chosen = wanted ? checks.filter(({ name }) => name === wanted) : checks
  if (wanted && chosen.length === 0) return [404, `there is no check ${JSON.stringify(wanted)}\n`]
  const results = chosen.map(({ name, check }) => ({ name, fault: check() }))
  const failed = results.some(({ fault }) => fault !== undefined)
  if (!failed && !url.searchParams.has('verbose')) return [200, 'ok']
  const lines = results.map(({ name, fault }) => (fault ? `[-]${name} failed: ${fault.message}` : `[+]${name} ok`))
  return [failed ? 500 : 200, `${lines.join('\n')}\n${root} check ${failed ? 'failed' : 'passed'}\n`]
}
