import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appsResources } from '../apps/index.ts'
import { batchResources } from '../batch/index.ts'
import { discoveryResources } from '../discovery/index.ts'
import { decodeObject } from '../machinery/decode.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { RequestContext, Resource } from '../machinery/resource.ts'
import type { Schema } from '../machinery/schema.ts'
import { networkingResources } from '../networking/index.ts'
import { coreClusterResources } from './cluster.ts'
import { coreWorkloadResources } from './workloads.ts'

const kinds: Resource[] = [
  ...coreClusterResources,
  ...coreWorkloadResources,
  ...appsResources,
  ...batchResources,
  ...networkingResources,
  ...discoveryResources,
]
const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const runs = 80
const maxDepth = 5

/** Texts that mean something somewhere, and some that mean nothing. */
const texts = fc.constantFrom(
  ...['', 'a', 'Web', 'a.b/c', '-', 'ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', 'None', 'ClientIP'],
  ...['Local', 'SingleStack', 'RequireDualStack', 'IPv4', 'IPv6', 'TCP', 'Container', 'Pod', 'In', 'Exists'],
  ...[
    '10.0.0.1',
    '010.0.0.1',
    'fe80::1',
    '::ffff:1.2.3.4',
    '10.0.0.0/8',
    '2001:db8::/64',
    '1.2.3.4/33',
    'iqn.2001-04.x',
  ],
  ...['kubernetes.io/tls', 'Opaque', 'Bound', 'Pending', 'Exact', '/', '/a/../b', '*.example.com', 'Namespace'],
)
const quantities = fc.constantFrom('0', '1', '100m', '1500m', '1Gi', '-1', '10')

const made = new Map<Schema, fc.Arbitrary<unknown>>()

/** Objects of a schema with anything missing, even what is required: a client may leave it out. */
function arbitraryOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const known = depth === 0 ? made.get(schema) : undefined
  if (known) return known
  const arbitrary = make(schema, depth)
  if (depth === 0) made.set(schema, arbitrary)
  return arbitrary
}

function make(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'object': {
      if (depth > maxDepth) return fc.constant({})
      const fields = [...(schema.properties ?? [])].filter(
        ([name]) => !['apiVersion', 'kind', 'metadata'].includes(name),
      )
      const model = Object.fromEntries(fields.map(([name, field]) => [name, arbitraryOf(field, depth + 1)]))
      return fc.record(model, { requiredKeys: [] })
    }
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? { type: 'string' }, depth + 1), { maxLength: 3 })
    case 'map':
      return fc.dictionary(
        fc.constantFrom('storage', 'cpu', 'a', '.dockercfg', 'A b', 'example.com/gpu', 'pods'),
        arbitraryOf(schema.values ?? { type: 'string' }, depth + 1),
        { maxKeys: 3, noNullPrototype: true },
      )
    case 'integer':
    case 'number':
      return fc.constantFrom(0, 1, 80, -1, 70_000)
    case 'boolean':
      return fc.boolean()
    case 'quantity':
      return quantities
    case 'intOrString':
      return fc.oneof(texts, fc.constantFrom(0, 80))
    case 'time':
      return fc.constant('2024-01-02T03:04:05Z')
    case 'microTime':
      return fc.constant('2024-01-02T03:04:05.000006Z')
    case 'bytes':
      return fc.constantFrom('', 'e30=', 'YWJj')
    default:
      return texts
  }
}

const objectsOf = (resource: Resource): fc.Arbitrary<AnyObject> =>
  fc
    .tuple(arbitraryOf(resource.schema, 0), fc.dictionary(texts, texts, { maxKeys: 2, noNullPrototype: true }))
    .map(([content, annotations]) => {
      const metadata = { name: 'x', namespace: 'ns', resourceVersion: '1', annotations }
      return decodeObject(resource.schema, { ...(content as object), metadata }, { mode: 'Ignore' }).object as AnyObject
    })

describe.each(kinds.map((resource) => [resource.kind, resource] as const))('%s', (_, resource) => {
  it('has defaults that add nothing the second time', () => {
    fc.assert(
      fc.property(objectsOf(resource), (object) => {
        resource.defaults?.(object)
        const once = structuredClone(object)
        resource.defaults?.(object)
        expect(object).toEqual(once)
      }),
      { numRuns: runs },
    )
  })

  it('validates, warns about and prints whatever decodes', () => {
    fc.assert(
      fc.property(objectsOf(resource), objectsOf(resource), (object, old) => {
        for (const one of [object, old]) resource.defaults?.(one)
        resource.strategy.prepareForUpdate?.(object, old, ctx)
        for (const error of [
          ...(resource.validate?.(object, old, ctx) ?? []),
          ...(resource.validateStatus?.(object, old, ctx) ?? []),
        ]) {
          expect(error.message).not.toContain('undefined')
          expect(error.field).not.toContain('undefined')
        }
        resource.warnings?.(object, old)
        for (const column of resource.columns ?? []) expect(column.value(object, 0)).toBeDefined()
        for (const select of Object.values(resource.selectableFields ?? {})) expect(select(object)).toBeTypeOf('string')

        resource.strategy.prepareForCreate?.(old, ctx)
        resource.validate?.(old, undefined, ctx)
        resource.strategy.prepareForStatusUpdate?.(object, old, ctx)
      }),
      { numRuns: runs },
    )
  })

  it('finds no fault with an update that changes nothing of a sound object', () => {
    fc.assert(
      fc.property(objectsOf(resource), (object) => {
        resource.defaults?.(object)
        resource.strategy.prepareForCreate?.(object, ctx)
        // Few are sound; to ask for sound ones only would take too long.
        if ((resource.validate?.(object, undefined, ctx) ?? []).length > 0) return
        const next = structuredClone(object)
        resource.defaults?.(next)
        resource.strategy.prepareForUpdate?.(next, object, ctx)
        expect((resource.validate?.(next, object, ctx) ?? []).map(formatFieldError)).toEqual([])
        expect(next).toEqual(object)
      }),
      { numRuns: runs },
    )
  })
})
