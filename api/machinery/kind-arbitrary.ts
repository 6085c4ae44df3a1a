import fc from 'fast-check'
import { decodeObject } from './decode.ts'
import type { AnyObject } from './object.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'

/** For property tests of kinds: any object that decodes, however senseless. */

const maxDepth = 5

/** Texts that mean something somewhere, and some that mean nothing. */
const texts = fc.constantFrom(
  ...[
    '',
    'a',
    'a.b/c',
    'A b',
    '-',
    'v1',
    'apps/v1',
    'a/b/c',
    'example.com',
    'driver.example.com',
    '*',
    '*/*',
    'pods/*',
  ],
  ...[
    'Equal',
    'Exists',
    'In',
    'NoExecute',
    'True',
    'None',
    'Webhook',
    'Cluster',
    'Namespaced',
    'object',
    'array',
    'string',
  ],
  ...[
    'User',
    'Group',
    'ServiceAccount',
    'Limited',
    'Exempt',
    'Queue',
    'Resource',
    'Object',
    'External',
    'cpu',
    'JSONPatch',
  ],
  ...[
    'https://a.example/x',
    'http://u@h?q#f',
    '/path',
    'PersistentVolume',
    'Immediate',
    'ExactCount',
    'All',
    'Deny',
    '1.2.3',
  ],
)
const quantities = fc.constantFrom('0', '1', '100m', '1500m', '1Gi', '-1', '10')

function arbitraryOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'object': {
      if (depth > maxDepth) return fc.constant({})
      const fields = [...(schema.properties ?? [])].filter(
        ([name]) => !['apiVersion', 'kind', 'metadata'].includes(name),
      )
      return fc.record(Object.fromEntries(fields.map(([name, field]) => [name, arbitraryOf(field, depth + 1)])), {
        requiredKeys: [],
      })
    }
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? { type: 'string' }, depth + 1), { maxLength: 3 })
    case 'map':
      return fc.dictionary(texts, arbitraryOf(schema.values ?? { type: 'string' }, depth + 1), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'integer':
    case 'number':
      return fc.constantFrom(0, 1, 8, 80, -1, 70_000)
    case 'boolean':
      return fc.boolean()
    case 'quantity':
      return quantities
    case 'intOrString':
      return fc.oneof(texts, fc.constantFrom(0, 80, '50%', '120%'))
    case 'time':
      return fc.constant('2024-01-02T03:04:05Z')
    case 'microTime':
      return fc.constant('2024-01-02T03:04:05.000006Z')
    case 'bytes':
      return fc.constantFrom('', 'e30=', 'YWJj')
    case 'any':
      return fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom({ type: 'string' }, { type: 1 }))
    default:
      return texts
  }
}

/** Objects of the kind with anything missing, even what is required: a client may leave it out. */
export const objectsOf = (kind: Resource): fc.Arbitrary<AnyObject> =>
  arbitraryOf(kind.schema, 0).map((content) => {
    const metadata = { name: 'x', resourceVersion: '1', ...(kind.namespaced ? { namespace: 'ns' } : {}) }
    return decodeObject(kind.schema, { ...(content as object), metadata }, { mode: 'Ignore' }).object as AnyObject
  })
