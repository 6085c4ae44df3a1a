import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CertifiedKey, createAuthority, issueServingCertificate } from '../api/certificates/issue.ts'
import { askServer } from './ask-server.ts'

let authority: CertifiedKey
let server: Server
let answer: (req: IncomingMessage, res: ServerResponse) => void

beforeAll(async () => {
  const nowMs = Date.now()
  authority = await createAuthority({ commonName: 'ca', days: 1, nowMs })
  const own = await issueServingCertificate(authority, { commonName: 'it', sans: ['127.0.0.1'], days: 1, nowMs })
  server = createServer({ cert: own.certPem, key: own.keyPem }, (req, res) => answer(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server?.closeAllConnections()
  server?.close()
})

const ask = (more: object = {}) => {
  const { port } = server.address() as AddressInfo
  return askServer({ host: '127.0.0.1', port, ca: authority.certPem, timeoutMs: 20_000, late: 'too late', ...more })
}

it('gives what is answered, whatever its code', async () => {
  answer = async (req, res) => {
    let text = ''
    for await (const chunk of req) text += chunk
    res.writeHead(404).end(`${req.method} ${text}`)
  }
  expect(await ask({ method: 'POST', body: 'hello' })).toEqual({ code: 404, text: 'POST hello' })
})

it('waits no longer than it is to, for an answer or for the rest of it', async () => {
  answer = () => {}
  await expect(ask({ timeoutMs: 100 })).rejects.toThrow('too late')
  answer = (_req, res) => void res.write('begun')
  await expect(ask({ timeoutMs: 300 })).rejects.toThrow('too late')
})

it('reads no answer that is too large to hold', async () => {
  const piece = Buffer.alloc(4 << 20)
  answer = (req, res) => {
    const more = () => {
      while (!req.socket.destroyed && res.write(piece));
    }
    res.on('drain', more)
    more()
  }
  await expect(ask()).rejects.toThrow('the answer is too large')
})

it('follows nobody elsewhere, and believes nobody else', async () => {
  answer = (_req, res) => void res.writeHead(302, { location: 'https://127.0.0.1:1/' }).end()
  expect(await ask()).toEqual({ code: 302, text: '' })
  await expect(ask({ ca: undefined })).rejects.toThrow('certificate')
})

it('says so where an answer breaks off', async () => {
  answer = (req, res) => {
    res.write('begun')
    setImmediate(() => req.socket.destroy())
  }
  await expect(ask()).rejects.toThrow(/aborted|ECONNRESET|hang up/)
})
