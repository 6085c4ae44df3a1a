import { Agent, request } from 'node:https'
import { isIP } from 'node:net'
import type { WebhookClient } from '../../../api/admissionregistration/webhook-client.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { serviceBackend } from '../../services/backend.ts'

/** Asks webhooks over HTTPS. Connections are kept for the next question. */
export interface WebhookCaller {
  /** The JSON of the answer. Rejects with an Error that names the address, for anything but an answer in time. */
  call(client: WebhookClient, body: unknown, timeoutSeconds: number): Promise<unknown>
}

const largestAnswerBytes = 16 << 20
/** Beyond so many authorities and names, connections are not kept. */
const maxAgents = 64

export function createWebhookCaller(
  client: ServerClient,
  lookup: (group: string, plural: string) => Resource,
): WebhookCaller {
  const agents = new Map<string, Agent>()
  const agentFor = (caBundle: string): Agent => {
    let agent = agents.get(caBundle)
    if (!agent) {
      if (agents.size >= maxAgents) forgetAll()
      const ca = caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() }
      agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 4, ...ca })
      agents.set(caBundle, agent)
    }
    return agent
  }
  const forgetAll = () => {
    for (const agent of agents.values()) agent.destroy()
    agents.clear()
  }
  return {
    async call(webhook, body, timeoutSeconds) {
      const url = urlOf(webhook, timeoutSeconds)
      const { service } = webhook
      try {
        const backend = service
          ? await serviceBackend(client, lookup, {
              namespace: service.namespace ?? '',
              name: service.name ?? '',
              port: String(service.port ?? 443),
            })
          : undefined
        return await post(url, backend, agentFor(webhook.caBundle ?? ''), JSON.stringify(body), timeoutSeconds)
      } catch (error) {
        throw new Error(`Post ${JSON.stringify(url.href)}: ${(error as Error).message}`)
      }
    },
  }
}

function urlOf({ url, service }: WebhookClient, timeoutSeconds: number): URL {
  const { name = '', namespace = '', port = 443, path = '' } = service ?? {}
  const full = new URL(url ?? `https://${name}.${namespace}.svc:${port}/${path.replace(/^\//, '')}`)
  full.searchParams.set('timeout', `${timeoutSeconds}s`)
  return full
}

/** The certificate is checked against the name in the URL, wherever the connection goes. */
function post(
  url: URL,
  backend: { host: string; port: number } | undefined,
  agent: Agent,
  body: string,
  timeoutSeconds: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000)
    const fail = (error: Error) => reject(signal.aborted ? new Error('context deadline exceeded') : error)
    const req = request(
      {
        agent,
        signal,
        method: 'POST',
        host: backend?.host ?? url.hostname,
        port: backend?.port ?? (url.port || 443),
        path: url.pathname + url.search,
        ...(isIP(url.hostname) ? {} : { servername: url.hostname }),
        headers: {
          Host: url.host,
          'Content-Type': 'application/json',
          Accept: 'application/json',
          'Content-Length': Buffer.byteLength(body),
        },
      },
      (res) => {
        const chunks: Buffer[] = []
        let size = 0
        res.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > largestAnswerBytes) req.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        res.once('error', fail)
        res.once('end', () => {
          const text = Buffer.concat(chunks).toString()
          const { statusCode = 0 } = res
          if (statusCode < 200 || statusCode > 299) {
            reject(new Error(`the server answered ${statusCode}: ${text.slice(0, 256)}`))
            return
          }
          try {
            resolve(JSON.parse(text))
          } catch (error) {
            reject(new Error(`the answer is not JSON: ${(error as Error).message}`))
          }
        })
      },
    )
    req.once('error', fail)
    req.end(body)
  })
}
