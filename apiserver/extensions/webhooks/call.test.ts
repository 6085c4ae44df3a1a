import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { startWebhooks, type WebhookServer } from '../testing/webhook-server.ts'
import { createWebhookCaller } from './call.ts'

let server: WebhookServer
beforeAll(async () => {
  server = await startWebhooks(['hooks.ops.svc'])
  server.on('/judge', () => ({ allowed: true }))
})
afterAll(() => server?.stop())

const lookup = (_group: string, plural: string) => ({ plural }) as Resource
const body = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: { uid: 'u' } }

/** A service `ops/hooks` with one endpoint, where the server listens. */
function caller(ready = true) {
  const service = { metadata: { name: 'hooks' }, spec: { ports: [{ name: 'https', port: 443 }] } }
  const slice = {
    metadata: { labels: { 'kubernetes.io/service-name': 'hooks' } },
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready } }],
    ports: [{ name: 'https', port: server.port }],
  }
  const client = {
    get: async (_resource: Resource, namespace: string, name: string) =>
      namespace === 'ops' && name === 'hooks' ? service : undefined,
    cachedList: () => [slice],
  } as unknown as ServerClient
  return createWebhookCaller(client, lookup)
}
const call = (more: object = {}, ready = true) =>
  caller(ready).call(
    { service: { namespace: 'ops', name: 'hooks', path: 'judge', port: 443, ...more }, caBundle: server.caBundle },
    body,
    5,
  )

it('a service is called at one of its endpoints, by the name of the service', async () => {
  expect(await call()).toMatchObject({ response: { uid: 'u', allowed: true } })
})

it('a service is called at its port 443 where none is named, with all that its path says', async () => {
  server.on('/judge/x', () => ({ allowed: true }))
  const client = { service: { namespace: 'ops', name: 'hooks', path: '/judge/x' }, caBundle: server.caBundle }
  await caller().call(client, body, 7)
  expect(server.calls.at(-1)).toEqual({ url: '/judge/x?timeout=7s', host: 'hooks.ops.svc' })
})

it('whoever is called is believed by the authority that was named for it and no other, and connected to once', async () => {
  const other = await startWebhooks()
  other.on('/judge', () => ({ allowed: true }))
  const asking = caller()
  const call = ({ url }: WebhookServer, { caBundle }: WebhookServer) =>
    asking.call({ url: url('/judge'), caBundle }, body, 5)
  const own = await startWebhooks()
  own.on('/judge', () => ({ allowed: true }))
  for (let i = 0; i < 3; i++) expect(await call(own, own)).toMatchObject({ response: { allowed: true } })
  expect(own.connections()).toBe(1)
  expect(await call(other, other)).toMatchObject({ response: { allowed: true } })
  await expect(call(own, other)).rejects.toThrow('certificate')
  await other.stop()
  await own.stop()
})

it.each([
  ['has no endpoint', {}, false, 'no endpoints available for service "hooks"'],
  ['is not there', { name: 'others' }, true, 'services "others" not found'],
  ['has no such port', { port: 8443 }, true, 'no service port "8443" found for service "hooks"'],
  ['answers that it knows nothing', { path: '/else' }, true, 'the server answered 404: nothing here'],
])('a service that %s is said to be that', async (_what, more, ready, message) => {
  await expect(call(more, ready)).rejects.toThrow(message)
})
