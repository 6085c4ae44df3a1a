import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtinKinds } from '../../api/registry.ts'
import { type LocalServer, startLocal } from '../consistency/servers.ts'
import { basePath } from './paths.ts'

let server: LocalServer
beforeAll(async () => {
  server = await startLocal()
})
afterAll(() => server?.stop())

const kinds = builtinKinds.flatMap((resource) => [
  { resource, group: resource.group, version: resource.version },
  ...(resource.versions ?? []).map(({ group, version }) => ({ resource, group, version })),
])

test.each(kinds.map((kind) => ({ ...kind, name: `${kind.group}/${kind.version} ${kind.resource.plural}` })))(
  '$name answers hollow objects without a fault of its own',
  async ({ resource, group, version }) => {
    const path = basePath(resource, group, version, 'default')
    const head = { apiVersion: group === '' ? version : `${group}/${version}`, kind: resource.kind }
    const named = { ...head, metadata: { name: 'hollow' } }
    const bodies: unknown[] = [
      {},
      head,
      named,
      { ...named, spec: {} },
      { ...named, spec: null, status: null },
      { ...head, metadata: { generateName: 'hollow-' }, spec: {}, status: {} },
      { ...head, metadata: null },
      hollow(resource.schema, 3, {}),
      hollow(resource.schema, 3, []),
      hollow(resource.schema, 4, null),
    ].map((body, i) => (i < 7 ? body : { ...(body as object), ...named, metadata: { name: `hollow-${i}` } }))
    for (const body of bodies) {
      const answers = [
        await server.client.request('POST', path, { body }),
        await server.client.request('PUT', `${path}/hollow`, { body }),
        await server.client.request('PUT', `${path}/hollow/status`, { body }),
        await server.client.request('PATCH', `${path}/hollow`, {
          body,
          headers: { 'content-type': 'application/strategic-merge-patch+json' },
        }),
        await server.client.request('PATCH', `${path}/applied?fieldManager=t`, {
          body: { ...(body as object), ...head, metadata: { name: 'applied' } },
          headers: { 'content-type': 'application/apply-patch+yaml' },
        }),
        await server.client.request('GET', path, {
          headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
        }),
        await server.client.request('DELETE', `${path}/hollow`, { body }),
      ]
      for (const { code, text } of answers) {
        expect(code, `${JSON.stringify(body)}: ${text}`).not.toBe(500)
        if (code >= 400) expect(text).toContain('"kind":"Status"')
      }
    }
    expect(server.errors).toEqual([])
  },
)

/** An object of a schema with all its fields there and nothing in them: `leaf` where a list, a map or an object ends. */
function hollow(schema: import('../../api/machinery/schema.ts').Schema, depth: number, leaf: unknown): unknown {
  switch (schema.type) {
    case 'object': {
      if (depth === 0 || !schema.properties) return leaf
      const object: Record<string, unknown> = {}
      for (const [name, field] of schema.properties) object[name] = hollow(field, depth - 1, leaf)
      return object
    }
    case 'array':
      return schema.items
        ? [hollow(schema.items, depth - 1, leaf)].filter((item) => depth > 0 && item !== undefined)
        : leaf
    case 'map':
      return schema.values ? { '': hollow(schema.values, Math.max(0, depth - 1), leaf) } : leaf
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'time':
    case 'microTime':
      return null
    case 'quantity':
      return '0'
    case 'intOrString':
      return 0
    default:
      return ''
  }
}
