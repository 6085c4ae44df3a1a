import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningServer, runServer } from '../testing/running-server.ts'

/** Stands for a node agent: notes what it is asked and by whom. It echoes what comes over a switched connection. */
interface FakeAgent {
  port: number
  asked: { method: string; url: string; client: string }[]
  answer: (req: IncomingMessage, res: ServerResponse) => void
  stop: () => void
}

let server: RunningServer
let agent: FakeAgent
let app: { port: number; stop: () => void }

/** A command at which the agent says much, and leaves. */
const lastWords = 'last-words'
const manyBytes = 12_000_000

const pods = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  server = await runServer()
  agent = await startAgent(join(server.directory, 'data/pki'))
  app = await startApp()
  await server.create('/api/v1/nodes', { metadata: { name: 'n1' } })
  await server.patch('/api/v1/nodes/n1/status', {
    status: {
      addresses: [
        { type: 'Hostname', address: 'not-resolvable.invalid' },
        { type: 'InternalIP', address: '127.0.0.1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
    },
  })
  const container = (name: string) => ({ name, image: 'app', ports: [{ containerPort: app.port, name: 'web' }] })
  await server.create(pods, { metadata: { name: 'one' }, spec: { nodeName: 'n1', containers: [container('main')] } })
  await server.create(pods, {
    metadata: { name: 'two' },
    spec: { nodeName: 'n1', containers: [container('a'), container('b')], initContainers: [container('first')] },
  })
  await server.create(pods, { metadata: { name: 'unbound' }, spec: { containers: [container('main')] } })
  await server.create(pods, { metadata: { name: 'lost' }, spec: { nodeName: 'gone', containers: [container('main')] } })
  await server.patch(`${pods}/one/status`, { status: { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } })
})
afterAll(async () => {
  agent?.stop()
  app?.stop()
  await server?.stop()
})

describe('logs', () => {
  it('come from the agent of the pod’s node, asked with the server’s own certificate', async () => {
    agent.asked.length = 0
    const { code, text } = await server.get(`${pods}/one/log?tailLines=5&timestamps=true&pretty=true`)
    expect([code, text]).toEqual([200, 'from the agent\n'])
    expect(agent.asked).toEqual([
      {
        method: 'GET',
        url: '/containerLogs/default/one/main?tailLines=5&timestamps=true',
        client: 'kube-apiserver-kubelet-client',
      },
    ])
  })

  it('follow line by line, and the agent is told when the client goes', async () => {
    let closed: () => void = () => {}
    const gone = new Promise<void>((resolve) => {
      closed = resolve
    })
    agent.answer = (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/plain' })
      res.write('first\n')
      res.once('close', closed)
    }
    const first = await new Promise<string>((resolve, reject) => {
      const req = request(`${server.url}${pods}/one/log?follow=true`, server.admin, (res) => {
        res.once('data', (chunk: Buffer) => {
          resolve(chunk.toString())
          req.destroy()
        })
      })
      req.once('error', reject)
      req.end()
    })
    expect(first).toBe('first\n')
    await gone
    agent.answer = sayHello
  })

  it.each([
    ['binary.k8s.io', 'from the agent\n'],
    ['base64.binary.k8s.io', Buffer.from('from the agent\n').toString('base64')],
  ])('come over a WebSocket as well, by %s', async (protocol, wanted) => {
    const client = new WebSocket(`${server.url.replace('https', 'wss')}${pods}/one/log`, protocol, {
      ...(server.admin as object),
    })
    let text = ''
    client.on('message', (data: Buffer) => {
      text += data.toString()
    })
    const code = await new Promise((resolve, reject) => client.once('close', resolve).once('error', reject))
    expect([code, text]).toEqual([1000, wanted])
    const refused = new WebSocket(`${server.url.replace('https', 'wss')}${pods}/lost/log`, protocol, {
      ...(server.admin as object),
    })
    await expect(new Promise((resolve, reject) => refused.once('open', resolve).once('error', reject))).rejects.toThrow(
      '404',
    )
  })

  it('of a pod on no node are empty, and of one on a node that is gone refused', async () => {
    const unbound = await server.get(`${pods}/unbound/log`)
    expect([unbound.code, unbound.text]).toEqual([200, ''])
    const lost = await server.get(`${pods}/lost/log`)
    expect([lost.code, lost.body.message]).toEqual([404, 'nodes "gone" not found'])
  })

  it('want a container’s name where there are several', async () => {
    const unnamed = await server.get(`${pods}/two/log`)
    expect([unnamed.code, unnamed.body.message]).toEqual([
      400,
      'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [first]',
    ])
    const wrong = await server.get(`${pods}/two/log?container=c`)
    expect([wrong.code, wrong.body.message]).toEqual([400, 'container c is not valid for pod two'])
    expect((await server.get(`${pods}/two/log?container=first`)).code).toBe(200)
  })

  it('turn the agent’s own refusals into a Status', async () => {
    agent.answer = (_req, res) => res.writeHead(400, { 'Content-Type': 'text/plain' }).end('container is waiting')
    const { code, body } = await server.get(`${pods}/one/log`)
    agent.answer = sayHello
    expect([code, body.kind, body.reason]).toEqual([400, 'Status', 'BadRequest'])
    expect(body.message).toContain('container is waiting')
  })
})

describe('exec, attach and port-forward', () => {
  it('join the client’s connection with the agent’s, bytes unchanged both ways', async () => {
    agent.asked.length = 0
    for (const [path, asked] of [
      [
        'exec?command=sh&command=-c&command=echo+1&stdin=true&stdout=true',
        '/exec/default/one/main?input=1&output=1&command=sh&command=-c&command=echo+1',
      ],
      ['attach?stdout=true&stderr=true', '/attach/default/one/main?output=1&error=1'],
      ['portforward?ports=80&ports=81', '/portForward/default/one?port=80&port=81'],
    ]) {
      const { protocol, socket } = await upgrade(`${pods}/one/${path}`)
      expect(protocol).toBe('v5.channel.k8s.io')
      const sent = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256))
      const back = read(socket, sent.length)
      socket.write(sent)
      expect((await back).equals(sent)).toBe(true)
      socket.destroy()
      expect(agent.asked.at(-1)?.url).toBe(asked)
    }
  })

  it('give a client that reads slowly all that the agent said before it left', async () => {
    const { socket } = await upgrade(`${pods}/one/exec?command=${lastWords}&stdout=true`)
    let length = 0
    for await (const chunk of socket) {
      length += (chunk as Buffer).length
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(length).toBe(manyBytes)
  })

  it.each([
    ['exec?stdout=true', 400, 'you must specify at least one command for the container'],
    ['exec?command=ls', 400, 'you must specify at least one of stdin, stdout, stderr'],
  ])('%s is refused with %i', async (path, code, message) => {
    const answer = await server.request('POST', `${pods}/one/${path}`)
    expect([answer.code, answer.body.message]).toEqual([code, message])
  })

  it('of a pod on no node are refused', async () => {
    const answer = await server.request('POST', `${pods}/unbound/exec?command=ls&stdout=true`)
    expect([answer.code, answer.body.message]).toEqual([400, 'pod unbound does not have a host assigned'])
  })
})

describe('proxy', () => {
  it('reaches a pod’s port by number, by name and by default, with path, query and body', async () => {
    for (const target of ['one', `one:${app.port}`, 'one:web', `http:one:${app.port}`]) {
      const { code, text } = await server.request('POST', `${pods}/${target}/proxy/a/b%20c?x=1`, 'hello')
      expect([code, text]).toEqual([200, 'POST /a/b%20c?x=1 hello'])
    }
    const wrong = await server.get(`${pods}/one:nothing/proxy/`)
    expect([wrong.code, wrong.body.message]).toEqual([400, 'no port "nothing" on pod one'])
  })

  it('sends who asks for the root without its slash there', async () => {
    const { code, headers } = await server.get(`${pods}/one/proxy?x=1`)
    expect([code, headers.location]).toEqual([301, `${pods}/one/proxy/?x=1`])
  })

  it('reaches what is itself called proxy-something', async () => {
    await server.create(pods, {
      metadata: { name: 'proxy-one' },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'app', ports: [{ containerPort: app.port }] }] },
    })
    await server.patch(`${pods}/proxy-one/status`, { status: { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } })
    const { code, text } = await server.request('POST', `${pods}/proxy-one/proxy/proxy/x`, 'hello')
    expect([code, text]).toEqual([200, 'POST /proxy/x hello'])
    const bare = await server.get(`${pods}/proxy-one/proxy`)
    expect([bare.code, bare.headers.location]).toEqual([301, `${pods}/proxy-one/proxy/`])
  })

  it('makes the links of a page anew', async () => {
    const { text } = await server.get(`${pods}/one/proxy/page`)
    expect(text).toBe(`<a href="${pods}/one/proxy/next">on</a>`)
  })

  it('makes the place of a redirection anew', async () => {
    const { code, headers } = await server.get(`${pods}/one/proxy/away`)
    expect([code, headers.location]).toEqual([302, `${pods}/one/proxy/page`])
  })

  it('reaches a ready endpoint of a service, and says when there is none', async () => {
    await server.create('/api/v1/namespaces/default/services', {
      metadata: { name: 'web' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    })
    const path = '/api/v1/namespaces/default/services/web:http/proxy/x'
    const none = await server.get(path)
    expect([none.code, none.body.message]).toEqual([503, 'no endpoints available for service "web"'])
    const wrong = await server.get('/api/v1/namespaces/default/services/web:other/proxy/x')
    expect([wrong.code, wrong.body.message]).toEqual([503, 'no service port "other" found for service "web"'])
  })

  it('reaches the agent itself through its node', async () => {
    agent.asked.length = 0
    expect((await server.get('/api/v1/nodes/n1/proxy/healthz')).text).toBe('from the agent\n')
    expect(agent.asked[0]?.url).toBe('/healthz')
  })

  it('answers 502 when nothing listens', async () => {
    agent.stop()
    const { code, body } = await server.get(`${pods}/one/log`)
    expect([code, body.reason]).toEqual([502, 'BadGateway'])
  })
})

const sayHello: FakeAgent['answer'] = (_req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/plain' }).end('from the agent\n')
}

async function startAgent(pki: string): Promise<FakeAgent> {
  const file = (name: string) => readFileSync(join(pki, name))
  const fake: FakeAgent = { port: 0, asked: [], answer: sayHello, stop: () => {} }
  const note = (req: IncomingMessage) => {
    const client = (req.socket as TLSSocket).getPeerCertificate().subject?.CN ?? ''
    fake.asked.push({ method: req.method ?? '', url: req.url ?? '', client: String(client) })
  }
  const https = createServer(
    { cert: file('apiserver.crt'), key: file('apiserver.key'), ca: file('ca.crt'), requestCert: true },
    (req, res) => {
      note(req)
      fake.answer(req, res)
    },
  )
  https.on('upgrade', (req, socket: Duplex) => {
    note(req)
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n',
    )
    if (req.url?.includes(lastWords)) socket.end(Buffer.alloc(manyBytes))
    else socket.pipe(socket)
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
  fake.port = (https.address() as AddressInfo).port
  fake.stop = () => {
    https.close()
    https.closeAllConnections()
  }
  return fake
}

/** Stands for what runs in a pod: answers with what it was asked. */
async function startApp() {
  const http = createHttpServer((req, res) => {
    if (req.url === '/page') {
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<a href="/next">on</a>')
      return
    }
    if (req.url === '/away') {
      res.writeHead(302, { location: '/page' }).end()
      return
    }
    let body = ''
    req.on('data', (chunk: Buffer) => {
      body += chunk
    })
    req.once('end', () => res.end(`${req.method} ${req.url} ${body}`))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    port: (http.address() as AddressInfo).port,
    stop: () => {
      http.close()
      http.closeAllConnections()
    },
  }
}

function upgrade(path: string): Promise<{ protocol: string; socket: Duplex }> {
  return new Promise((resolve, reject) => {
    const req = request(`${server.url}${path}`, {
      ...server.admin,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'v5.channel.k8s.io',
      },
    })
    req.once('upgrade', (res, socket) => resolve({ protocol: String(res.headers['sec-websocket-protocol']), socket }))
    req.once('response', (res) => reject(new Error(`answered ${res.statusCode}`)))
    req.once('error', reject)
    req.end()
  })
}

function read(socket: Duplex, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size >= length) resolve(Buffer.concat(chunks))
    })
    socket.once('error', reject)
  })
}
