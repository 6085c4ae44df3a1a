import type { ServerResponse } from 'node:http'
import { createGzip } from 'node:zlib'
import { stringify } from 'yaml'
import {
  conflictError,
  expiredError,
  internalServerError,
  modifiedMessage,
  StatusError,
  timeoutError,
  unavailableError,
} from '../../api/machinery/errors.ts'
import { Compacted, Conflict, Unavailable } from '../storage/store.ts'
import type { MediaType } from './negotiate.ts'

/** Upstream compresses answers from here on. */
const gzipFromBytes = 128 << 10
const blockBytes = 256 << 10

/** Sends a whole JSON body, as YAML or indented where that was asked for. */
export function sendBytes(res: ServerResponse, code: number, json: Buffer, media: MediaType): void {
  if (media.format === 'yaml') {
    const yaml = Buffer.from(stringify(JSON.parse(json.toString())))
    writeHead(res, code, 'application/yaml', yaml.length)
    res.end(yaml)
    return
  }
  const body = media.pretty ? Buffer.from(`${JSON.stringify(JSON.parse(json.toString()), null, 2)}\n`) : json
  if (body.length >= gzipFromBytes && acceptsGzip(res)) {
    sendParts(res, code, [body], media).catch(() => res.destroy())
    return
  }
  writeHead(res, code, 'application/json', body.length)
  res.end(body)
}

export function sendObject(res: ServerResponse, code: number, object: object, media: MediaType): void {
  sendBytes(res, code, Buffer.from(JSON.stringify(object)), media)
}

/**
 * Sends a body that comes in parts, at the pace the client reads it, so that a large list costs little memory.
 * Resolves when the last part has been handed over or the client is gone.
 */
export async function sendParts(
  res: ServerResponse,
  code: number,
  parts: Iterable<Buffer>,
  media: MediaType,
): Promise<void> {
  if (media.format === 'yaml' || media.pretty) {
    sendBytes(res, code, Buffer.concat([...parts]), media)
    return
  }
  const blocks = inBlocks(parts)
  const first = blocks.next()
  if (first.done) return
  const second = blocks.next()
  if (second.done && (first.value.length < gzipFromBytes || !acceptsGzip(res))) {
    writeHead(res, code, 'application/json', first.value.length)
    res.end(first.value)
    return
  }
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' }
  const gzip = acceptsGzip(res) ? createGzip({ level: 1 }) : undefined
  res.writeHead(code, gzip ? { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } : headers)
  if (gzip) gzip.pipe(res)
  const out = gzip ?? res
  const gone = new Promise<void>((resolve) => res.once('close', resolve))
  const write = async (block: Buffer) => {
    if (out.write(block)) return
    await Promise.race([new Promise<void>((resolve) => out.once('drain', resolve)), gone])
  }
  await write(first.value)
  if (!second.done) await write(second.value)
  for (const block of blocks) {
    if (res.destroyed) break
    await write(block)
  }
  out.end()
}

/** Many small buffers as a few large ones: each write costs a TLS record and a system call. */
function* inBlocks(parts: Iterable<Buffer>): Generator<Buffer, void> {
  let waiting: Buffer[] = []
  let size = 0
  for (const part of parts) {
    waiting.push(part)
    size += part.length
    if (size < blockBytes) continue
    yield Buffer.concat(waiting, size)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting, size)
}

/** Sends the Status of any error, as upstream words it. */
export function sendError(res: ServerResponse, error: unknown, media: MediaType): void {
  if (res.headersSent) {
    // Half an answer cannot be taken back; cutting it off is the only honest thing.
    res.destroy()
    return
  }
  const status = toStatusError(error)
  const wait = status.details?.retryAfterSeconds
  if (wait) res.setHeader('Retry-After', String(wait))
  sendObject(res, status.code, status.toStatus(), media)
}

export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  if (error instanceof Conflict) return conflictError({ group: '', resource: 'object' }, error.key, modifiedMessage)
  if (error instanceof Compacted) return expiredError(`too old resource version: ${error.requested} (${error.oldest})`)
  if (error instanceof Unavailable) {
    return error.unknown
      ? timeoutError(`the store did not answer in time; the change may or may not have been made (${error.message})`, 1)
      : unavailableError(`the store is not available: ${error.message}`)
  }
  return internalServerError(error instanceof Error ? error.message : String(error))
}

function writeHead(res: ServerResponse, code: number, type: string, length: number): void {
  res.writeHead(code, { 'Content-Type': type, 'Cache-Control': 'no-cache, private', 'Content-Length': length })
}

function acceptsGzip(res: ServerResponse): boolean {
  return /\bgzip\b/.test(String(res.req.headers['accept-encoding'] ?? ''))
}
