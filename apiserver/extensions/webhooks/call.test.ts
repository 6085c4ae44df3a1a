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

it.each([
  ['has no endpoint', {}, false, 'no endpoints available for service "hooks"'],
  ['is not there', { name: 'others' }, true, 'services "others" not found'],
  ['has no such port', { port: 8443 }, true, 'no service port "8443" found for service "hooks"'],
  ['answers that it knows nothing', { path: '/else' }, true, 'the server answered 404: nothing here'],
])('a service that %s is said to be that', async (_what, more, ready, message) => {
  await expect(call(more, ready)).rejects.toThrow(message)
})
