import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority, issueServingCertificate } from '../../../api/certificates/issue.ts'

/** The request of a review, as a webhook gets it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into requests about all kinds
export type ReviewRequest = any

/** Answers a review, or says nothing for as long as the connection lasts. */
export type Answering = (request: ReviewRequest) => Record<string, unknown> | undefined

export interface WebhookServer {
  port: number
  /** Base64 of the PEM of who signed its certificate. */
  caBundle: string
  url(path: string): string
  /** What `path` answers; others are not found. */
  on(path: string, answering: Answering): void
  /** All requests so far, in order. */
  seen: ReviewRequest[]
  /** How it was called for each. */
  calls: { url: string; host: string }[]
  /** How often somebody has connected. */
  connections(): number
  stop(): Promise<void>
}

/** A webhook on loopback, with a certificate for `names`. */
export async function startWebhooks(names: readonly string[] = ['127.0.0.1']): Promise<WebhookServer> {
  const nowMs = Date.now()
  const ca = await createAuthority({ commonName: 'webhooks', days: 1, nowMs })
  const own = await issueServingCertificate(ca, { commonName: 'webhook', sans: names, days: 1, nowMs })
  const paths = new Map<string, Answering>()
  const seen: ReviewRequest[] = []
  const calls: WebhookServer['calls'] = []
  const server = createServer({ cert: own.certPem, key: own.keyPem }, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const review = JSON.parse(Buffer.concat(chunks).toString())
    const answering = paths.get(new URL(req.url ?? '/', 'https://here').pathname)
    seen.push(review.request)
    calls.push({ url: req.url ?? '', host: req.headers.host ?? '' })
    if (!answering) {
      res.writeHead(404).end('nothing here')
      return
    }
    const response = answering(review.request)
    if (!response) return
    res.writeHead(200, { 'Content-Type': 'application/json' })
    const { kind, apiVersion } = review
    res.end(JSON.stringify({ kind, apiVersion, response: { uid: review.request.uid, ...response } }))
  })
  let connections = 0
  server.on('secureConnection', () => void connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    caBundle: Buffer.from(ca.certPem).toString('base64'),
    url: (path) => `https://127.0.0.1:${port}${path}`,
    on: (path, answering) => void paths.set(path, answering),
    seen,
    calls,
    connections: () => connections,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The part of an answer that changes an object. */
export const patching = (operations: readonly object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
