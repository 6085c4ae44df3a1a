import type { IncomingMessage } from 'node:http'
import { badRequestError, type StatusError, timeoutError, tooLargeError } from '../../api/machinery/errors.ts'

/** Upstream's limit of a request body. */
export const maxBodyBytes = 3 * 1024 * 1024

/** Reads a whole body. Throws 413 over the limit, 400 when the client goes away, 504 when it takes too long. */
export function readBody(req: IncomingMessage, limit = maxBodyBytes, timeoutMs = 60_000): Promise<Buffer> {
  const announced = Number(req.headers['content-length'] ?? 0)
  if (announced > limit) return Promise.reject(tooLarge(limit))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const settle = (error: StatusError | undefined) => {
      clearTimeout(timer)
      req.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut)
      if (error) reject(error)
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) settle(tooLarge(limit))
      else chunks.push(chunk)
    }
    const onEnd = () => settle(undefined)
    const onCut = () => settle(badRequestError('the request ended before its body was complete'))
    const timer = setTimeout(() => settle(timeoutError('reading the request body took too long')), timeoutMs)
    req.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
  })
}

const tooLarge = (limit: number) => tooLargeError(`Request entity too large: limit is ${limit}`)
