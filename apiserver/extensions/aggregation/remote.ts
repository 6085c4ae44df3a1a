import type { RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { askServer } from '../../ask-server.ts'
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
export async function askRemote(
  remote: Remote,
  client: FrontProxyClient,
  path: string,
  user: UserInfo,
  timeoutMs: number,
): Promise<unknown> {
  const { code, text } = await askServer({
    ...connectionTo(remote, client),
    path,
    agent: false,
    headers: { accept: 'application/json', ...identityHeaders(user) },
    timeoutMs,
    late: `no answer within ${timeoutMs / 1000} s`,
  })
  if (code !== 200) throw new Error(`bad status from ${path}: ${code}`)
  return JSON.parse(text)
}
