import { createServer, type Server } from 'node:http'
import type { Logger } from '../../../client/logger.ts'

export interface HealthChecked {
  namespace: string
  name: string
  port: number
  /** Endpoints of this node that are ready. */
  localReady: number
}

/** Answers load balancers on each service's healthCheckNodePort: 200 while this node has an endpoint of it, else 503. */
export class HealthCheckServer {
  readonly #servers = new Map<string, { server: Server; checked: HealthChecked }>()
  readonly #address: string
  readonly #log: Logger
  /** False while the rules could not be written. */
  healthy = true

  constructor(address: string, log: Logger) {
    this.#address = address
    this.#log = log
  }

  /** Serves for the service from now on; undefined: no longer. */
  set(service: string, checked: HealthChecked | undefined): void {
    const known = this.#servers.get(service)
    if (known && checked && known.checked.port === checked.port) {
      known.checked = checked
      return
    }
    known?.server.close()
    this.#servers.delete(service)
    if (checked) this.#listen(service, checked)
  }

  async stop(): Promise<void> {
    const closing = [...this.#servers.values()].map(
      ({ server }) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
    this.#servers.clear()
    await Promise.all(closing)
  }

  #listen(service: string, checked: HealthChecked): void {
    const entry = { checked, server: createServer() }
    entry.server.on('request', (_request, response) => {
      const { namespace, name, localReady } = entry.checked
      response.writeHead(localReady > 0 && this.healthy ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': `${localReady}`,
      })
      response.end(
        JSON.stringify({ service: { namespace, name }, localEndpoints: localReady, serviceProxyHealthy: this.healthy }),
      )
    })
    entry.server.on('error', (error) => {
      const message = `port ${checked.port} cannot answer health checks of Service ${service}: ${error.message}`
      this.#log.warn({ service, port: checked.port }, message)
    })
    entry.server.listen(checked.port, this.#address)
    this.#servers.set(service, entry)
  }
}
