import fc from 'fast-check'
import type { Resource } from '../../api/machinery/resource.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import type { Seed } from './seeds.ts'

/** Text that somebody might put where a name, a selector or a quantity belongs. */
export const someText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    '-',
    '0',
    'default',
    'x'.repeat(300),
    '../..',
    'a/b',
    '\0',
    '\u{1f600}',
    '__proto__',
    '{{',
    '%',
  ),
  fc.constantFrom(
    '1Gi',
    '100m',
    '-1',
    '1e400',
    '0.1',
    'Always',
    '10.0.0.1',
    'fe80::1',
    '2024-01-01T00:00:00Z',
    '* * * * *',
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

const number = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -1, 1, 65_536, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, 0.5),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { depthSize: 'small', withCrossShrink: true },
  fc.constantFrom(null, true, false, '', [], {}, [null], { '': null }),
  number,
  someText,
  fc.jsonValue({ maxDepth: 3 }),
)

const known = new WeakMap<Schema, Map<number, fc.Arbitrary<unknown>>>()

/** Values shaped as a schema says, for the most part. */
export function shapedBy(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const byDepth = known.get(schema) ?? new Map<number, fc.Arbitrary<unknown>>()
  known.set(schema, byDepth)
  const found = byDepth.get(depth)
  if (found) return found
  const made = fc.oneof({ weight: 15, arbitrary: shaped(schema, depth) }, { weight: 1, arbitrary: anyJson })
  byDepth.set(depth, made)
  return made
}

function shaped(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'object': {
      const names = [...(schema.properties?.keys() ?? [])]
      if (depth === 0 || names.length === 0) return fc.constant({})
      const { properties } = schema
      return fc.subarray(names, { maxLength: Math.min(names.length, 6) }).chain((chosen) => {
        const fields = Object.fromEntries(
          [...new Set([...chosen, ...(schema.required ?? [])])].map((name) => [
            name,
            shapedBy(properties?.get(name) as Schema, depth - 1),
          ]),
        )
        return fc.record(fields, { noNullPrototype: true })
      })
    }
    case 'array':
      return depth === 0 || !schema.items
        ? fc.constant([])
        : fc.array(shapedBy(schema.items, depth - 1), { maxLength: 3 })
    case 'map':
      return depth === 0 || !schema.values
        ? fc.constant({})
        : fc.dictionary(someText, shapedBy(schema.values, depth - 1), { maxKeys: 3, noNullPrototype: true })
    case 'integer':
      return fc.oneof(fc.integer({ min: -2, max: 100 }), number)
    case 'number':
      return number
    case 'boolean':
      return fc.boolean()
    case 'quantity':
      return fc.oneof(
        fc.constantFrom('1', '100m', '1Gi', '-1', '1e3', '1e400', '0.0000000001', 'x', ''),
        number,
        someText,
      )
    case 'intOrString':
      return fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constantFrom('25%', 'http', '101%', '', 'x%'), someText)
    case 'time':
    case 'microTime':
      return fc.oneof(
        fc.constantFrom('2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000001Z', '9999-99-99T00:00:00Z', '', 'now', null),
        someText,
      )
    case 'bytes':
      return fc.oneof(fc.constantFrom('YQ==', 'YQ', '=', '', '!!'), someText)
    case 'string':
      return someText
    default:
      return anyJson
  }
}

/** The body of a create: of the right kind and with a good name, for the most part. */
export function bodyOf(resource: Resource): fc.Arbitrary<unknown> {
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
  const head = { apiVersion, kind: resource.kind }
  return fc.oneof(
    {
      weight: 10,
      arbitrary: fc
        .tuple(shapedBy(resource.schema, 7), fc.integer({ min: 0, max: 40 }))
        .map(([value, i]) =>
          isObject(value) ? { ...value, ...head, metadata: { ...asObject(value.metadata), name: `fuzz-${i}` } } : value,
        ),
    },
    { weight: 2, arbitrary: shapedBy(resource.schema, 5) },
    { weight: 1, arbitrary: anyJson },
  )
}

/** A change of an object: one to three places in it replaced by what fits there or does not. */
export function mutationOf(resource: Resource): fc.Arbitrary<(object: unknown) => unknown> {
  return fc
    .array(fc.tuple(fc.array(fc.nat(1000), { minLength: 1, maxLength: 9 }), fc.nat(2), placeValues(resource)), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => (object: unknown) => {
      for (const [path, action, value] of changes) mutate(object, resource.schema, path, action, value)
      return object
    })
}

/** Values are chosen before the place is known: a seed for each type that can be met. */
function placeValues(resource: Resource): fc.Arbitrary<(schema: Schema | undefined) => unknown> {
  return fc.tuple(anyJson, fc.nat()).map(([other, seed]) => (schema) => {
    if (!schema || seed % 8 === 0) return other
    return fc.sample(shapedBy(schema, 4), { numRuns: 1, seed: seed + resource.plural.length })[0]
  })
}

function mutate(
  value: unknown,
  schema: Schema | undefined,
  path: number[],
  action: number,
  fill: (schema: Schema | undefined) => unknown,
): void {
  if (!isObject(value) && !Array.isArray(value)) return
  const [step = 0, ...rest] = path
  const present = Array.isArray(value) ? [...value.keys()].map(String) : Object.keys(value)
  const possible = Array.isArray(value) ? [String(value.length)] : [...(schema?.properties?.keys() ?? ['new'])]
  // Three times in four what is there, so that the walk gets somewhere.
  const names = step % 4 === 0 || present.length === 0 ? possible : present
  const name = names[step % names.length]
  if (name === undefined) return
  const below = schema?.properties?.get(name) ?? schema?.items ?? schema?.values
  const target = value as Record<string, unknown>
  const next = Object.hasOwn(target, name) ? target[name] : undefined
  if (rest.length > 0 && typeof next === 'object' && next !== null) mutate(next, below, rest, action, fill)
  else if (action === 0 && Array.isArray(value)) value.splice(step % (value.length + 1), 1)
  else if (action === 0) delete target[name]
  else target[name] = structuredClone(fill(below))
}

/** A patch of any of the four types, with something in it for that object. */
export function patchOf({ resource, object }: Seed): fc.Arbitrary<{ type: string; body: unknown }> {
  const partial = shapedBy(resource.schema, 6)
  const pointer = fc.oneof(
    fc.constantFrom('', '/', '/spec', '/metadata', '/metadata/labels', '/metadata/name', '/kind', '/spec/-', '/a/b/c'),
    fc.constantFrom(...pointers(object, '')),
    fc.constantFrom(...pointers(object, '')).map((path) => `${path}/-`),
    someText,
  )
  const operation = fc.record(
    {
      op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), someText),
      path: pointer,
      from: pointer,
      value: fc.oneof(anyJson, partial),
    },
    { requiredKeys: ['op', 'path'] },
  )
  const directive = fc.constantFrom(
    { $patch: 'delete' },
    { $patch: 'replace' },
    { $patch: 'x' },
    { $retainKeys: ['a'] },
    { $retainKeys: 1 },
    { '$setElementOrder/containers': [{ name: 'a' }] },
    { '$setElementOrder/finalizers': 3 },
    { '$deleteFromPrimitiveList/finalizers': ['a'] },
    { '$deleteFromPrimitiveList/finalizers': {} },
  )
  const strategic = fc
    .tuple(partial, directive, fc.constantFrom('', 'spec', 'metadata'))
    .map(([value, more, at]) =>
      !isObject(value)
        ? value
        : at === ''
          ? { ...value, ...more }
          : { ...value, [at]: { ...asObject(value[at]), ...more } },
    )
  const applied = fc.tuple(partial, fc.boolean()).map(([value, managed]) => {
    if (!isObject(value)) return value
    const { apiVersion, kind, metadata } = object as { apiVersion: string; kind: string; metadata: { name: string } }
    const meta = { ...asObject(value.metadata), name: metadata.name }
    if (!managed) delete (meta as { managedFields?: unknown }).managedFields
    return { ...value, apiVersion, kind, metadata: meta }
  })
  return fc.oneof(
    fc.record({
      type: fc.constant('application/json-patch+json'),
      body: fc.oneof(fc.array(operation, { maxLength: 4 }), anyJson),
    }),
    fc.record({ type: fc.constant('application/merge-patch+json'), body: fc.oneof(partial, anyJson) }),
    fc.record({
      type: fc.constant('application/strategic-merge-patch+json'),
      body: fc.oneof(partial, strategic, strategic, anyJson),
    }),
    fc.record({
      type: fc.constant('application/apply-patch+yaml'),
      body: fc.oneof(applied, applied, partial, anyJson),
    }),
  )
}

function pointers(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [
    path,
    ...Object.entries(value).flatMap(([name, below]) => pointers(below, `${path}/${name.replaceAll('/', '~1')}`)),
  ]
}

const deep = (open: string, close: string, n: number) => open.repeat(n) + close.repeat(n)
const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`).join('\n')}\n`

/** Bodies that somebody sends who means harm, or has a bug. */
export const hostileBytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map(Buffer.from),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), bytes])),
  // A length-delimited field of an unknown envelope, then anything.
  fc
    .tuple(fc.constantFrom(0x0a, 0x12, 0x1a, 0x22), fc.nat(127), fc.uint8Array({ maxLength: 120 }))
    .map(([tag, length, bytes]) => Buffer.concat([Buffer.from('k8s\0'), Buffer.from([tag, length]), bytes])),
  fc.constantFrom(
    ...[
      deep('[', ']', 10_000),
      deep('{"a":', '}', 10_000),
      '{"a":'.repeat(5000),
      deep('[', ']', 200_000),
      `{"spec":${deep('{"a":', '}', 9000).replace('}', '1}')}}`,
      deep('- ', '', 3000),
      deep('{a: ', '}', 2000),
      bomb,
      '&a [*a]',
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","generation":1e999999}}',
      `{"a":${'9'.repeat(100_000)}}`,
      '{"__proto__":{"a":1},"constructor":{"prototype":{"b":1}}}',
      '{"metadata":{"name":"a","name":"b"}}',
      '--- \n--- \n',
      '!!js/function "x"',
      '!!binary "====="',
      '? {a: b}\n: c',
      '<<: *x',
      '\ufeff{}',
      '{"a":"\\ud800"}',
      'null',
      '[]',
      '""',
      '0',
      '%YAML 1.9\n---\na',
      '\t',
    ].map((text) => Buffer.from(text)),
    Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
    Buffer.from('{"metadata":{"name":"\xff\xfe"}}', 'latin1'),
    Buffer.from('k8s\0'),
    Buffer.from('k8s'),
    Buffer.alloc(0),
    Buffer.alloc(100_000, '['),
    Buffer.alloc(100_000, 0x0a),
  ),
  anyJson.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const asObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})
