import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { formOf } from './form.ts'

const keep = { 'x-kubernetes-preserve-unknown-fields': true } as const
const text: JSONSchemaProps = { type: 'string' }
const object = (properties: Record<string, JSONSchemaProps>, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...more,
})
const spec = (schema: JSONSchemaProps) => object({ spec: schema })

function shaped(schema: JSONSchemaProps | undefined, value: object) {
  const unknown: string[] = []
  const before = structuredClone(value)
  const result = formOf(schema)(value as Record<string, unknown>, unknown)
  expect(value).toEqual(before)
  return { result, unknown }
}

describe('what the schema does not name', () => {
  it.each<[string, JSONSchemaProps, object, object, string[]]>([
    ['goes, and is told', spec(object({ a: text })), { spec: { a: '1', b: 2 } }, { spec: { a: '1' } }, ['spec.b']],
    [
      'goes from items and values too',
      spec(object({ list: { type: 'array', items: object({ a: text }) as never } }, {})),
      { spec: { list: [{ a: '1' }, { b: 1 }] } },
      { spec: { list: [{ a: '1' }, {}] } },
      ['spec.list[1].b'],
    ],
    [
      'goes from the values of a map',
      spec({ type: 'object', additionalProperties: object({ a: text }) as never }),
      { spec: { any: { a: '1', b: 1 } } },
      { spec: { any: { a: '1' } } },
      ['spec.any.b'],
    ],
    [
      'stays where it may',
      spec({ type: 'object', ...keep }),
      { spec: { a: [{ b: null }] } },
      { spec: { a: [{ b: null }] } },
      [],
    ],
    [
      'stays beside a named field that is itself closed',
      spec(object({ a: object({ b: text }) }, keep)),
      { spec: { a: { b: '', c: 1 }, d: 1 } },
      { spec: { a: { b: '' }, d: 1 } },
      ['spec.a.c'],
    ],
    [
      'in an object inside is dropped from its metadata as well',
      spec(object({ pod: object({}, { 'x-kubernetes-embedded-resource': true, ...keep }) })),
      { spec: { pod: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', odd: 1 }, spec: {} } } },
      { spec: { pod: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' }, spec: {} } } },
      ['spec.pod.metadata.odd'],
    ],
    [
      'goes from the metadata',
      object({}),
      { metadata: { name: 'a', odd: 1 } },
      { metadata: { name: 'a' } },
      ['metadata.odd'],
    ],
  ])('%s', (_, schema, value, result, unknown) => {
    expect(shaped(schema, value)).toEqual({ result, unknown })
  })

  it('is a field like any other when it is called __proto__', () => {
    const value = JSON.parse('{"spec":{"__proto__":{"a":1}}}') as object
    expect(JSON.stringify(shaped(spec({ type: 'object', ...keep }), value).result)).toBe(
      '{"spec":{"__proto__":{"a":1}}}',
    )
    expect(shaped(spec(object({})), value).unknown).toEqual(['spec.__proto__'])
  })
})

describe('a default', () => {
  it.each<[string, JSONSchemaProps, object, object]>([
    [
      'fills a field that is absent',
      spec(object({ n: { type: 'integer', default: 3 } })),
      { spec: {} },
      { spec: { n: 3 } },
    ],
    ['needs its holder', spec(object({ n: { type: 'integer', default: 3 } })), {}, {}],
    [
      'brings its own defaults along',
      object({ spec: object({ n: { type: 'integer', default: 3 } }, { default: {} }) }),
      {},
      { spec: { n: 3 } },
    ],
    [
      'takes the place of a null that may not be',
      spec(object({ n: { type: 'integer', default: 3 } })),
      { spec: { n: null } },
      { spec: { n: 3 } },
    ],
    [
      'leaves a null that may be',
      spec(object({ n: { type: 'integer', default: 3, nullable: true } })),
      { spec: { n: null } },
      { spec: { n: null } },
    ],
    ['is missed by a null, which goes', spec(object({ n: { type: 'integer' } })), { spec: { n: null } }, { spec: {} }],
  ])('%s', (_, schema, value, result) => {
    expect(shaped(schema, value).result).toEqual(result)
  })

  it('is nobody else’s', () => {
    const form = formOf(spec(object({ list: { type: 'array', items: text as never, default: [] } })))
    const one = form({ spec: {} }) as { spec: { list: string[] } }
    one.spec.list.push('a')
    expect(form({ spec: {} })).toEqual({ spec: { list: [] } })
  })
})
