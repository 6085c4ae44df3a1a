import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type CertifiedKey,
  createAuthority,
  issueClientCertificate,
  issueServingCertificate,
} from '../api/certificates/issue.ts'
import { until } from '../test/support/until.ts'
import { Client } from './client.ts'
import { loadConfig } from './config.ts'
import { configMaps } from './resources.ts'
import { FakeClock } from './testing/fake-clock.ts'

// Programs that log in, as kubeconfigs name them, in front of a server that knows whom it sees.

const issued = { days: 1, nowMs: Date.now() }
let directory: string
let ca: CertifiedKey
let server: Server
/** By whom each request was made. */
const seen: string[] = []
/** What the server accepts; anything, where it is empty. */
let accepted = ''
/** Whether a refusal is to wait. */
let isHeld = () => false

beforeAll(async () => {
  ca = await createAuthority({ commonName: 'ca', ...issued })
  const own = await issueServingCertificate(ca, { commonName: 'a', sans: ['127.0.0.1'], ...issued })
  const tls = { cert: own.certPem, key: own.keyPem, ca: ca.certPem, requestCert: true, rejectUnauthorized: false }
  server = createServer(tls, async (req, res) => {
    const { subject } = (req.socket as TLSSocket).getPeerCertificate()
    const by = req.headers.authorization?.replace('Bearer ', '') ?? String(subject?.CN ?? 'nobody')
    seen.push(by)
    if (accepted === '' || by === accepted) return void res.end(JSON.stringify({ metadata: { name: by } }))
    if (isHeld()) await until(() => !isHeld())
    res.writeHead(401).end(JSON.stringify({ kind: 'Status', code: 401, reason: 'Unauthorized', message: 'who?' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-exec-'))
  seen.length = 0
  accepted = ''
  isHeld = () => false
})
const clients: Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  rmSync(directory, { recursive: true })
})

const address = () => `https://127.0.0.1:${(server.address() as AddressInfo).port}`
/** A kubeconfig whose user has a program. */
const kubeconfig = (exec: object, cluster: object = {}, user: object = {}) => {
  const data = Buffer.from(ca.certPem).toString('base64')
  const file = join(directory, 'config')
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster: { server: address(), 'certificate-authority-data': data, ...cluster } }],
    users: [{ name: 'u', user: { exec: { apiVersion: v1, interactiveMode: 'Never', ...exec }, ...user } }],
  }
  writeFileSync(file, JSON.stringify(config))
  return loadConfig({ kubeconfig: file })
}
const v1 = 'client.authentication.k8s.io/v1'
/** A program that counts how often it ran, and prints a credential in which N stands for that. */
const program = (status: object, before = '') => {
  const path = join(directory, 'login')
  const text = JSON.stringify({ apiVersion: v1, kind: 'ExecCredential', status }).replace('"N"', '"$n"')
  writeFileSync(
    path,
    `#!/bin/sh
cd "$(dirname "$0")"; echo >> runs; n=$(wc -l < runs); ${before}
cat <<END
${text}
END
`,
  )
  chmodSync(path, 0o755)
}
const runs = () => (existsSync(join(directory, 'runs')) ? readFileSync(join(directory, 'runs'), 'utf8').length : 0)
const clientOf = (...[exec, cluster, user]: Parameters<typeof kubeconfig>) => {
  const clock = new FakeClock()
  const client = new Client(kubeconfig(exec, cluster, user), { clock, timeoutMs: 10_000 })
  clients.push(client)
  return { clock, client, ask: async () => (await client.get(configMaps, { namespace: 'a', name: 'b' })).metadata.name }
}

describe('a program that gets the credentials', () => {
  test('is asked once for a token, which is used until it expires', async () => {
    const { clock, ask } = clientOf({ command: './login' })
    program({ token: 'N', expirationTimestamp: new Date(clock.now() + 60_000).toISOString() })
    expect([await ask(), await ask()]).toEqual(['1', '1'])
    await clock.advance(60_000)
    program({ token: 'N', expirationTimestamp: new Date(clock.now() + 60_000).toISOString() })
    expect([await ask(), await ask()]).toEqual(['2', '2'])
    expect(runs()).toBe(2)
  })

  test('is asked again when the server refuses what it said, once', async () => {
    const { ask } = clientOf({ command: './login' })
    program({ token: 'N' })
    accepted = '2'
    expect(await ask()).toBe('2')
    expect(seen).toEqual(['1', '2'])
    accepted = 'another'
    await expect(ask()).rejects.toMatchObject({ code: 401 })
    expect(seen).toEqual(['1', '2', '2', '3'])
  })

  test('is asked once more for all that are refused at once', async () => {
    const { ask } = clientOf({ command: './login' })
    program({ token: 'N' })
    await ask()
    accepted = '2'
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['2', '2', '2'])
    expect(runs()).toBe(2)
  })

  test('is not asked again by a refusal that comes after it was', async () => {
    const { ask } = clientOf({ command: './login' })
    program({ token: 'N' })
    await ask()
    accepted = '2'
    isHeld = () => seen.filter((by) => by === '1').length === 3 && runs() < 2
    expect(await Promise.all([ask(), ask()])).toEqual(['2', '2'])
    expect(runs()).toBe(2)
  })

  test('whose credential has expired already is asked each time', async () => {
    const { ask } = clientOf({ command: './login' })
    program({ token: 'N', expirationTimestamp: '1970-01-01T00:00:00Z' })
    expect([await ask(), await ask()]).toEqual(['1', '2'])
  })

  test('can give a certificate, with which connections are made anew when it is due', async () => {
    const { clock, ask } = clientOf({ command: './login' })
    for (const name of ['one', 'two']) {
      const { certPem, keyPem } = await issueClientCertificate(ca, { commonName: name, ...issued })
      const expirationTimestamp = new Date(clock.now() + 60_000).toISOString()
      program({ clientCertificateData: certPem, clientKeyData: keyPem, expirationTimestamp })
      expect([await ask(), await ask()]).toEqual([name, name])
      await clock.advance(60_000)
    }
    expect(runs()).toBe(2)
  })

  test('is not asked where there is a token', async () => {
    const { ask } = clientOf({ command: './missing' }, {}, { token: 'mine' })
    expect(await ask()).toBe('mine')
  })

  test('hears of the cluster when it is to, has its arguments and its environment', async () => {
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'us' } }]
    program({ token: 'N' }, 'echo "$KUBERNETES_EXEC_INFO" > info; echo "$1 $MINE" > words')
    const exec = { command: './login', args: ['word'], env: [{ name: 'MINE', value: 'value' }] }
    await clientOf({ ...exec, provideClusterInfo: true }, { extensions, 'disable-compression': true }).ask()
    const read = (name: string) => readFileSync(join(directory, name), 'utf8')
    expect(read('words')).toBe('word value\n')
    expect(JSON.parse(read('info'))).toEqual({
      kind: 'ExecCredential',
      apiVersion: v1,
      spec: {
        interactive: false,
        cluster: {
          server: address(),
          'disable-compression': true,
          'certificate-authority-data': Buffer.from(ca.certPem).toString('base64'),
          config: { audience: 'us' },
        },
      },
    })
    await clientOf(exec).ask()
    expect(JSON.parse(read('info')).spec).toEqual({ interactive: false })
  })

  test.each([
    [
      { command: 'no-such-login', installHint: 'install it with care' },
      'executable no-such-login not found\n\ninstall it',
    ],
    [
      { command: './login', apiVersion: 'v1' },
      'exec plugin: invalid apiVersion "v1": use client.authentication.k8s.io/v1',
    ],
    [{ command: '/bin/false' }, 'exec: executable /bin/false failed with exit code 1'],
    [{ command: '/bin/echo', args: ['hello'] }, 'what it printed is no JSON'],
    [{ command: '/bin/echo', args: ['{"kind": "Pod"}'] }, 'it printed no ExecCredential but "Pod"'],
    [{ command: './login', apiVersion: 'client.authentication.k8s.io/v1beta1' }, `returned version ${v1}`],
    [{ command: './login', interactiveMode: 'Always' }, 'standard input is not a terminal'],
  ])('%j: it is said what is wrong', async (exec, said) => {
    program({ token: 'N' })
    await expect(clientOf(exec).ask()).rejects.toThrow(said)
  })

  test.each([
    [{}, 'it did not return a token or cert/key pair'],
    [{ clientKeyData: 'x' }, 'it returned only certificate or key, not both'],
  ])('of which the status is %j says too little', async (status, said) => {
    program(status)
    await expect(clientOf({ command: './login' }).ask()).rejects.toThrow(said)
  })
})

test('of an auth-provider it is said that it is not known', () => {
  expect(() => kubeconfig({}, {}, { exec: undefined, 'auth-provider': { name: 'oidc' } })).toThrow(
    'the user "u" logs in by the auth-provider oidc, which is not known here. Name a program with exec',
  )
})
