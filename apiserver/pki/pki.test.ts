import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { issueClientCertificate, parseCsr, signCsr } from '../../api/certificates/issue.ts'
import { ensurePki } from './ensure.ts'
import { kubeconfig, writeKubeconfig } from './kubeconfig.ts'

const dayMs = 86_400_000
const now = Date.now()
let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-pki-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })

test('makes every file of a control plane, readable by its owner only, that openssl accepts', async () => {
  const pki = await ensurePki(dir, { sans: ['10.96.0.1', 'node-1'], nowMs: now })
  const pairs = ['admin', 'apiserver', 'apiserver-kubelet-client', 'ca', 'front-proxy-ca', 'front-proxy-client']
  expect(readdirSync(dir)).toEqual(
    [...pairs.flatMap((name) => [`${name}.crt`, `${name}.key`]), 'sa.key', 'sa.pub'].sort(),
  )
  for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600)

  const at = (file: string) => join(dir, file)
  const verify = (purpose: string, ca: string, file: string) =>
    openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', at(ca), at(file))
  expect(verify('sslserver', 'ca.crt', 'apiserver.crt')).toContain('OK')
  for (const name of ['apiserver-kubelet-client', 'admin'])
    expect(verify('sslclient', 'ca.crt', `${name}.crt`)).toContain('OK')
  expect(verify('sslclient', 'front-proxy-ca.crt', 'front-proxy-client.crt')).toContain('OK')
  expect(openssl('x509', '-in', at('admin.crt'), '-noout', '-subject')).toMatch(
    /O = system:masters, CN = kubernetes-admin/,
  )

  const serving = new X509Certificate(pki.apiserver.certPem)
  for (const name of ['kubernetes', 'kubernetes.default.svc.cluster.local', 'localhost', 'node-1']) {
    expect(serving.checkHost(name), name).toBeDefined()
  }
  for (const ip of ['127.0.0.1', '::1', '10.96.0.1']) expect(serving.checkIP(ip), ip).toBeDefined()
})

test('a second start reads and makes nothing', async () => {
  const first = await ensurePki(dir, { sans: ['10.96.0.1'], nowMs: now })
  const second = await ensurePki(dir, { sans: ['10.96.0.1'], nowMs: now + 300 * dayMs })
  expect(second).toEqual({ ...first, made: [] })
})

test('renews what runs out, and only the serving certificate when a name is added', async () => {
  const first = await ensurePki(dir, { sans: [], nowMs: now })
  const named = await ensurePki(dir, { sans: ['10.0.0.7'], nowMs: now })
  expect(named.made).toEqual(['apiserver'])
  expect(named.ca).toEqual(first.ca)
  const later = await ensurePki(dir, { sans: [], nowMs: now + 340 * dayMs })
  expect(later.made.sort()).toEqual(['admin', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-client'])
})

test('an authority that runs out keeps its key, so that what it signed stays valid', async () => {
  const first = await ensurePki(dir, { sans: [], nowMs: now })
  const later = await ensurePki(dir, { sans: [], nowMs: now + 3640 * dayMs })
  expect(later.ca.keyPem).toBe(first.ca.keyPem)
  expect(new X509Certificate(first.admin.certPem).verify(new X509Certificate(later.ca.certPem).publicKey)).toBe(true)
})

test('a key that does not belong to its certificate is replaced', async () => {
  const first = await ensurePki(dir, { sans: [], nowMs: now })
  writeFileSync(join(dir, 'admin.key'), first.apiserver.keyPem)
  expect((await ensurePki(dir, { sans: [], nowMs: now })).made).toEqual(['admin'])
})

test('a new authority, though of the same name, signs everything again', async () => {
  await ensurePki(dir, { sans: [], nowMs: now })
  rmSync(join(dir, 'ca.crt'))
  rmSync(join(dir, 'ca.key'))
  const { made } = await ensurePki(dir, { sans: [], nowMs: now })
  expect(made.sort()).toEqual(['admin', 'apiserver', 'apiserver-kubelet-client', 'ca'])
})

test('without the key of the authority, existing certificates do and missing ones are an error', async () => {
  await ensurePki(dir, { sans: [], nowMs: now })
  rmSync(join(dir, 'ca.key'))
  expect((await ensurePki(dir, { sans: [], nowMs: now })).made).toEqual([])
  rmSync(join(dir, 'admin.crt'))
  await expect(ensurePki(dir, { sans: [], nowMs: now })).rejects.toThrow(/admin.crt has to be made/)
})

test('works with an RSA authority made elsewhere', async () => {
  const at = (file: string) => join(dir, file)
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=elsewhere',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
  )
  await ensurePki(dir, { sans: [], nowMs: now })
  expect(openssl('verify', '-CAfile', at('ca.crt'), at('apiserver.crt'), at('admin.crt'))).toContain('OK')
})

test('signs requests made by openssl, with their names and usages, for no longer than asked', async () => {
  const { ca } = await ensurePki(dir, { sans: [], nowMs: now })
  const at = (file: string) => join(dir, file)
  openssl(
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/O=system:nodes/CN=system:node:n1',
    '-addext',
    'subjectAltName=DNS:n1,IP:10.0.0.5',
    '-keyout',
    at('n.key'),
    '-out',
    at('n.csr'),
  )
  const csrPem = readFileSync(at('n.csr'), 'utf8')
  expect(await parseCsr(csrPem)).toEqual({
    commonName: 'system:node:n1',
    organizations: ['system:nodes'],
    dnsNames: ['n1'],
    ipAddresses: ['10.0.0.5'],
    emailAddresses: [],
    uris: [],
  })
  const usages = ['digital signature', 'key encipherment', 'server auth']
  writeFileSync(at('n.crt'), await signCsr(ca, { csrPem, usages, durationSeconds: 600, nowMs: now }))
  expect(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', at('ca.crt'), at('n.crt'))).toContain(
    'OK',
  )
  const signed = new X509Certificate(readFileSync(at('n.crt')))
  expect(signed.subject).toBe('O=system:nodes\nCN=system:node:n1')
  expect(signed.checkIP('10.0.0.5')).toBeDefined()
  expect(Date.parse(signed.validTo)).toBeLessThanOrEqual(now + 600_000)
  await expect(signCsr(ca, { csrPem, usages: ['magic'], durationSeconds: 600, nowMs: now })).rejects.toThrow(/"magic"/)
  await expect(parseCsr('hello')).rejects.toThrow('PEM block type must be CERTIFICATE REQUEST')
})

test('a client certificate carries user and groups', async () => {
  const { ca } = await ensurePki(dir, { sans: [], nowMs: now })
  const issued = await issueClientCertificate(ca, {
    commonName: 'jane',
    organizations: ['dev', 'ops'],
    days: 1,
    nowMs: now,
  })
  expect(new X509Certificate(issued.certPem).subject).toBe('O=dev\nO=ops\nCN=jane')
})

test('a kubeconfig names one context and its identity, and is not written twice', async () => {
  const path = join(dir, 'sub', 'admin.conf')
  const options = {
    server: 'https://127.0.0.1:6443',
    caPem: 'CA',
    name: 'kubernetes-admin',
    certPem: 'CERT',
    keyPem: 'KEY',
  }
  writeKubeconfig(path, options)
  const before = statSync(path)
  expect(before.mode & 0o777).toBe(0o600)
  writeKubeconfig(path, options)
  expect(statSync(path).ino).toBe(before.ino)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  expect(parse(readFileSync(path, 'utf8'))).toMatchObject({
    kind: 'Config',
    'current-context': 'kubernetes-admin@gantry',
    clusters: [{ cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': base64('CA') } }],
    users: [{ user: { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') } }],
  })
  expect(parse(kubeconfig({ server: 'https://h', caPem: 'CA', name: 'bot', token: 't: "x"' })).users[0].user).toEqual({
    token: 't: "x"',
  })
})
