import { type RequestOptions, request } from 'node:https'

interface Question extends RequestOptions {
  timeoutMs: number
  /** What is said when nothing comes in time. */
  late: string
  body?: string
}

const largestAnswerBytes = 32 << 20

/** Asks another server over HTTPS. Rejects with an Error when no answer comes, or none in time, or one too large to hold. */
export function askServer({ timeoutMs, late, body, ...options }: Question): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const fail = (error: Error) => reject(signal.aborted ? new Error(late) : error)
    const req = request({ ...options, signal }, (res) => {
      const chunks: Buffer[] = []
      let size = 0
      res.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > largestAnswerBytes) req.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      res.once('error', fail)
      res.once('end', () => resolve({ code: res.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    req.once('error', fail)
    req.end(body)
  })
}
