import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import type { Status } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Session } from '../session.ts'

/** Opens a WebSocket to a path of the server. A refusal is thrown as any other answer's would be. */
export async function openWebSocket(
  { client, headers, io }: Session,
  path: string,
  query: URLSearchParams,
  protocols: readonly string[],
): Promise<WebSocket> {
  const { server, userAgent } = client.config
  const url = `${server.replace(/^http/, 'ws')}${path}?${query}`
  const way = await client.connection.open('streams')
  const socket = new WebSocket(url, [...protocols], {
    ...way,
    headers: { ...client.connection.authorization(), ...headers, 'user-agent': userAgent ?? 'gantry-cli' },
    perMessageDeflate: false,
    maxPayload: 0,
  })
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.terminate()
      reject(io.signal.reason)
    }
    io.signal.addEventListener('abort', stop, { once: true })
    const settle = (then: () => void) => {
      io.signal.removeEventListener('abort', stop)
      then()
    }
    socket.once('open', () => settle(() => resolve(socket)))
    socket.once('unexpected-response', (request, answer) => {
      refusalOf(answer).then(
        (refusal) => settle(() => reject(refusal)),
        (error) => settle(() => reject(error)),
      )
      request.once('error', () => {})
    })
    socket.once('error', (error) => settle(() => reject(error)))
  })
}

/** The refusal that an answer is which is no upgrade. */
export async function refusalOf(answer: IncomingMessage): Promise<StatusError> {
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const code = answer.statusCode ?? 500
  const status = statusIn(text)
  return status
    ? new StatusError(status.code ?? code, status.reason ?? 'Unknown', status.message ?? '', status.details)
    : new StatusError(code, 'Unknown', text.slice(0, 1000) || `the server answered ${code}`)
}

function statusIn(text: string): Status | undefined {
  try {
    const body = JSON.parse(text) as Status
    return body.kind === 'Status' ? body : undefined
  } catch {
    return undefined
  }
}
