import { once } from 'node:events'
import { createServer as createPlain, get } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import {
  type CertifiedKey,
  createAuthority,
  issueClientCertificate,
  issueServingCertificate,
} from '../../../api/certificates/issue.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import { parseRequestInfo } from '../../handlers/request-info.ts'
import type { GroupRequest } from '../../handlers/served-group.ts'
import { Aggregator } from './aggregator.ts'

const nowMs = Date.parse('2026-01-02T03:04:05Z')
const resources = [{ name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: ['get'] }]
let authority: CertifiedKey
let own: CertifiedKey
let behind: Server
/** What the server behind has been asked, and by whom. */
const asked: { url: string; headers: Record<string, unknown>; certificate: unknown }[] = []
let aggregator: Aggregator | undefined

beforeAll(async () => {
  authority = await createAuthority({ commonName: 'ca', days: 1, nowMs: Date.now() })
  own = await issueClientCertificate(authority, { commonName: 'front-proxy-client', days: 1 })
  const served = { commonName: 'api', sans: ['api.wardle.svc'], days: 1, nowMs: Date.now() }
  const { certPem, keyPem } = await issueServingCertificate(authority, served)
  const options = { cert: certPem, key: keyPem, ca: authority.certPem, requestCert: true }
  behind = createServer(options, (req, res) => {
    const { subject } = (req.socket as import('node:tls').TLSSocket).getPeerCertificate()
    asked.push({ url: req.url ?? '', headers: req.headers, certificate: subject?.CN })
    res.end(JSON.stringify(req.url === '/apis/wardle/v1' ? { resources } : { kind: 'Flunder', asked: req.url }))
  })
  behind.listen(0, '127.0.0.1')
  await once(behind, 'listening')
})
afterAll(() => void behind?.close())
afterEach(async () => {
  await aggregator?.stop()
  asked.length = 0
})

const service = (spec: object = {}) => ({
  metadata: { name: 'v1.wardle', uid: 'u' },
  spec: {
    group: 'wardle',
    version: 'v1',
    groupPriorityMinimum: 1000,
    versionPriority: 10,
    service: { namespace: 'wardle', name: 'api', port: 443 },
    caBundle: Buffer.from(authority.certPem).toString('base64'),
    ...spec,
  },
})
const slice = (ready: boolean) => ({
  metadata: { name: 'api-1', namespace: 'wardle', labels: { 'kubernetes.io/service-name': 'api' } },
  endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready } }],
  ports: [{ port: (behind.address() as AddressInfo).port }],
})

function start(client: MemoryClient): { changed: number } {
  const heard = { changed: 0 }
  aggregator = new Aggregator({
    core: { client, lookup: client.lookup, now: () => nowMs },
    own: { cert: own.certPem, key: own.keyPem },
    changed: () => void heard.changed++,
    onError: (error) => {
      throw error
    },
  })
  aggregator.start()
  return heard
}
const world = (ready = true, spec = {}) =>
  new MemoryClient()
    .put('', 'services', { metadata: { name: 'api', namespace: 'wardle' }, spec: { ports: [{ port: 443 }] } })
    .put('discovery.k8s.io', 'endpointslices', slice(ready))
    .put('apiregistration.k8s.io', 'apiservices', service(spec))
const condition = (client: MemoryClient) =>
  client.cached<{ status?: { conditions: Record<string, string>[] } }>(
    client.lookup('apiregistration.k8s.io', 'apiservices'),
    '',
    'v1.wardle',
  )?.status?.conditions[0]

it('finds the server behind a service, and what it serves', async () => {
  const client = world()
  const heard = start(client)
  await vi.waitFor(() => expect(condition(client)).toBeDefined())
  expect(condition(client)).toEqual({
    type: 'Available',
    status: 'True',
    reason: 'Passed',
    message: 'all checks passed',
    lastTransitionTime: '2026-01-02T03:04:05Z',
  })
  await vi.waitFor(() => expect(heard.changed).toBe(1))
  expect(aggregator?.groups.get('wardle/v1')).toMatchObject({ group: 'wardle', version: 'v1', resources })
  expect(asked[0]).toMatchObject({ certificate: 'front-proxy-client' })
})

it('passes requests on, and says who asks, whatever the client says of that', async () => {
  const client = world()
  start(client)
  await vi.waitFor(() => expect(aggregator?.groups.get('wardle/v1')?.resources).toHaveLength(1))
  const front = createPlain((req, res) => {
    const info = parseRequestInfo(req.method ?? '', req.url ?? '')
    const user = { name: 'jane', groups: ['dev', 'ops'], extra: { Team: ['a'] } }
    void aggregator?.groups.get('wardle/v1')?.handle({ req, res, info, user } as unknown as GroupRequest)
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const path = '/apis/wardle/v1/namespaces/x/flunders/a?pretty=true'
  const body = await new Promise<string>((resolve, reject) => {
    const { port } = front.address() as AddressInfo
    const headers = { 'X-Remote-User': 'root', 'X-Remote-Extra-Scope': 'all' }
    get({ port, host: '127.0.0.1', path, headers }, async (res) => {
      let text = ''
      for await (const chunk of res) text += chunk
      resolve(text)
    }).once('error', reject)
  })
  front.close()
  expect(JSON.parse(body)).toEqual({ kind: 'Flunder', asked: path })
  const { headers } = asked.at(-1) as (typeof asked)[number]
  expect(headers).toMatchObject({
    'x-remote-user': 'jane',
    'x-remote-group': 'dev, ops',
    'x-remote-extra-team': 'a',
  })
  expect(headers).not.toHaveProperty('x-remote-extra-scope')
})

it.each([
  ['has no endpoints', () => world(false), 'MissingEndpoints', 'have no addresses'],
  [
    'has no service',
    () => world(true, { service: { namespace: 'x', name: 'y' } }),
    'ServiceNotFound',
    'is not present',
  ],
  [
    'has another port',
    () => world(true, { service: { namespace: 'wardle', name: 'api', port: 1 } }),
    'ServicePortError',
    'no service port',
  ],
  [
    'is not the one that is meant',
    () => world(true, { caBundle: '' }),
    'FailedDiscoveryCheck',
    'self-signed certificate',
  ],
])('says why a group whose server %s cannot be served', async (_what, made, reason, message) => {
  const client = made()
  start(client)
  await vi.waitFor(() => expect(condition(client)).toMatchObject({ status: 'False', reason }))
  expect(condition(client)?.message).toContain(message)
  const group = await vi.waitFor(() => {
    const found = aggregator?.groups.get('wardle/v1')
    expect(found).toBeDefined()
    return found
  })
  await expect(group?.handle({} as GroupRequest)).rejects.toMatchObject({ code: 503 })
})

it('looks again when endpoints come, and forgets what is removed', async () => {
  const client = world(false)
  start(client)
  await vi.waitFor(() => expect(condition(client)?.status).toBe('False'))
  client.put('discovery.k8s.io', 'endpointslices', slice(true))
  await vi.waitFor(() => expect(condition(client)?.status).toBe('True'))
  client.remove('apiregistration.k8s.io', 'apiservices', '', 'v1.wardle')
  await vi.waitFor(() => expect(aggregator?.groups.size).toBe(0))
})
