import { type RequestOptions, request } from 'node:https'
import { isIP } from 'node:net'
import type { UserInfo } from '../../auth/types.ts'

/** Where a served group really comes from, and how it is reached. */
export interface Remote {
  host: string
  port: number
  /** Its certificate must be for this name. */
  servername: string
  /** PEM; absent: the system's authorities, or nobody's where `trustsAll`. */
  ca?: string
  trustsAll: boolean
}

/** By which the API server proves to be the one whose word on who asks counts. */
export interface FrontProxyClient {
  cert: string
  key: string
}

const largestAnswerBytes = 16 << 20

/** Options of a TLS connection to it. */
export const connectionTo = (
  { host, port, servername, ca, trustsAll }: Remote,
  { cert, key }: FrontProxyClient,
): RequestOptions & { protocol: 'https:'; host: string; port: number } => ({
  protocol: 'https:',
  host,
  port,
  cert,
  key,
  ...(isIP(servername) ? {} : { servername }),
  ...(ca ? { ca } : {}),
  rejectUnauthorized: !trustsAll,
})

/** Who asks, in the headers that servers behind this one believe. */
export function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'x-remote-user': name, 'x-remote-group': [...groups] }
  if (uid) headers['x-remote-uid'] = uid
  for (const [key, values] of Object.entries(extra)) {
    headers[`x-remote-extra-${encodeURIComponent(key.toLowerCase())}`] = [...values]
  }
  return headers
}

/** The JSON that it answers to a GET. Rejects with an Error for any other answer, and for none in time. */
export function askRemote(
  remote: Remote,
  client: FrontProxyClient,
  path: string,
  user: UserInfo,
  timeoutMs: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const req = request(
      {
        ...connectionTo(remote, client),
        path,
        signal,
        agent: false,
        headers: { accept: 'application/json', ...identityHeaders(user) },
      },
      (res) => {
        const chunks: Buffer[] = []
        let size = 0
        res.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > largestAnswerBytes) req.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        res.once('error', reject)
        res.once('end', () => {
          if (res.statusCode !== 200) reject(new Error(`bad status from ${path}: ${res.statusCode}`))
          else {
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString()))
            } catch (error) {
              reject(error)
            }
          }
        })
      },
    )
    req.once('error', (error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`) : error))
    req.end()
  })
}
