import { Agent } from 'node:https'
import { isIP } from 'node:net'
import type { WebhookClient } from '../../../api/admissionregistration/webhook-client.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import { askServer } from '../../ask-server.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { serviceBackend } from '../../services/backend.ts'

/** Asks webhooks over HTTPS. Connections are kept for the next question. */
export interface WebhookCaller {
  /** The JSON of the answer. Rejects with an Error that names the address, for anything but an answer in time. */
  call(client: WebhookClient, body: unknown, timeoutSeconds: number): Promise<unknown>
}

/** A connection that nobody has used for so long is closed. */
const idleMs = 60_000
/** For so many authorities connections are kept. */
const maxAgents = 64

export function createWebhookCaller(
  client: ServerClient,
  lookup: (group: string, plural: string) => Resource,
): WebhookCaller {
  const agents = new Map<string, Agent>()
  const agentFor = (caBundle: string): Agent => {
    let agent = agents.get(caBundle)
    if (!agent) {
      // Those that are being used are not disturbed: the connections of one that is forgotten close when they are idle.
      if (agents.size >= maxAgents) agents.delete(agents.keys().next().value as string)
      const ca = caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() }
      agent = new Agent({ keepAlive: true, timeout: idleMs, maxSockets: 64, maxFreeSockets: 4, ...ca })
      agents.set(caBundle, agent)
    }
    return agent
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
async function post(
  url: URL,
  backend: { host: string; port: number } | undefined,
  agent: Agent,
  body: string,
  timeoutSeconds: number,
): Promise<unknown> {
  const { code, text } = await askServer({
    agent,
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
    body,
    timeoutMs: timeoutSeconds * 1000,
    late: 'context deadline exceeded',
  })
  if (code < 200 || code > 299) throw new Error(`the server answered ${code}: ${text.slice(0, 256)}`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`the answer is not JSON: ${(error as Error).message}`)
  }
}
