import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { formatFieldError } from '../../../api/machinery/field-errors.ts'
import { compileCheck } from './value-faults.ts'

const told = (schema: JSONSchemaProps, x: unknown) =>
  compileCheck({ type: 'object', properties: { x: schema } })({ x }, '').map(({ error }) => formatFieldError(error))

describe('a value', () => {
  it.each<[string, JSONSchemaProps, unknown, string[]]>([
    [
      'of another type',
      { type: 'integer' },
      'a',
      ['x: Invalid value: "string": x in body must be of type integer: "string"'],
    ],
    ['that is null', { type: 'string' }, null, ['x: Invalid value: "null": x in body must be of type string: "null"']],
    ['that may be null', { type: 'string', nullable: true }, null, []],
    ['that is a number or a text', { 'x-kubernetes-int-or-string': true }, 5, []],
    [
      'that is neither',
      { 'x-kubernetes-int-or-string': true },
      true,
      ['x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"'],
    ],
    [
      'that is no whole number',
      { type: 'integer' },
      1.5,
      ['x: Invalid value: "number": x in body must be of type integer: "number"'],
    ],
    ['that is not there', { type: 'object', required: ['y'] }, {}, ['x.y: Required value']],
    [
      'not among those allowed',
      { type: 'string', enum: ['a', 'b'] },
      'c',
      ['x: Unsupported value: "c": supported values: "a", "b"'],
    ],
    ['that is too long', { type: 'string', maxLength: 2 }, 'abc', ['x: Too long: may not be more than 2 bytes']],
    [
      'that is too short',
      { type: 'string', minLength: 2 },
      'a',
      ['x: Invalid value: "a": x in body should be at least 2 chars long'],
    ],
    [
      'against its pattern',
      { type: 'string', pattern: '^a-\\d$' },
      'b',
      ['x: Invalid value: "b": x in body should match \'^a-\\d$\''],
    ],
    [
      'against one of two patterns',
      { type: 'string', allOf: [{ pattern: '^a' }, { pattern: 'b$' }] },
      'a',
      ['x: Invalid value: "a": x in body should match \'b$\''],
    ],
    ['by a pattern that is none, and was let in once', { type: 'string', pattern: '(?=a)' }, 'b', []],
    ['by a pattern of Go', { type: 'string', pattern: '(?i)^A[_-]b\\z' }, 'a_B', []],
    [
      'too small',
      { type: 'integer', minimum: 1 },
      0,
      ['x: Invalid value: 0: x in body should be greater than or equal to 1'],
    ],
    [
      'that must be larger',
      { type: 'number', minimum: 1, exclusiveMinimum: true },
      1,
      ['x: Invalid value: 1: x in body should be greater than 1'],
    ],
    [
      'too large',
      { type: 'integer', maximum: 1 },
      2,
      ['x: Invalid value: 2: x in body should be less than or equal to 1'],
    ],
    [
      'that must be smaller',
      { type: 'number', maximum: 1, exclusiveMaximum: true },
      1,
      ['x: Invalid value: 1: x in body should be less than 1'],
    ],
    [
      'no multiple',
      { type: 'integer', multipleOf: 5 },
      7,
      ['x: Invalid value: 7: x in body should be a multiple of 5'],
    ],
    ['of too many items', { type: 'array', maxItems: 1 }, [1, 2], ['x: Too many: 2: must have at most 1 item']],
    [
      'of too few items',
      { type: 'array', minItems: 1 },
      [],
      ['x: Invalid value: 0: x in body should have at least 1 items'],
    ],
    [
      'of too many fields',
      { type: 'object', maxProperties: 1 },
      { a: 1, b: 1 },
      ['x: Too many: 2: must have at most 1 item'],
    ],
    [
      'of too few fields',
      { type: 'object', minProperties: 1 },
      {},
      ['x: Invalid value: 0: x in body should have at least 1 properties'],
    ],
    [
      'in a list',
      { type: 'array', items: { type: 'integer' } as never },
      [1, 'a'],
      ['x[1]: Invalid value: "string": x[1] in body must be of type integer: "string"'],
    ],
    [
      'in a map, whose keys are anything',
      { type: 'object', additionalProperties: { type: 'integer' } as never },
      { 'a/b~c': 'd' },
      ['x.a/b~c: Invalid value: "string": x.a/b~c in body must be of type integer: "string"'],
    ],
    [
      'of another format',
      { type: 'string', format: 'date-time' },
      'soon',
      ['x: Invalid value: "soon": x in body must be of type date-time: "soon"'],
    ],
    ['of a format nobody checks', { type: 'string', format: 'poem' }, 'soon', []],
    [
      'that fits no alternative',
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      {},
      ['<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)', 'x.a: Required value'],
    ],
    [
      'that fits two',
      { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { a: 1, b: 1 },
      ['<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'that fits what it must not',
      { not: { required: ['a'] } },
      { a: 1 },
      ['<nil>: Invalid value: "": "x" must not validate the schema (not)'],
    ],
  ])('%s', (_, schema, value, expected) => {
    expect(told(schema, value)).toEqual(expected)
  })

  it.each<[string, string, string]>([
    ['ipv4', '10.0.0.1', '10.0.0'],
    ['ipv6', '::1', '10.0.0.1'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', 'x'],
    ['date', '2024-02-29', '2023-02-29'],
    ['date-time', '2024-02-29T00:00:00Z', '2024-02-29'],
    ['duration', '1h30m', 'long'],
    ['byte', 'aGk=', 'a'],
    ['email', 'a@b.c', 'a'],
    ['hostname', 'a.example', 'a_b'],
    ['mac', '00:11:22:33:44:55', '00:11'],
    ['k8s-short-name', 'a-b', 'a.b'],
  ])('of format %s', (format, good, bad) => {
    expect(told({ type: 'string', format }, good)).toEqual([])
    expect(told({ type: 'string', format }, bad)).toHaveLength(1)
  })

  it.each<[string, JSONSchemaProps, string]>([
    ['a pattern', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(5000)}!`],
    ['a format', { type: 'string', format: 'duration' }, `${'1s'.repeat(5000)}!`],
  ])('does not take for ever by %s', (_, schema, text) => {
    expect(told(schema, text)).toHaveLength(1)
  })

  it('in a list is told why it fits no alternative, and not why others do not', () => {
    const items = { anyOf: [{ minimum: 3 }, { multipleOf: 2 }] } as never
    expect(told({ type: 'array', items }, [1, 4, 1])).toEqual(
      [0, 2].flatMap((i) => [
        `<nil>: Invalid value: "": "x[${i}]" must validate at least one schema (anyOf)`,
        `x[${i}]: Invalid value: 1: x[${i}] in body should be greater than or equal to 3`,
      ]),
    )
    expect(told({ type: 'array', items }, Array(20_000).fill(1))).toHaveLength(40_000)
  })

  it('may have fields that are called as what every object has', () => {
    const schema: JSONSchemaProps = {
      type: 'object',
      required: ['toString'],
      properties: { constructor: { type: 'string' } },
    }
    expect(told(schema, {})).toEqual(['x.toString: Required value'])
    expect(told(schema, JSON.parse('{"toString": 1, "constructor": "a", "__proto__": {"a": 1}}'))).toEqual([])
  })
})
