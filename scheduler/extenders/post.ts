import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { ConnectionOptions } from 'node:tls'

export interface PosterOptions {
  timeoutMs: number
  tls: ConnectionOptions
}

/** Posts JSON to a verb below the prefix. Rejects with an Error unless the answer is 200 and JSON, and comes in time. */
export type Poster = (verb: string, body: unknown) => Promise<unknown>

/** Connections are kept from one question to the next. */
export function newPoster(prefix: string, { timeoutMs, tls }: PosterOptions): Poster {
  const isTls = prefix.startsWith('https:')
  const agent = isTls ? new TlsAgent({ keepAlive: true, ...tls }) : new PlainAgent({ keepAlive: true })
  const request = isTls ? tlsRequest : plainRequest
  return (verb, body) => {
    const url = `${prefix.replace(/\/+$/, '')}/${verb}`
    const text = JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`failed ${verb} with extender at URL ${url}, ${what}`))
      const asked = request(url, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        signal: AbortSignal.timeout(timeoutMs),
      })
      asked.on('error', (error) => fail(error.name === 'AbortError' ? `no answer in ${timeoutMs} ms` : error.message))
      asked.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => fail(error.message))
        response.on('end', () => {
          if (response.statusCode !== 200) {
            fail(`code ${response.statusCode}`)
            return
          }
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')))
          } catch (error) {
            fail((error as Error).message)
          }
        })
      })
      asked.end(text)
    })
  }
}

/** Fields by their names in lower case: Go reads them whatever their case, so extenders write them as they like. */
export type Lowered = Record<string, unknown>

/** Nothing where the value is no object. */
export const lowered = (value: unknown): Lowered =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]))
    : {}
