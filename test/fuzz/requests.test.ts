import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtinKinds } from '../../api/registry.ts'
import type { Answer, RequestOptions } from '../consistency/client.ts'
import { type LocalServer, startLocal } from '../consistency/servers.ts'
import { anyJson, bodyOf, hostileBytes, mutationOf, patchOf, someText } from './arbitraries.ts'
import { basePath } from './paths.ts'
import { type Seed, seeds } from './seeds.ts'

let server: LocalServer
/** What stands, by path: an answer that is an error must not have changed it. */
const standing = new Map<string, string>()

beforeAll(async () => {
  server = await startLocal()
  for (const seed of seeds) await plant(seed)
})
afterAll(() => server?.stop())

/** GANTRY_FUZZ=20 looks twenty times as long. */
const effort = Number(process.env.GANTRY_FUZZ ?? 1)
const settings = (runs: number) => ({
  numRuns: runs * effort,
  interruptAfterTimeLimit: 7_000 * effort,
  markInterruptAsFailure: false,
})
const kind = fc.constantFrom(...builtinKinds)
const seed = fc.constantFrom(...seeds)

/** Sends a request and holds its answer to what every answer must be. */
async function send(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const answer = await server.client.request(method, path, { timeoutMs: 10_000, ...options })
  const what = `${method} ${path} ${JSON.stringify(options.headers)} ${shown(options)}`
  if (answer.code >= 500 && answer.code !== 501 && answer.code !== 503 && answer.code !== 504) {
    throw new Error(`${what}: ${answer.code} ${answer.text} ${server.errors.splice(0).join('')}`)
  }
  if (answer.code >= 400 && answer.body?.kind !== 'Status') throw new Error(`${what}: no Status: ${answer.text}`)
  if (answer.code >= 400 && answer.body?.code !== answer.code) throw new Error(`${what}: ${answer.text}`)
  if (server.errors.length > 0) throw new Error(`${what}: ${server.errors.splice(0).join('')}`)
  return answer
}

/** The same for a write to an object: refused, it must have changed nothing. */
async function write(target: Seed, method: string, path: string, options: RequestOptions): Promise<void> {
  const answer = await send(method, path, options)
  const now = await server.client.request('GET', target.path)
  if (answer.code >= 400) {
    expect(now.text, `${method} ${path} ${shown(options)} was refused with ${answer.text}`).toBe(
      standing.get(target.path),
    )
  } else if (now.code === 404) await plant(target)
  else standing.set(target.path, now.text)
}

async function plant(target: Seed): Promise<void> {
  const collection = target.path.slice(0, target.path.lastIndexOf('/'))
  const answer = await server.client.request('POST', collection, { body: target.object })
  if (answer.code !== 201) throw new Error(`${collection}: ${answer.text}`)
  standing.set(target.path, (await server.client.request('GET', target.path)).text)
}

const shown = ({ body, raw }: RequestOptions) =>
  (raw ? raw.toString('latin1') : (JSON.stringify(body) ?? '')).slice(0, 3000)

const contentType = fc.constantFrom(
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/json; charset=utf-8',
  'text/plain',
  'nonsense',
)

test(
  'creates of any kind',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        kind.chain((resource) => fc.record({ resource: fc.constant(resource), body: bodyOf(resource) })),
        fc.constantFrom('', '?dryRun=All', '?fieldValidation=Strict', '?fieldValidation=Ignore'),
        async ({ resource, body }, query) => {
          const path = basePath(resource, resource.group, resource.version, 'default')
          await send('POST', path + query, { body })
        },
      ),
      settings(600),
    )
  },
  effort * 60_000,
)

test(
  'updates of objects that stand, a little or much changed',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        seed.chain((target) =>
          fc.record({ target: fc.constant(target), change: mutationOf(target.resource), part: someParts(target) }),
        ),
        fc.constantFrom('', '?dryRun=All', '?fieldValidation=Strict'),
        async ({ target, change, part }, query) => {
          const body = change(JSON.parse(standing.get(target.path) as string))
          await write(target, 'PUT', target.path + part + query, { body })
        },
      ),
      settings(600),
    )
  },
  effort * 60_000,
)

test(
  'patches of all four kinds',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        seed.chain((target) =>
          fc.record({ target: fc.constant(target), patch: patchOf(target), part: someParts(target) }),
        ),
        fc.constantFrom('', '&force=true', '&dryRun=All', '&fieldValidation=Strict'),
        async ({ target, patch, part }, query) => {
          const { body, type } = patch
          const path = `${target.path}${part}?fieldManager=fuzz${query}`
          await write(target, 'PATCH', path, { body, headers: { 'content-type': type } })
        },
      ),
      settings(800),
    )
  },
  effort * 60_000,
)

test(
  'bytes that mean nothing',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        seed,
        fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
        contentType,
        hostileBytes,
        fc.constantFrom('', '/status', '/scale', '/eviction', '/binding', '/token', '/finalize', '/approval'),
        async (target, method, type, raw, part) => {
          const path = method === 'POST' && part === '' ? target.path.replace(/\/[^/]*$/, '') : target.path + part
          await write(target, method, path, { raw, headers: { 'content-type': type } })
        },
      ),
      settings(600),
    )
  },
  effort * 60_000,
)

test(
  'queries, selectors, tokens and versions',
  async () => {
    const selector = fc.oneof(
      fc.constantFrom(
        'a=b',
        'a in (b,c)',
        '!a',
        'a notin (b)',
        'a>1',
        'a in (',
        'a=(b',
        ',',
        'a==b,c!=d',
        '(',
        'a in ()',
      ),
      someText,
    )
    const token = fc.oneof(
      fc
        .record({ v: fc.constantFrom('meta.k8s.io/v1', 'x', 1), rv: anyJson, start: fc.oneof(someText, anyJson) })
        .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
      fc
        .tuple(fc.integer({ min: -3, max: 1 << 30 }), someText)
        .map(([rv, start]) =>
          Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start: `${start}\0` })).toString('base64url'),
        ),
      someText,
    )
    const version = fc.oneof(
      fc.constantFrom('0', '1', '-1', '00', '1e3', '0x10', '9007199254740993', '99999999999999999999', '1.5', ' 1'),
      fc.nat(50).map(String),
      someText,
    )
    const number = fc.oneof(fc.constantFrom('0', '-1', '1', '500', '1e9', '999999999999999999999', '-'), someText)
    const query = fc.record(
      {
        labelSelector: selector,
        fieldSelector: fc.oneof(
          selector,
          fc.constantFrom(
            'metadata.name=a',
            'metadata.namespace!=x',
            'spec.nodeName=',
            'status.phase=Running',
            '=',
            '\\',
          ),
        ),
        limit: number,
        continue: token,
        resourceVersion: version,
        resourceVersionMatch: fc.constantFrom('Exact', 'NotOlderThan', 'x'),
        sendInitialEvents: fc.constantFrom('true', 'false', 'x'),
        allowWatchBookmarks: fc.constantFrom('true', '1', 'x'),
        timeoutSeconds: fc.constantFrom('-1', 'x', '1e3'),
        includeObject: fc.constantFrom('None', 'Object', 'x'),
        pretty: fc.constantFrom('true', '1', 'x'),
        dryRun: fc.constantFrom('All', 'x', ''),
        fieldValidation: fc.constantFrom('Strict', 'x', ''),
        gracePeriodSeconds: number,
        propagationPolicy: fc.constantFrom('Foreground', 'x', ''),
        orphanDependents: fc.constantFrom('true', 'x'),
      },
      { requiredKeys: [] },
    )
    const accept = fc.oneof(
      fc.constantFrom(
        '*/*',
        'application/json',
        'application/yaml',
        'application/json;as=Table;v=v1;g=meta.k8s.io',
        'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
        'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
        'application/yaml;as=Table;v=v1beta1;g=meta.k8s.io',
        'application/vnd.kubernetes.protobuf',
        'application/json;q=x, ;;, =',
        ';as=Table',
      ),
      fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(seed, kind),
        fc.constantFrom('GET', 'GET', 'GET', 'DELETE', 'PATCH', 'POST'),
        query,
        accept,
        fc.boolean(),
        async (target, method, fields, accept, one) => {
          const params = new URLSearchParams(
            Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
          )
          const path =
            'resource' in target
              ? one
                ? target.path
                : target.path.replace(/\/[^/]*$/, '')
              : basePath(target, target.group, target.version, 'nowhere')
          // Versions from the future are waited for: that is another test's time.
          const late = Number(params.get('resourceVersion')) > 60 ? '1' : params.get('resourceVersion')
          if (late !== null) params.set('resourceVersion', late)
          if (method === 'DELETE' && !one && 'resource' in target) params.set('dryRun', 'All')
          const options: RequestOptions = { headers: { accept } }
          if (method === 'POST' || method === 'PATCH') options.body = {}
          if ('resource' in target && one && method !== 'GET') {
            await write(target, method, `${path}?${params}`, { ...options, headers: {} })
          } else {
            const answer = await server.client.request(method, `${path}?${params}`, options)
            if (answer.code >= 500 && answer.code !== 504)
              throw new Error(`${method} ${path}?${params}: ${answer.text}`)
          }
          if (server.errors.length > 0) throw new Error(`${path}?${params}: ${server.errors.splice(0).join('')}`)
        },
      ),
      settings(600),
    )
  },
  effort * 60_000,
)

test(
  'paths',
  async () => {
    const part = fc.oneof(
      fc.constantFrom(
        ...['api', 'apis', 'v1', 'apps', 'namespaces', 'default', 'pods', 'a', 'status', 'watch', 'proxy', 'log', '..'],
        ...[
          '.',
          '',
          '%2F',
          '%00',
          '%',
          '%zz',
          '%C0%AF',
          'openapi',
          'v3',
          'healthz',
          'metrics',
          '{}',
          'deployments',
          'v2',
        ],
        ...['authorization.k8s.io', 'exec', 'scale', 'configmaps', 'version', 'readyz', '__proto__', 'constructor'],
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 12 }).map(encodeURIComponent),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 8 }),
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'),
        fc.constantFrom('', '?', '?&', '?watch=false', '?%', '?a=%zz', '?timeout=1s', '?timeout=x'),
        async (parts, method, query) => {
          const path = `/${parts.join('/')}${query}`
          const answer = await server.client.request(method, path, {
            timeoutMs: 10_000,
            ...(method === 'POST' || method === 'PUT' || method === 'PATCH' ? { body: {} } : {}),
          })
          if (answer.code === 500 || server.errors.length > 0) {
            throw new Error(`${method} ${path}: ${answer.code} ${answer.text} ${server.errors.splice(0).join('')}`)
          }
        },
      ),
      settings(400),
    )
  },
  effort * 60_000,
)

test('the server is as well as before', async () => {
  await server.client.expect(200, 'GET', '/api/v1/namespaces/default')
  expect((await server.client.request('GET', '/readyz')).code).toBe(200)
})

function someParts(target: Seed): fc.Arbitrary<string> {
  return fc.constantFrom('', '', '', ...(target.resource.strategy.status ? ['/status'] : []), ...target.parts)
}
