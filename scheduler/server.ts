import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SchedulerMetrics } from './metrics.ts'

export interface ServerOptions {
  address: string
  /** 0 takes any free one. */
  port: number
  metrics: SchedulerMetrics
  /** What is known of the placement of a pod. */
  why: (namespace: string, name: string, uid?: string) => object | undefined
  /** Named tests of readiness: what each answers is wrong, or undefined. */
  ready: Readonly<Record<string, () => string | undefined>>
}

/** Serves /healthz, /livez, /readyz, /metrics and /why/NAMESPACE/POD. Resolves when it listens; rejects if the address is taken. */
export async function startServer(options: ServerOptions): Promise<{ port: number; stop(): Promise<void> }> {
  const { metrics, ready, why } = options
  const server = createServer(async ({ url = '/', method = 'GET' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const answer = async (): Promise<[status: number, type: string, body: string]> => {
      if (method !== 'GET' && method !== 'HEAD') return [405, 'text/plain', 'GET only\n']
      switch (pathname) {
        case '/metrics':
          return [200, metrics.registry.contentType, await metrics.registry.metrics()]
        // Whoever can answer is alive; to be ready takes more.
        case '/healthz':
        case '/livez':
          return [200, 'text/plain; charset=utf-8', 'ok']
        case '/readyz': {
          const results = Object.entries(ready).map(([name, check]) => ({ name, fault: check() }))
          const failed = results.some(({ fault }) => fault !== undefined)
          const lines = results.map(({ name, fault }) => (fault ? `[-]${name} failed: ${fault}` : `[+]${name} ok`))
          const tells = failed || searchParams.has('verbose')
          const body = tells ? `${lines.join('\n')}\nreadyz check ${failed ? 'failed' : 'passed'}\n` : 'ok'
          return [failed ? 500 : 200, 'text/plain; charset=utf-8', body]
        }
        default: {
          const [, namespace, name] = /^\/why\/([^/]+)\/([^/]+)$/.exec(pathname) ?? []
          if (!namespace || !name) return [404, 'text/plain', '404 page not found\n']
          const known = why(namespace, name, searchParams.get('uid') ?? undefined)
          if (!known) return [404, 'text/plain', `nothing has been decided about pod ${namespace}/${name} here\n`]
          return [200, 'application/json', `${JSON.stringify(known)}\n`]
        }
      }
    }
    const [status, type, body] = await answer().catch((error: Error): [number, string, string] => [
      500,
      'text/plain',
      `${error.message}\n`,
    ])
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
    response.end(body)
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
