import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnyObject } from '../../../../api/machinery/object.ts'
import { until } from '../../../../test/support/until.ts'
import { type RunningServer, runServer } from '../../../testing/running-server.ts'
import { startWebhooks, type WebhookServer } from '../../testing/webhook-server.ts'

let server: RunningServer
let webhook: WebhookServer
let broken = false
const group = 'converted.com'
const name = `crons.${group}`
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const [v1, v2] = ['v1', 'v2'].map((version) => `/apis/${group}/${version}/namespaces/default/crons`) as [string, string]
const text = { type: 'string' }
const version = (versionName: string, properties: object, storage: boolean, fields: string[]) => ({
  name: versionName,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object', properties } },
  selectableFields: fields.map((jsonPath) => ({ jsonPath })),
})
const versions = (stored: string) => [
  version('v1', { hostPort: text }, stored === 'v1', ['.hostPort']),
  version('v2', { host: text, port: { ...text, pattern: '^\\d*$' } }, stored === 'v2', ['.host']),
]

/** `hostPort` of v1 is `host` and `port` in v2. */
function convert(object: AnyObject, to: string): AnyObject {
  const { hostPort, host, port, ...rest } = object as AnyObject & Record<string, string | undefined>
  if (to.endsWith('v1'))
    return { ...rest, apiVersion: to, ...(host ? { hostPort: `${host}:${port ?? ''}` } : {}) } as AnyObject
  const [first, second] = hostPort?.split(':') ?? []
  return { ...rest, apiVersion: to, ...(first ? { host: first, port: second } : {}) } as AnyObject
}

const cron = (objectName: string, versionName: string, more: object) => ({
  apiVersion: `${group}/${versionName}`,
  kind: 'Cron',
  metadata: { name: objectName },
  ...more,
})
const storedAs = async (objectName: string) => {
  const entry = await server.store.get(`/${group}/crons/default/${objectName}`)
  const { apiVersion, hostPort, host } = JSON.parse(String(entry?.value))
  return { apiVersion, hostPort, host }
}

beforeAll(async () => {
  webhook = await startWebhooks()
  webhook.on('/convert', ({ objects, desiredAPIVersion }) =>
    broken
      ? { result: { status: 'Failure', message: 'not today' } }
      : {
          result: { status: 'Success' },
          convertedObjects: objects.map((object: AnyObject) => convert(object, desiredAPIVersion)),
        },
  )
  server = await runServer()
  const clientConfig = { url: webhook.url('/convert'), caBundle: webhook.caBundle }
  const conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
  const names = { plural: 'crons', kind: 'Cron' }
  const created = await server.create(definitions, {
    metadata: { name },
    spec: { group, scope: 'Namespaced', names, versions: versions('v1'), conversion },
  })
  expect(created.code, created.text).toBe(201)
  await until(async () => (await server.get(v1)).code === 200)
})
afterAll(async () => {
  await server?.stop()
  await webhook?.stop()
})

describe('a kind whose versions a webhook makes of each other', () => {
  it('is stored in one and shown in any', async () => {
    const created = await server.create(v2, cron('a', 'v2', { host: 'h', port: '80' }))
    expect(created.body).toMatchObject({ apiVersion: `${group}/v2`, host: 'h', port: '80' })
    expect(await storedAs('a')).toEqual({ apiVersion: `${group}/v1`, hostPort: 'h:80' })
    expect((await server.get(`${v1}/a`)).body).toMatchObject({ apiVersion: `${group}/v1`, hostPort: 'h:80' })
    const { uid } = created.body.metadata
    expect((await server.get(`${v2}/a`)).body.metadata.uid).toBe(uid)
  })

  it('is validated in the version it was sent in', async () => {
    const { body } = await server.create(v2, cron('bad', 'v2', { host: 'h', port: 'x' }))
    expect(body.message).toContain("port in body should match '^\\d*$'")
  })

  it('is patched in the version of the path', async () => {
    expect((await server.patch(`${v2}/a`, { port: '81' })).body).toMatchObject({ host: 'h', port: '81' })
    const { body } = await server.patch(`${v2}/a?fieldManager=me&force=true`, cron('a', 'v2', { port: '82' }), {
      headers: { 'content-type': 'application/apply-patch+yaml' },
    })
    expect(body).toMatchObject({ host: 'h', port: '82' })
    expect(await storedAs('a')).toMatchObject({ hostPort: 'h:82' })
  })

  it('is chosen by the fields of the version that is asked', async () => {
    await server.create(v1, cron('b', 'v1', { hostPort: 'other:1' }))
    const { body } = await server.get(`${v2}?fieldSelector=host%3Dother`)
    expect(body.items).toMatchObject([{ apiVersion: `${group}/v2`, host: 'other', port: '1' }])
  })

  it('is watched in any version', async () => {
    const asked = webhook.seen.length
    const watched = server.get(`${v2}?watch=true&timeoutSeconds=2&fieldSelector=host%3Dh`)
    // What there is has been converted: the watch has begun.
    await until(() => webhook.seen.length > asked)
    await server.patch(`${v1}/a`, { hostPort: 'h:90' })
    await server.patch(`${v1}/a`, { hostPort: 'away:90' })
    const events = (await watched).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ type, object }) => `${type} ${object.host}:${object.port}`)
    expect(events).toEqual(['ADDED h:82', 'MODIFIED h:90', 'DELETED h:90'])
  })

  it('is shown in any while some of it is stored in one version and some in the other', async () => {
    const { body: definition } = await server.get(`${definitions}/${name}`)
    definition.spec.versions = versions('v2')
    await server.request('PUT', `${definitions}/${name}`, definition)
    await until(async () => {
      await server.remove(`${v1}/c`)
      await server.create(v1, cron('c', 'v1', { hostPort: 'c:1' }))
      return (await storedAs('c')).apiVersion === `${group}/v2`
    })
    expect((await storedAs('b')).apiVersion).toBe(`${group}/v1`)
    const hosts = (await server.get(v2)).body.items.map((item: { host: string }) => item.host)
    expect(hosts).toEqual(['away', 'other', 'c'])
    const pairs = (await server.get(v1)).body.items.map((item: { hostPort: string }) => item.hostPort)
    expect(pairs).toEqual(['away:90', 'other:1', 'c:1'])
    await server.patch(`${v1}/b`, { metadata: { labels: { a: 'b' } } })
    expect(await storedAs('b')).toEqual({ apiVersion: `${group}/v2`, host: 'other' })
  })

  it('is refused with the words of the webhook, but its metadata is still to be had', async () => {
    broken = true
    const { code, body } = await server.get(`${v1}/c`)
    expect(code).toBe(500)
    expect(body.message).toContain(`conversion webhook for ${group}/v2, Kind=Cron failed: not today`)
    const metadata = { headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' } }
    expect((await server.get(`${v1}/c`, metadata)).body.metadata.name).toBe('c')
    broken = false
  })
})
