import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing but the page's own files runs in it, and it talks to nobody but the server that it came from. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/**
 * Sends a file of the page, which the build has compressed; it is read when it is asked for, so that the server keeps
 * nothing of it. False: there is no such file.
 */
export async function sendFile(
  directory: string,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<boolean> {
  const type = types[extname(name)]
  if (!type || !/^[\w-]+(\.[\w-]+)+$/.test(name)) return false
  let body: Buffer
  try {
    body = await readFile(join(directory, `${name}.br`))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  const takesBrotli = /\bbr\b/.test(String(req.headers['accept-encoding'] ?? ''))
  if (!takesBrotli) body = await promisify(brotliDecompress)(body)
  res.writeHead(200, {
    ...headers,
    'Content-Type': type,
    'Content-Length': body.length,
    ...(takesBrotli ? { 'Content-Encoding': 'br' } : {}),
    Vary: 'Accept-Encoding',
    // But for the first, the name of a file is that of its content.
    'Cache-Control': name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable',
  })
  res.end(req.method === 'HEAD' ? undefined : body)
  return true
}
