import { once } from 'node:events'
import { createServer as createPlain, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type CertifiedKey,
  createAuthority,
  issueClientCertificate,
  issueServingCertificate,
} from '../../../api/certificates/issue.ts'
import { notFoundError } from '../../../api/machinery/errors.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import { parseRequestInfo, type RequestInfo } from '../../handlers/request-info.ts'
import type { GroupRequest, ServedGroup } from '../../handlers/served-group.ts'
import { createOpenApi } from '../../openapi/openapi.ts'
import { runServer } from '../../testing/running-server.ts'
import { Aggregator } from './aggregator.ts'
import { askRemote, identityHeaders } from './remote.ts'

const nowMs = Date.parse('2026-01-02T03:04:05Z')
const resources = [{ name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: ['get'] }]
let authority: CertifiedKey
let own: CertifiedKey
let behind: Server
/** What the server behind has been asked, and by whom. */
const asked: { url: string; headers: Record<string, unknown>; certificate: unknown }[] = []
/** What it says of a group, when that is not the usual. */
let says: ((res: ServerResponse) => void) | undefined
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
    const answers: Record<string, object> = {
      '/apis/wardle/v1': { resources },
      '/openapi/v3': { paths: { 'apis/wardle/v1': { serverRelativeURL: '/openapi/v3/apis/wardle/v1?hash=ABC' } } },
    }
    if (says && req.url === '/apis/wardle/v1') says(res)
    else res.end(JSON.stringify(answers[req.url ?? ''] ?? { kind: 'Flunder', asked: req.url }))
  })
  behind.listen(0, '127.0.0.1')
  await once(behind, 'listening')
})
afterAll(() => void behind?.close())
afterEach(async () => {
  await aggregator?.stop()
  asked.length = 0
  says = undefined
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

const optionsFor = (client: MemoryClient, local: readonly ServedGroup[] = []) => ({
  core: { client, lookup: client.lookup, now: () => nowMs },
  own: { cert: own.certPem, key: own.keyPem },
  local,
  changed: () => {},
  onError: (error: unknown) => {
    throw error
  },
})

function start(client: MemoryClient, local: readonly ServedGroup[] = []): { changed: number; errors: unknown[] } {
  const heard = { changed: 0, errors: [] as unknown[] }
  aggregator = new Aggregator({
    ...optionsFor(client, local),
    changed: () => void heard.changed++,
    onError: (error) => void heard.errors.push(error),
  })
  aggregator.start()
  return heard
}
const world = (ready = true, spec = {}) =>
  new MemoryClient()
    .put('', 'services', { metadata: { name: 'api', namespace: 'wardle' }, spec: { ports: [{ port: 443 }] } })
    .put('discovery.k8s.io', 'endpointslices', slice(ready))
    .put('apiregistration.k8s.io', 'apiservices', service(spec))
const condition = (client: MemoryClient, name = 'v1.wardle') =>
  client.cached<{ status?: { conditions: Record<string, string>[] } }>(
    client.lookup('apiregistration.k8s.io', 'apiservices'),
    '',
    name,
  )?.status?.conditions[0]
const untilPassed = (client: MemoryClient) =>
  vi.waitFor(() => expect(condition(client)?.reason).toBe('Passed'), { timeout: 10_000 })

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

it('names the document of the server behind among its own', async () => {
  const client = world()
  start(client)
  await vi.waitFor(() => expect(aggregator?.documents().size).toBe(1))
  const openapi = createOpenApi(
    () => [],
    () => aggregator?.documents() ?? new Map(),
  )
  expect(JSON.parse((await openapi.v3Index()).toString())).toEqual({
    paths: { 'apis/wardle/v1': { serverRelativeURL: '/openapi/v3/apis/wardle/v1?hash=ABC' } },
  })
  client.remove('apiregistration.k8s.io', 'apiservices', '', 'v1.wardle')
  await vi.waitFor(() => expect(aggregator?.documents().size).toBe(0))
})

it('leaves documents of groups that this server has itself to others', async () => {
  const handle = () => Promise.reject(new Error('asked for a document'))
  const local = [{ group: 'own', version: 'v1', resources, handle }]
  aggregator = new Aggregator(optionsFor(new MemoryClient(), local))
  const info = parseRequestInfo('GET', '/openapi/v3/apis/own/v1') as RequestInfo
  await expect(
    aggregator.paths({} as IncomingMessage, {} as ServerResponse, info, { name: 'jane', groups: [] }),
  ).resolves.toBe(false)
})

it('is part of a running server, and of its documents', async () => {
  const server = await runServer()
  try {
    const services = '/apis/apiregistration.k8s.io/v1/apiservices'
    expect((await server.create(services, service())).code).toBe(201)
    await vi.waitFor(async () => {
      const { body } = await server.get(`${services}/v1.wardle`)
      expect(body.status?.conditions).toMatchObject([{ type: 'Available', status: 'False', reason: 'ServiceNotFound' }])
    })
    await vi.waitFor(async () => expect((await server.get('/apis/wardle/v1/flunders')).code).toBe(503))
    expect((await server.get('/openapi/v3/apis/wardle/v1')).code).toBe(503)
    expect((await server.get('/apis')).text).toContain('wardle')
  } finally {
    await server.stop()
  }
})

it('serves nothing of a group that this server has itself', async () => {
  const client = new MemoryClient().put('apiregistration.k8s.io', 'apiservices', {
    metadata: { name: 'v1.apps' },
    spec: { group: 'apps', version: 'v1' },
  })
  const metrics = { group: 'metrics', version: 'v1', resources: [], handle: async () => {} }
  start(client, [metrics])
  client.put('apiregistration.k8s.io', 'apiservices', service())
  await vi.waitFor(() => expect(condition(client)?.reason).toBe('ServiceNotFound'))
  await vi.waitFor(() => expect([...(aggregator?.groups.keys() ?? [])]).toEqual(['metrics/v1', 'wardle/v1']))
  expect(condition(client, 'v1.apps')).toBeUndefined()
})

it('has the more important group first', async () => {
  const client = world(false)
  for (const [version, groupPriorityMinimum, versionPriority] of [
    ['v0', 1, 1],
    ['v2', 2000, 1],
    ['v3', 1000, 20],
  ]) {
    const metadata = { name: `${version}.wardle` }
    client.put('apiregistration.k8s.io', 'apiservices', {
      ...service({ version, groupPriorityMinimum, versionPriority }),
      metadata,
    })
  }
  start(client)
  await vi.waitFor(() =>
    expect([...(aggregator?.groups.keys() ?? [])]).toEqual(['wardle/v2', 'wardle/v3', 'wardle/v1', 'wardle/v0']),
  )
})

it.each<[string, (res: ServerResponse) => void, string, object[]]>([
  ['refuses', (res) => res.writeHead(403).end('{}'), 'bad status from /apis/wardle/v1: 403', []],
  ['says what is no JSON', (res) => res.end('<html>'), 'failing or missing response', []],
  ['says nothing', (res) => res.end('null'), 'all checks passed', []],
  [
    'lists what are no resources',
    (res) => res.end(JSON.stringify({ resources: [null, 5, { name: 'a' }, ...resources] })),
    'all checks passed',
    resources,
  ],
  ['lists them in another form', (res) => res.end(JSON.stringify({ resources: { a: 1 } })), 'all checks passed', []],
])('bears with a server that %s', async (_, answer, message, expected) => {
  says = answer
  const client = world()
  start(client)
  await vi.waitFor(() => expect(condition(client)?.message).toContain(message))
  await vi.waitFor(() => expect(aggregator?.groups.get('wardle/v1')?.resources).toEqual(expected))
})

it('believes any server where it is told to', async () => {
  const client = world(true, {
    caBundle: '',
    insecureSkipTLSVerify: true,
    service: { namespace: 'wardle', name: 'api' },
  })
  start(client)
  await untilPassed(client)
})

describe('with time at hand', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())
  /** What has been asked by now has come to the server behind. */
  const settled = async () => {
    const { port } = behind.address() as AddressInfo
    const remote = { host: '127.0.0.1', port, servername: 'api.wardle.svc', trustsAll: true }
    const client = { cert: own.certPem, key: own.keyPem }
    for (const path of ['/one', '/two']) await askRemote(remote, client, path, { name: 'me', groups: [] }, 5000)
  }
  const looks = () => asked.filter(({ url }) => url === '/apis/wardle/v1').length

  it('looks again at once when something has happened while it looked', async () => {
    let answer: (() => void) | undefined
    says = (res) => {
      answer ??= () => res.end(JSON.stringify({ resources }))
    }
    const client = world()
    start(client)
    await vi.waitFor(() => expect(answer).toBeDefined())
    client.put('discovery.k8s.io', 'endpointslices', slice(false))
    vi.advanceTimersByTime(1000)
    answer?.()
    await vi.waitFor(() => expect(condition(client)?.reason).toBe('MissingEndpoints'))
  })

  it('looks again now and then, and for nothing that is no news', async () => {
    const client = world()
    start(client)
    await untilPassed(client)
    await vi.waitFor(() => expect(aggregator?.groups.size).toBe(1))
    const { metadata } = slice(true)
    client.put('discovery.k8s.io', 'endpointslices', { ...slice(true), metadata: { ...metadata, namespace: 'other' } })
    client.put('apiregistration.k8s.io', 'apiservices', { ...service(), status: { conditions: [condition(client)] } })
    vi.advanceTimersByTime(29_000)
    await settled()
    expect(looks()).toBe(1)
    vi.advanceTimersByTime(30_000)
    await vi.waitFor(() => expect(looks()).toBe(2))
  })

  it('keeps what it knows since when, and writes nothing that is known', async () => {
    const known = { type: 'Available', status: 'False', lastTransitionTime: '2020-01-01T00:00:00Z' }
    const client = world(false)
    client.put('apiregistration.k8s.io', 'apiservices', {
      ...service(),
      status: { conditions: [{ ...known, reason: 'Old', message: '' }] },
    })
    const written: boolean[] = []
    const update = client.update.bind(client)
    client.update = (resource, namespace, name, change) =>
      update(resource, namespace, name, (object) => {
        const next = change(object)
        written.push(next !== undefined)
        return next
      })
    const heard = start(client)
    await vi.waitFor(() => expect(condition(client)).toMatchObject({ ...known, reason: 'MissingEndpoints' }))
    await vi.waitFor(() => expect(aggregator?.groups.size).toBe(1))
    vi.advanceTimersByTime(60_000)
    await vi.waitFor(() => expect(written).toEqual([true, false]))
    await settled()
    expect(heard.changed).toBe(1)
  })
})

it.each([
  ['says so', new Error('not now'), 1],
  ['says nothing of one that has just gone', notFoundError({ group: '', resource: 'apiservices' }, 'v1.wardle'), 0],
])('serves a group whose status cannot be written, and %s', async (_, error, told) => {
  const client = world()
  vi.spyOn(client, 'update').mockRejectedValue(error)
  const heard = start(client)
  await vi.waitFor(() => expect(aggregator?.groups.get('wardle/v1')?.resources).toHaveLength(1))
  expect(heard.errors).toHaveLength(told)
})

it('passes questions for a document of a group on, and no others', async () => {
  const client = world()
  start(client)
  await vi.waitFor(() => expect(aggregator?.groups.get('wardle/v1')?.resources).toHaveLength(1))
  const handled = vi.fn(async () => {})
  aggregator?.groups.set('wardle/v1', { group: 'wardle', version: 'v1', resources: [], handle: handled })
  const ask = (path: string) => aggregator?.paths({} as never, {} as never, { path } as never, {} as never, undefined)
  expect(await ask('/openapi/v3/apis/wardle/v1')).toBe(true)
  expect(await ask('/openapi/v3/apis/wardle/v2')).toBe(false)
  expect(await ask('/openapi/v3')).toBe(false)
  expect(handled).toHaveBeenCalledTimes(1)
})

it('says who asks with all that is known of him', () => {
  const user = { name: 'jane', uid: 'u-1', groups: ['a'], extra: { 'Example.com/Team Ä': ['x', 'y'] } }
  expect(identityHeaders(user)).toEqual({
    'x-remote-user': 'jane',
    'x-remote-uid': 'u-1',
    'x-remote-group': ['a'],
    'x-remote-extra-example.com%2Fteam%20%C3%A4': ['x', 'y'],
  })
})
