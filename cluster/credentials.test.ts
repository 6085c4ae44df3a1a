import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { issueCredentials } from './credentials.ts'
import { type CredentialsWanted, credentialsAreCurrent } from './credentials-stamp.ts'
import { layoutOf } from './layout.ts'

const dayMs = 86_400_000
const now = Date.now()
const want: CredentialsWanted = {
  server: 'https://127.0.0.1:6443',
  nodeServer: 'https://10.89.0.1:6443',
  sans: ['10.89.0.1'],
  nodes: [{ name: 'node-1', sans: ['10.89.0.11'] }],
}
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-credentials-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const certificate = (name: string) => new X509Certificate(readFileSync(join(directory, 'pki', `${name}.crt`)))

/** Whom a kubeconfig makes of its bearer, and where it leads. */
function identity(name: string): { server: string; subject: string } {
  const { clusters, users } = parse(readFileSync(join(directory, name), 'utf8'))
  const cert = new X509Certificate(Buffer.from(users[0].user['client-certificate-data'], 'base64'))
  return { server: clusters[0].cluster.server, subject: cert.subject.replaceAll('\n', ', ') }
}

test('every component gets a kubeconfig of its own, readable by its owner only', async () => {
  await issueCredentials(directory, want, now)
  expect(identity('kubeconfig').subject).toBe('O=system:masters, CN=kubernetes-admin')
  expect(identity('scheduler.kubeconfig')).toEqual({ server: want.server, subject: 'CN=system:kube-scheduler' })
  expect(identity('controller-manager.kubeconfig').subject).toBe('CN=system:kube-controller-manager')
  expect(identity('node-1.kubeconfig')).toEqual({
    server: want.nodeServer,
    subject: 'O=system:nodes, CN=system:node:node-1',
  })
  expect(statSync(join(directory, 'node-1.kubeconfig')).mode & 0o777).toBe(0o600)
  expect(certificate('node-1-serving').checkIP('10.89.0.11')).toBeDefined()
  expect(certificate('apiserver').checkIP('10.89.0.1')).toBeDefined()
})

test('what has been issued is current until another is wanted or it runs out', async () => {
  const layout = layoutOf(directory)
  expect(credentialsAreCurrent(layout, want, now)).toBe(false)
  await issueCredentials(directory, want, now)
  expect(credentialsAreCurrent(layout, want, now)).toBe(true)
  expect(credentialsAreCurrent(layout, { ...want, nodes: [...want.nodes, { name: 'node-2', sans: [] }] }, now)).toBe(
    false,
  )
  expect(credentialsAreCurrent(layout, want, now + 340 * dayMs)).toBe(false)
  rmSync(join(directory, 'node-1.kubeconfig'))
  expect(credentialsAreCurrent(layout, want, now)).toBe(false)
})

test('what runs out is renewed, all else kept', async () => {
  await issueCredentials(directory, want, now)
  const [ca, node] = [certificate('ca').fingerprint, certificate('node-1').fingerprint]
  await issueCredentials(directory, want, now + dayMs)
  expect(certificate('node-1').fingerprint).toBe(node)
  await issueCredentials(directory, want, now + 340 * dayMs)
  expect(certificate('node-1').fingerprint).not.toBe(node)
  expect(certificate('ca').fingerprint).toBe(ca)
  expect(credentialsAreCurrent(layoutOf(directory), want, now + 340 * dayMs)).toBe(true)
})
