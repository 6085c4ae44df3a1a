import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from './testing/running-server.ts'

let server: RunningServer | undefined
const start = async (...flags: string[]) => {
  server = await runServer(flags)
  return server
}
afterEach(async () => {
  await server?.stop()
  server = undefined
})

const configMaps = '/api/v1/namespaces/default/configmaps'

/** A connection of our own, to send what no client library would. */
function dial({
  url,
  admin,
}: RunningServer): Promise<{ socket: TLSSocket; text: () => string; closed: Promise<void> }> {
  const { hostname, port } = new URL(url)
  const { ca, cert, key } = admin as { ca: Buffer; cert: Buffer; key: Buffer }
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ host: hostname, port: Number(port), ca, cert, key }, () => {
      resolve({ socket, text: () => text, closed: new Promise((done) => socket.once('close', () => done())) })
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.once('error', reject)
  })
}

/** Sends the head of a write and half of its body, which keeps the request running until {@link finish}. */
async function halfWrite(to: RunningServer, name: string, token = '') {
  const body = JSON.stringify({ metadata: { name } })
  const connection = await dial(token === '' ? to : { ...to, admin: to.nobody })
  const who = token === '' ? '' : `Authorization: Bearer ${token}\r\n`
  connection.socket.write(
    `POST ${configMaps} HTTP/1.1\r\nHost: x\r\n${who}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  )
  return { ...connection, finish: () => connection.socket.write(body.slice(5)) }
}

const until = async (holds: () => boolean | Promise<boolean>) => {
  for (;;) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('limits', () => {
  /** A server with one who may do everything, but is no administrator. */
  const startWithUser = async (...flags: string[]) => {
    server = await runServer([...flags, '--authorization-mode=AlwaysAllow'], (directory) => {
      writeFileSync(join(directory, 'tokens.csv'), 'secret,alice,1\n')
      return [`--token-auth-file=${join(directory, 'tokens.csv')}`]
    })
    return { ...server, alice: { as: server.nobody, headers: { authorization: 'Bearer secret' } } }
  }
  const writing = (count: number) =>
    until(async () =>
      String((await server?.get('/metrics'))?.text).includes(
        `apiserver_current_inflight_requests{request_kind="mutating"} ${count}`,
      ),
    )

  it('refuses a write over the limit with 429 and Retry-After, and lets reads and watches pass', async () => {
    const { create, get, alice } = await startWithUser('--max-mutating-requests-inflight=1')
    const running = await halfWrite(server as RunningServer, 'slow', 'secret')
    await writing(1)
    const refused = await create(configMaps, { metadata: { name: 'other' } }, alice)
    expect([refused.code, refused.headers['retry-after'], refused.body.reason]).toEqual([429, '1', 'TooManyRequests'])
    expect((await get(configMaps, alice)).code).toBe(200)
    expect((await get(`${configMaps}?watch=true&timeoutSeconds=1&resourceVersion=0`, alice)).code).toBe(200)
    running.finish()
    await until(() => running.text().includes('201 Created'))
    running.socket.destroy()
    expect((await create(configMaps, { metadata: { name: 'other' } }, alice)).code).toBe(201)
  })

  it('lets administrators write and probes ask whatever else goes on', async () => {
    const { create, get, alice, request } = await startWithUser(
      '--max-mutating-requests-inflight=1',
      '--max-requests-inflight=1',
    )
    const running = await halfWrite(server as RunningServer, 'slow', 'secret')
    await writing(1)
    expect((await create(configMaps, { metadata: { name: 'mending' } })).code).toBe(201)
    running.socket.destroy()
    await writing(0)
    // One read that waits for a version that has not come yet.
    const waiting = get(`${configMaps}?resourceVersion=1000000&resourceVersionMatch=NotOlderThan`, alice)
    await until(async () => (await get(configMaps, alice)).code === 429)
    expect((await request('GET', '/livez', undefined, alice)).code).toBe(200)
    expect((await get(configMaps)).code).toBe(200)
    expect((await waiting).code).toBe(504)
  })

  it('ends a request that takes too long with 504, and writes nothing', async () => {
    const { get } = await start('--request-timeout=1s')
    const running = await halfWrite(server as RunningServer, 'slow')
    await running.closed
    expect(running.text()).toMatch(/^HTTP\/1\.1 504 /)
    expect(running.text()).toContain('Timeout: request did not complete within the allotted timeout')
    expect((await get(configMaps)).body.items).toEqual([])
  })

  it('ends a request as early as its client wants, and refuses what is no duration', async () => {
    const { get } = await start()
    // A version that has not come yet is waited for, for seconds.
    const future = `${configMaps}?resourceVersion=1000000&resourceVersionMatch=NotOlderThan`
    const startedAt = performance.now()
    const late = await get(`${future}&timeout=50ms`)
    expect([late.code, late.body.message]).toEqual([504, expect.stringContaining('allotted timeout')])
    expect(performance.now() - startedAt).toBeLessThan(2000)
    expect((await get(`${configMaps}?timeout=30s`)).code).toBe(200)
    for (const wrong of ['soon', '-1s', '5']) {
      const refused = await get(`${configMaps}?timeout=${wrong}`)
      expect([refused.code, refused.body.message]).toEqual([400, expect.stringContaining('invalid timeout specified')])
    }
  })

  it('cuts off a client that does not read its answer', async () => {
    const { create, get } = await start('--request-timeout=1s')
    for (let i = 0; i < 24; i++)
      await create(configMaps, { metadata: { name: `big-${i}` }, data: { text: 'x'.repeat(1 << 20) } })
    const { socket, text, closed } = await dial(server as RunningServer)
    socket.on('error', () => {})
    socket.write(`GET ${configMaps} HTTP/1.1\r\nHost: x\r\n\r\n`)
    socket.pause()
    await until(async () =>
      /apiserver_request_total\{verb="LIST",[^}]*resource="configmaps"/.test((await get('/metrics')).text),
    )
    socket.resume()
    await closed
    expect(text().length).toBeLessThan(24 << 20)
  })

  it('refuses a body over 3 MiB with 413, whether its length is announced or not, and writes nothing', async () => {
    const { create, get } = await start()
    const big = { metadata: { name: 'big' }, data: { text: 'x'.repeat(3 << 20) } }
    const refused = await create(configMaps, big).catch((error: NodeJS.ErrnoException) => error.code)
    // The server does not read what it refuses: the client may see the answer or the closed connection.
    if (typeof refused === 'object') expect([refused.code, refused.body.reason]).toEqual([413, 'RequestEntityTooLarge'])
    else expect(['EPIPE', 'ECONNRESET']).toContain(refused)
    const { socket, text, closed } = await dial(server as RunningServer)
    socket.on('error', () => {})
    socket.write(
      `POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    const chunk = 'y'.repeat(1 << 20)
    for (let i = 0; i < 4; i++) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    await Promise.race([until(() => text().includes('HTTP/1.1 413')), closed])
    expect(text()).toContain('HTTP/1.1 413')
    socket.destroy()
    expect((await get(configMaps)).body.items).toEqual([])
  })

  it('answers 400 to what is not HTTP', async () => {
    const { socket, text, closed } = await dial(await start())
    socket.write('\u0000\u0001 nonsense\r\n\r\n')
    await closed
    expect(text()).toContain('HTTP/1.1 400')
  })
})

describe('a clean stop', () => {
  it('answers what runs, ends watches, refuses new connections, and loses nothing', async () => {
    const first = await start()
    const { end, get } = first
    const watch = await dial(first)
    watch.socket.write(`GET ${configMaps}?watch=true HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until(async () => (await get('/metrics')).text.includes('verb="WATCH"'))
    const running = await halfWrite(first, 'last')
    await until(async () =>
      (await get('/metrics')).text.includes('apiserver_current_inflight_requests{request_kind="mutating"} 1'),
    )
    const stopped = end()
    // A watch ends as one that has run its time does: a whole answer, which a client resumes elsewhere.
    await until(() => watch.text().endsWith('0\r\n\r\n'))
    expect(watch.text()).toContain('HTTP/1.1 200')
    await expect(dial(first)).rejects.toThrow()
    running.finish()
    await until(() => running.text().includes('201 Created'))
    await running.closed
    await stopped
  })

  it('cuts off what does not finish within the grace period', async () => {
    const first = await start('--shutdown-grace-period=1')
    const { closed } = await halfWrite(first, 'never')
    await first.end()
    await closed
  })
})

describe('health', () => {
  it('has a short and a verbose form, single checks and exclusions', async () => {
    const { get } = await start()
    for (const endpoint of ['healthz', 'livez', 'readyz']) {
      expect((await get(`/${endpoint}`)).text).toBe('ok')
      const verbose = await get(`/${endpoint}?verbose`)
      expect(verbose.text).toContain('[+]ping ok\n')
      expect(verbose.text).toContain('[+]etcd ok\n')
      expect(verbose.text.endsWith(`${endpoint} check passed\n`)).toBe(true)
      expect((await get(`/${endpoint}/ping`)).text).toBe('ok')
      expect((await get(`/${endpoint}/no-such-check`)).code).toBe(404)
      expect((await get(`/${endpoint}?verbose&exclude=etcd`)).text).toContain('[+]etcd excluded: ok')
    }
    expect((await get('/readyz?verbose&exclude=nonsense')).text).toContain(
      'warn: some health checks cannot be excluded: no matches for "nonsense"',
    )
  })
})

describe('metrics', () => {
  it('count requests, objects and watches under upstream’s names', async () => {
    const { create, get } = await start()
    await create(configMaps, { metadata: { name: 'one' } })
    await get(`${configMaps}/one`)
    await get(`${configMaps}/two`)
    const { text } = await get('/metrics')
    const series = (pattern: RegExp) => expect(text).toMatch(pattern)
    series(/^apiserver_request_total\{verb="POST",[^}]*resource="configmaps",[^}]*code="201"[^}]*\} 1$/m)
    series(/^apiserver_request_total\{verb="GET",[^}]*resource="configmaps",[^}]*code="200"[^}]*\} 1$/m)
    series(/^apiserver_request_total\{verb="GET",[^}]*resource="configmaps",[^}]*code="404"[^}]*\} 1$/m)
    series(/^apiserver_request_duration_seconds_bucket\{le="0\.05",verb="POST",[^}]*resource="configmaps"/m)
    series(/^apiserver_storage_objects\{resource="configmaps"\} \d+$/m)
    series(/^process_resident_memory_bytes \d+$/m)
    series(/^apiserver_response_sizes_bucket\{le="10000",verb="GET",[^}]*resource="configmaps"[^}]*\} 2$/m)
    series(/^apiserver_watch_cache_events_received_total\{group="",resource="configmaps"\} [1-9]\d*$/m)
    series(/^etcd_request_duration_seconds_count\{operation="update"\} [1-9]\d*$/m)
    series(/^kubernetes_build_info\{git_version="v1\.36\.\d+\+gantry",[^}]*minor="36"[^}]*\} 1$/m)
  })
})

describe('the request log', () => {
  it('has a line for each request, with who asked and what was answered', async () => {
    const lines: Record<string, unknown>[] = []
    server = await runServer(
      ['--request-log'],
      () => [],
      (line) => lines.push(line),
    )
    await server.get(`${configMaps}/none`)
    await until(() => lines.some(({ msg }) => msg === 'request'))
    expect(lines.filter(({ msg }) => msg === 'request')).toEqual([
      expect.objectContaining({
        verb: 'get',
        path: `${configMaps}/none`,
        code: 404,
        user: 'kubernetes-admin',
        ms: expect.any(Number),
      }),
    ])
  })
})
