import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'
import { sendFile } from './files.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer()
})
afterAll(() => server?.stop())

const post = (path: string, body: object | undefined, headers = {}) =>
  server.request('POST', path, body, { as: server.nobody, headers })

describe('logging in', () => {
  test('a link made with credentials gives a session to who has none', async () => {
    const link = await server.create('/ui/links', {})
    expect(link.code).toBe(201)
    const [, code] = /^\/ui\/#login=([\w-]{24})$/.exec(link.body.path) ?? []
    const session = await post('/ui/session', { code })
    expect(session.code).toBe(201)
    const authorization = `Bearer ${session.body.token}`
    const ask = { as: server.nobody, headers: { authorization } }
    expect((await server.get('/api/v1/namespaces/default', ask)).code).toBe(200)
    expect((await post('/ui/session', { code })).body.message).toContain('has been used or is too old')
    expect((await post('/ui/links', {}, { authorization })).code).toBe(403)
    await post('/ui/logout', { token: session.body.token })
    expect((await server.get('/api/v1/namespaces/default', ask)).code).toBe(401)
  })

  test('who has no credentials gets no link', async () => {
    expect((await post('/ui/links', {})).code).toBe(401)
  })

  test.each([[undefined], [[]], [{ code: 5 }]])('a body like %j is refused', async (body) => {
    expect((await post('/ui/session', body)).code).toBe(400)
  })
})

describe('addresses', () => {
  test('/ui leads to /ui/, which says what to do while there is no page', async () => {
    const { code, headers } = await server.get('/ui', { as: server.nobody })
    expect([code, headers.location]).toEqual([301, '/ui/'])
    const page = await server.get('/ui/', { as: server.nobody })
    expect([page.code, page.body.message]).toEqual([503, 'the page has not been built: run `npm run build`'])
    expect((await server.get('/ui/nothing.js', { as: server.nobody })).code).toBe(404)
  })

  test('with --dashboard=false there is none', async () => {
    const without = await runServer(['--dashboard=false'])
    try {
      expect((await without.get('/ui/')).code).toBe(404)
    } finally {
      await without.stop()
    }
  })
})

describe('files', () => {
  let directory: string
  let files: Server
  let url: string
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-page-'))
    mkdirSync(join(directory, 'ui'))
    for (const name of ['index.html', 'page-ABC.js']) {
      writeFileSync(join(directory, 'ui', `${name}.br`), brotliCompressSync(`this is ${name}`))
    }
    writeFileSync(join(directory, 'secret.js.br'), 'secret')
    files = createServer((req, res) => {
      void sendFile(join(directory, 'ui'), decodeURIComponent((req.url ?? '').slice(1)), req, res).then((sent) => {
        if (!sent) res.writeHead(404).end()
      })
    })
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(files.address() as AddressInfo).port}`
  })
  afterAll(() => {
    files.close()
    files.closeAllConnections()
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(['br', 'identity'])('are sent to who takes %s', async (coding) => {
    const answer = await fetch(`${url}/page-ABC.js`, { headers: { 'accept-encoding': coding } })
    expect(await answer.text()).toBe('this is page-ABC.js')
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(answer.headers.get('cache-control')).toContain('immutable')
  })

  test('nothing but the page may run in it, or be talked to', async () => {
    const { headers } = await fetch(`${url}/index.html`)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(headers.get('cache-control')).toBe('no-cache')
  })

  test.each(['../secret.js', 'page-ABC.txt', 'nothing.js', ''])('there is none called %j', async (name) => {
    expect((await fetch(`${url}/${encodeURIComponent(name)}`)).status).toBe(404)
  })
})
