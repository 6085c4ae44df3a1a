import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createNetServer, type Server as NetServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthority, issueServingCertificate } from '../api/certificates/issue.ts'
import { Client } from './client.ts'
import { proxyAgent, proxyFromEnvironment } from './proxy.ts'
import { configMaps } from './resources.ts'

describe('the proxy of the environment', () => {
  const proxyOf = (server: string, NO_PROXY = '') =>
    proxyFromEnvironment(server, { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY })

  test('is that of the protocol, in capitals or not', () => {
    expect(proxyOf('https://example.com')).toBe('http://proxy:3128')
    expect(proxyOf('http://example.com')).toBeUndefined()
    expect(proxyFromEnvironment('http://example.com', { http_proxy: 'proxy:1' })).toBe('http://proxy:1')
    expect(proxyFromEnvironment('https://example.com', {})).toBeUndefined()
  })

  test.each(['https://localhost:6443', 'https://127.0.0.1:6443', 'https://[::1]:6443'])(
    'does not lead to %s, which is here',
    (server) => expect(proxyOf(server)).toBeUndefined(),
  )

  test.each([
    ['*', 'https://example.com', false],
    ['example.com', 'https://example.com', false],
    ['example.com', 'https://api.example.com', false],
    ['.example.com', 'https://api.example.com', false],
    ['*.example.com', 'https://api.example.com', false],
    ['.example.com', 'https://example.com', true],
    ['example.com', 'https://notexample.com', true],
    ['EXAMPLE.com:6443', 'https://Example.com:6443', false],
    ['example.com:6443', 'https://example.com', true],
    ['example.com:443', 'https://example.com', false],
    ['other, 10.0.0.0/8', 'https://10.1.2.3:6443', false],
    ['10.0.0.0/8', 'https://11.1.2.3', true],
    ['10.0.0.0/8', 'https://[fd00::1]', true],
    ['fd00::/8', 'https://[fd00::1]', false],
    ['fd00::1', 'https://[fd00::1]', false],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', false],
    ['10.1.2.3', 'https://10.1.2.3', false],
    ['2.3', 'https://10.1.2.3', true],
    ['10.0.0.0/99', 'https://10.1.2.3', true],
  ])('with NO_PROXY=%s leads to %s: %s', (without, server, leads) =>
    expect(proxyOf(server, without) !== undefined).toBe(leads),
  )
})

describe('a client behind a proxy', () => {
  let secure: Server
  let http: Server
  let socks: NetServer
  let ca: Buffer
  const through: string[] = []
  beforeAll(async () => {
    const issued = { days: 1, nowMs: Date.now() }
    const authority = await createAuthority({ commonName: 'ca', ...issued })
    const own = await issueServingCertificate(authority, { commonName: 'a', sans: ['api.example'], ...issued })
    ca = Buffer.from(authority.certPem)
    secure = createHttpsServer({ cert: own.certPem, key: own.keyPem }, (req, res) => {
      if (req.url?.includes('watch=true')) res.writeHead(200).write('{"type":"ADDED","object":{"metadata":{}}}\n')
      else res.end(JSON.stringify({ metadata: { name: req.headers.authorization } }))
    })
    // The name means nothing to anybody but the proxies.
    const dial = () => connect((secure.address() as AddressInfo).port, '127.0.0.1')
    http = createServer().on('connect', (req, socket) => {
      through.push(`http ${req.url} ${req.headers['proxy-authorization'] ?? ''}`.trim())
      const to = dial()
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(to).pipe(socket)
      for (const one of [socket, to]) one.on('error', () => {})
    })
    // RFC 1928, as far as a client without a password goes that names a host.
    socks = createNetServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write(Buffer.from([5, 0]))
        socket.once('data', (request) => {
          const length = request[4] ?? 0
          through.push(`socks ${request.subarray(5, 5 + length)}:${request.readUInt16BE(5 + length)}`)
          socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
          socket.pipe(dial()).pipe(socket)
        })
      })
    })
    for (const server of [secure, http, socks])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    secure.closeAllConnections()
    for (const server of [secure, http, socks]) server?.close()
  })
  const clientOf = (proxyUrl: string) =>
    new Client({ server: 'https://api.example:6443', ca, token: 'me', proxyUrl }, { timeoutMs: 10_000 })
  const portOf = (server: NetServer) => (server.address() as AddressInfo).port

  test.each([
    ['http', () => `http://user:word@127.0.0.1:${portOf(http)}`, 'http api.example:6443 Basic dXNlcjp3b3Jk'],
    ['SOCKS', () => `socks5h://127.0.0.1:${portOf(socks)}`, 'socks api.example:6443'],
  ])('reads and watches through one that speaks %s', async (_, url, passed) => {
    through.length = 0
    const client = clientOf(url())
    try {
      for (let i = 0; i < 3; i++)
        expect((await client.get(configMaps, { namespace: 'a', name: 'b' })).metadata.name).toBe('Bearer me')
      for await (const { type } of client.watch(configMaps, {})) {
        expect(type).toBe('ADDED')
        break
      }
      // One connection for all reads, and one for the watch.
      expect(through).toEqual([passed, passed])
    } finally {
      client.close()
    }
  })

  test('says that a proxy is none', async () => {
    await expect(proxyAgent('ftp://proxy', { keepAlive: false })).rejects.toThrow(
      'the proxy "ftp://proxy" is no URL with http, https or socks5',
    )
    await expect(clientOf('proxy').get(configMaps, { namespace: 'a', name: 'b' })).rejects.toThrow('the proxy "proxy"')
  })
})
