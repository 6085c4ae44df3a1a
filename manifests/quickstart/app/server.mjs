// The quickstart's application: says who it is, greets as its config map tells it to, and shows that it knows a secret
// without giving it away. Needs nothing but Node.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { hostname } from 'node:os'

// Where pods are plain processes, each has an address of its own instead of a network of its own.
const { PORT = '8080', POD_IP: address = '0.0.0.0', POD_NAME = hostname(), VERSION = '1' } = process.env

/**
 * Read anew each time: an edit of the config map arrives without a restart. Found from where this file is, /app: without
 * isolation the root of a container is a directory like any other.
 */
const text = (path) => {
  try {
    return readFileSync(new URL(`..${path}`, import.meta.url), 'utf8').trim()
  } catch {
    return undefined
  }
}

let stopping = false

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://hello')
  if (pathname === '/healthz') return send(200, { ok: true })
  // Out of the service first, ended later: nobody's request is cut off.
  if (pathname === '/readyz') return send(stopping ? 503 : 200, { ok: !stopping })
  const secret = text('/etc/hello-secret/token')
  return send(200, {
    greeting: text('/etc/hello/greeting') ?? 'hello',
    pod: POD_NAME,
    version: VERSION,
    secret: secret === undefined ? 'unknown' : `known, sha256 ${sha256(secret).slice(0, 12)}`,
  })

  function send(code, body) {
    response.writeHead(code, { 'content-type': 'application/json', ...(stopping ? { connection: 'close' } : {}) })
    response.end(`${JSON.stringify(body)}\n`)
  }
})

server.keepAliveTimeout = 5000
server.listen(Number(PORT), address, () => console.log(`hello ${VERSION} listens on ${address}:${PORT} as ${POD_NAME}`))

process.on('SIGTERM', () => {
  stopping = true
  console.log('stopping')
  // Those that still send here have a moment to learn that others do the work now.
  setTimeout(() => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  }, 1500)
})

function sha256(value) {
  return createHash('sha256').update(value).digest('hex')
}
