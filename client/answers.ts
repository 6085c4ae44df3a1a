import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Status } from '../api/generated/types.ts'

const maxAnswerBytes = 1 << 30

/** What an answer says, uncompressed. */
export function bodyOf(answer: IncomingMessage): Readable {
  if (answer.headers['content-encoding'] !== 'gzip') return answer
  const plain = createGunzip()
  answer.once('error', (error) => plain.destroy(error))
  answer.once('aborted', () =>
    plain.destroy(Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' })),
  )
  return answer.pipe(plain)
}

/** All of it; throws for one that is too large to be held. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(answer) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new Error('the answer is larger than 1 GiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** The lines of a stream; what comes after the last line's end is not one. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let parts: Buffer[] = []
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        const piece = chunk.subarray(from, end)
        const line = parts.length > 0 ? Buffer.concat([...parts, piece]).toString() : piece.toString()
        parts = []
        from = end + 1
        if (line !== '') yield line
      }
      if (from < chunk.length) parts.push(chunk.subarray(from))
    }
  } finally {
    stream.destroy()
  }
}

/** The Status that a text is; undefined for any other. */
export function statusOf(text: string): Status | undefined {
  try {
    const body = JSON.parse(text) as Status
    return body.kind === 'Status' ? body : undefined
  } catch {
    return undefined
  }
}
