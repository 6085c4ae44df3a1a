import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createAuthority, issueServingCertificate } from '../api/certificates/issue.ts'
import { until } from '../test/support/until.ts'
import { Client } from './client.ts'
import { isConflict, isGone, isNotFound } from './errors.ts'
import { configMaps, nodes, pods } from './resources.ts'

type Answer = (req: IncomingMessage, res: ServerResponse, body: string) => void

let server: Server | undefined
let client: Client | undefined
const asked: { line: string; headers: IncomingMessage['headers']; body: string }[] = []

afterEach(() => {
  client?.close()
  server?.close()
  server?.closeAllConnections()
  asked.length = 0
})

/** A server that gives the answers in turn, the last one again and again. */
async function serve(...answers: Answer[]): Promise<Client> {
  server = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk: Buffer) => {
      body += chunk
    })
    req.once('end', () => {
      asked.push({ line: `${req.method} ${req.url}`, headers: req.headers, body })
      const answer = answers[Math.min(asked.length, answers.length) - 1] as Answer
      answer(req, res, body)
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  client = new Client(
    { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' },
    { timeoutMs: 2000 },
  )
  return client
}

const send =
  (code: number, body: object, headers: Record<string, string> = {}): Answer =>
  (_req, res) => {
    res.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
const status = (code: number, reason: string, headers?: Record<string, string>) =>
  send(code, { kind: 'Status', code, reason, message: `it is ${reason}` }, headers)
const cut: Answer = (req) => (req.socket as Socket).destroy()

describe('the client', () => {
  it('asks upstream’s paths with who it is', async () => {
    const api = await serve(send(200, { metadata: {}, items: [] }))
    await api.get(configMaps, { namespace: 'a', name: 'b' })
    await api.list(pods, { labelSelector: 'x=y', limit: 5 })
    await api.get(nodes, { name: 'n' })
    await api.update(pods, { metadata: { namespace: 'a', name: 'p' } }, { subresource: 'status', fieldManager: 'me' })
    await api.patch(
      pods,
      { namespace: 'a', name: 'p' },
      { type: 'apply', body: {}, force: true },
      { fieldManager: 'me' },
    )
    await api.delete(pods, { namespace: 'a', name: 'p' }, { gracePeriodSeconds: 0, preconditions: { uid: 'u' } })
    await api.post(pods, { namespace: 'a', name: 'p' }, 'binding', { target: {} })
    expect(asked.map(({ line }) => line)).toEqual([
      'GET /api/v1/namespaces/a/configmaps/b',
      'GET /api/v1/pods?labelSelector=x%3Dy&limit=5',
      'GET /api/v1/nodes/n',
      'PUT /api/v1/namespaces/a/pods/p/status?fieldManager=me',
      'PATCH /api/v1/namespaces/a/pods/p?fieldManager=me&force=true',
      'DELETE /api/v1/namespaces/a/pods/p',
      'POST /api/v1/namespaces/a/pods/p/binding',
    ])
    expect(asked[0]?.headers.authorization).toBe('Bearer secret')
    expect(asked[4]?.headers['content-type']).toBe('application/apply-patch+yaml')
    expect(JSON.parse(asked[5]?.body ?? '')).toMatchObject({ gracePeriodSeconds: 0, preconditions: { uid: 'u' } })
  })

  it('turns refusals into errors that can be told apart', async () => {
    const api = await serve(status(404, 'NotFound'), status(409, 'Conflict'), status(410, 'Expired'))
    await expect(api.get(pods, { name: 'p' })).rejects.toSatisfy(isNotFound)
    await expect(api.get(pods, { name: 'p' })).rejects.toSatisfy(isConflict)
    await expect(api.get(pods, { name: 'p' })).rejects.toSatisfy(isGone)
  })

  it('waits and tries again when asked to, but not when a budget forbids an eviction', async () => {
    const busy = status(429, 'TooManyRequests', { 'retry-after': '0' })
    const api = await serve(busy, busy, send(200, { metadata: { name: 'p' } }), busy)
    expect((await api.create(pods, { metadata: { namespace: 'a', name: 'p' } })).metadata.name).toBe('p')
    expect(asked.length).toBe(3)
    await expect(api.post(pods, { namespace: 'a', name: 'p' }, 'eviction', {})).rejects.toMatchObject({ code: 429 })
    expect(asked.length).toBe(4)
  })

  it('repeats a read whose connection was cut, never a create', async () => {
    const api = await serve(cut, send(200, { metadata: { name: 'p' } }), cut)
    expect((await api.get(pods, { namespace: 'a', name: 'p' })).metadata.name).toBe('p')
    await expect(api.create(pods, { metadata: { namespace: 'a' } })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(asked.length).toBe(3)
  })

  it('keeps to its connections, of which streams take none', async () => {
    const issued = { days: 1, nowMs: Date.now() }
    const ca = await createAuthority({ commonName: 'ca', ...issued })
    const { certPem, keyPem } = await issueServingCertificate(ca, { commonName: 'a', sans: ['127.0.0.1'], ...issued })
    let connections = 0
    const secure = createHttpsServer({ cert: certPem, key: keyPem }, (req, res) => {
      if (req.url?.includes('watch=true')) res.writeHead(200).write('\n')
      else send(200, { metadata: { name: 'p' } })(req, res, '')
    })
    secure.on('secureConnection', () => connections++)
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`
    const api = new Client({ server: url, ca: Buffer.from(ca.certPem) }, { maxSockets: 3 })
    const abort = new AbortController()
    try {
      const watches = Array.from({ length: 4 }, async () => {
        for await (const _ of api.watch(pods, { signal: abort.signal })) expect.unreachable()
      })
      await until(() => connections === 4, { message: 'all watches are open' })
      await Promise.all(Array.from({ length: 30 }, () => api.get(pods, { namespace: 'a', name: 'p' })))
      expect(connections).toBe(4 + 3)
      abort.abort()
      await Promise.allSettled(watches)
    } finally {
      api.close()
      secure.closeAllConnections()
      secure.close()
    }
  })

  it('reads compressed answers', async () => {
    const api = await serve((_req, res) => {
      const body = gzipSync(
        JSON.stringify({ metadata: { resourceVersion: '5' }, items: [{ metadata: { name: 'p' } }] }),
      )
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body)
    })
    expect((await api.list(pods)).items[0]?.metadata.name).toBe('p')
  })

  it('gives up on a server that does not answer', async () => {
    const api = await serve(() => {})
    await expect(api.create(pods, { metadata: {} })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })

  it('gives the events of a watch as they come, wherever the bytes are cut', async () => {
    const event = (name: string) => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name } } })}\n`
    const text = Buffer.from(`${event('é')}${event('two')}`)
    const api = await serve((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      let i = 0
      const next = () => {
        if (i >= text.length) res.end()
        else {
          res.write(text.subarray(i, i + 7))
          i += 7
          setImmediate(next)
        }
      }
      next()
    })
    const names: string[] = []
    for await (const { object } of api.watch(pods, { resourceVersion: '1', allowWatchBookmarks: true }))
      names.push((object.metadata as { name: string }).name)
    expect(names).toEqual(['é', 'two'])
    expect(asked[0]?.line).toBe('GET /api/v1/pods?resourceVersion=1&allowWatchBookmarks=true&watch=true')
  })

  it('throws what a watch is told in its stream, and ends when its signal fires', async () => {
    const api = await serve(
      (_req, res) => {
        res
          .writeHead(200)
          .end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`)
      },
      (_req, res) => void res.writeHead(200).write('\n'),
    )
    const drain = async (signal?: AbortSignal) => {
      for await (const _ of api.watch(pods, signal ? { signal } : {}));
    }
    await expect(drain()).rejects.toSatisfy(isGone)
    const stop = new AbortController()
    const ended = drain(stop.signal)
    setTimeout(() => stop.abort(), 50)
    await expect(ended).rejects.toThrow()
  })
})
