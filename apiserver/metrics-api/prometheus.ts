import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { internalServerError, unavailableError } from '../../api/machinery/errors.ts'

/** One series of an answer, at one time. */
export interface Series {
  labels: Record<string, string>
  value: number
  timeMs: number
}

/** Asks Prometheus for the value of a query now. Throws 503 where it cannot be reached, 500 where it refuses. */
export type Query = (query: string) => Promise<Series[]>

const timeoutMs = 10_000
const longestAnswerBytes = 16 << 20

/** What `/api/v1/query` answers, as far as it is read. */
interface Answer {
  status?: string
  error?: string
  data?: {
    resultType?: string
    result?: { metric: Record<string, string>; value: [seconds: number, value: string] }[] | [number, string]
  }
}

/** The queries of one Prometheus; user and password may be part of its address. */
export function prometheusAt(address: string): Query {
  const base = new URL(address)
  const { username, password } = base
  const auth = username === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }
  return async (query) => {
    const path = `${base.pathname.replace(/\/$/, '')}/api/v1/query`
    const { code, text } = await post(base, path, auth, `query=${encodeURIComponent(query)}`).catch((error: Error) => {
      throw unavailableError(`Prometheus at ${base.host} cannot be asked: ${error.message}`)
    })
    const answer = answerOf(text)
    if (answer?.status !== 'success') {
      const why = answer?.error ?? `it answered ${code}`
      if (answer === undefined || code >= 500)
        throw unavailableError(`Prometheus at ${base.host} has no answer: ${why}`)
      throw internalServerError(`Prometheus refuses the query ${query}: ${why}`)
    }
    return seriesOf(answer)
  }
}

function post(base: URL, path: string, options: object, body: string): Promise<{ code: number; text: string }> {
  const send = base.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const req = send(
      {
        ...options,
        method: 'POST',
        host: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port,
        path,
        signal,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) },
      },
      (res) => {
        let text = ''
        res.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
          if (text.length > longestAnswerBytes) req.destroy(new Error('the answer is too large'))
        })
        res.once('error', reject)
        res.once('end', () => resolve({ code: res.statusCode ?? 0, text }))
      },
    )
    req.once('error', (error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error))
    req.end(body)
  })
}

function answerOf(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer
  } catch {
    // Something else listens there, or stands before it; the caller tells what it said.
    return undefined
  }
}

function seriesOf({ data }: Answer): Series[] {
  const one = (labels: Record<string, string>, [seconds, text]: readonly [number, string]): Series => {
    const value = Number(text)
    // A part of nothing, such as errors of no requests.
    return { labels, value: Number.isNaN(value) ? 0 : value, timeMs: seconds * 1000 }
  }
  switch (data?.resultType) {
    case 'scalar':
      return [one({}, data.result as [number, string])]
    case 'vector': {
      const series = data.result as { metric: Record<string, string>; value: [number, string] }[]
      return series.map(({ metric: { __name__: _, ...labels }, value }) => one(labels, value))
    }
    default:
      throw internalServerError(
        `Prometheus answers with a ${data?.resultType}; a query must come to a vector or a scalar`,
      )
  }
}
