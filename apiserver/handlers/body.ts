import type { IncomingMessage } from 'node:http'
import { badRequestError, timeoutError, tooLargeError } from '../../api/machinery/errors.ts'

/** Upstream's limit of a request body. */
export const maxBodyBytes = 3 * 1024 * 1024

/** Reads a whole body. Throws 413 over the limit, 400 when the client goes away, 504 when it takes too long. */
export function readBody(req: IncomingMessage, limit = maxBodyBytes, timeoutMs = 60_000): Promise<Buffer> {
  const announced = Number(req.headers['content-length'] ?? 0)
  if (announced > limit) return Promise.reject(tooLarge(limit))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => finish(() => reject(timeoutError('reading the request body took too long'))), timeoutMs)
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      req.removeAllListeners('data')
      settle()
    }
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) finish(() => reject(tooLarge(limit)))
      else chunks.push(chunk)
    })
    req.once('end', () => finish(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))))
    req.once('error', () => finish(() => reject(badRequestError('the request body could not be read'))))
    req.once('close', () => finish(() => reject(badRequestError('the request ended before its body was complete'))))
  })
}

const tooLarge = (limit: number) => tooLargeError(`Request entity too large: limit is ${limit}`)
