import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { publishedSchema } from './published-schema.ts'

const meta = { metadata: { m: 1 } }
const published = (schema: JSONSchemaProps | undefined, version: 'v2' | 'v3') => publishedSchema(schema)(version, meta)
const field = (schema: JSONSchemaProps, version: 'v2' | 'v3') =>
  (published({ type: 'object', properties: { x: schema } }, version).properties as Record<string, unknown>).x

describe('a published schema', () => {
  it('has the fields every object has, unless clients of v2 would take them for all there are', () => {
    const open: JSONSchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    expect(published({ type: 'object' }, 'v2')).toEqual({ type: 'object', properties: meta })
    expect(published(open, 'v2')).toEqual({ type: 'object' })
    expect(published(open, 'v3')).toEqual({ ...open, properties: meta })
    expect(published(undefined, 'v3')).toEqual({ type: 'object' })
  })

  it.each<[string, JSONSchemaProps, object]>([
    ['alternatives', { type: 'string', anyOf: [{ minLength: 1 }], not: { maxLength: 1 } }, { type: 'string' }],
    ['null', { type: 'object', nullable: true, properties: { a: { type: 'string' } } }, {}],
    [
      'open objects',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } },
      { 'x-kubernetes-preserve-unknown-fields': true },
    ],
    [
      'that a field that may be null is required',
      {
        type: 'object',
        required: ['a', 'b'],
        properties: { a: { type: 'string', nullable: true }, b: { type: 'string' } },
      },
      { type: 'object', required: ['b'], properties: { a: {}, b: { type: 'string' } } },
    ],
  ])('does not speak of %s in v2', (_, schema, expected) => {
    expect(field(schema, 'v2')).toEqual(expected)
    expect(field(schema, 'v3')).toEqual(schema)
  })

  it('describes objects inside as objects', () => {
    expect(field({ type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} }, 'v3')).toEqual({
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: meta,
      required: ['kind', 'apiVersion'],
    })
  })
})
