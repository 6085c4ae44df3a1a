import { session, setSession } from '../session.ts'

/** A refusal, in the server's words. */
export class ServerError extends Error {
  readonly code: number
  readonly reason: string
  constructor(code: number, reason: string, message: string) {
    super(message)
    this.name = 'ServerError'
    this.code = code
    this.reason = reason
  }
}

export interface Ask {
  method?: string
  body?: string
  type?: string
  accept?: string
  signal?: AbortSignal
  /** Another token than the session's: to try one. */
  token?: string
}

/** One request as the user of the session; resolves to the text of the answer. Throws a {@link ServerError}. */
export async function ask(
  path: string,
  { method = 'GET', body, type, accept, signal, token }: Ask = {},
): Promise<string> {
  const bearer = token ?? session()?.token
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      cache: 'no-store',
      credentials: 'omit',
      headers: {
        Accept: accept ?? 'application/json',
        ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
        ...(body === undefined ? {} : { 'Content-Type': type ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ServerError(0, 'Unreachable', 'the server cannot be reached')
  }
  const text = await answer.text()
  if (answer.ok) return text
  const error = refusal(answer.status, text)
  if (error.code === 401 && token === undefined) setSession(undefined, 'The session is over. Log in again.')
  throw error
}

/** The same for an answer in JSON. */
export async function askJson<T>(path: string, options: Ask = {}): Promise<T> {
  return JSON.parse(await ask(path, options)) as T
}

function refusal(code: number, text: string): ServerError {
  try {
    const { reason = '', message = text } = JSON.parse(text) as { reason?: string; message?: string }
    return new ServerError(code, reason, message)
  } catch {
    return new ServerError(code, '', text || `the server answered with ${code}`)
  }
}

/** A WebSocket to the server as the user of the session, who is told as a protocol: pages can set no header. */
export function openSocket(path: string, protocol: string): WebSocket {
  const bytes = new TextEncoder().encode(session()?.token ?? '')
  const token = btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${path}`, [
    `base64url.bearer.authorization.k8s.io.${token}`,
    protocol,
  ])
  socket.binaryType = 'arraybuffer'
  return socket
}
