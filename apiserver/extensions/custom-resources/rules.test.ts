import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps, ValidationRule } from '../../../api/generated/types.ts'
import { formatFieldError } from '../../../api/machinery/field-errors.ts'
import { compileRules } from './rules.ts'

const integer: JSONSchemaProps = { type: 'integer' }
const text: JSONSchemaProps = { type: 'string' }
const rule = (expression: string, more: Partial<ValidationRule> = {}): JSONSchemaProps => ({
  'x-kubernetes-validations': [{ rule: expression, ...more }],
})
const spec = (properties: Record<string, JSONSchemaProps>, more: JSONSchemaProps): JSONSchemaProps => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, ...more } },
})
const told = (schema: JSONSchemaProps, value: object, old?: object) =>
  (compileRules(schema)?.(value, old, '') ?? []).map(formatFieldError)

describe('a rule', () => {
  it.each<[string, JSONSchemaProps, object, string[]]>([
    ['that holds says nothing', spec({ n: integer }, rule('self.n > 1')), { n: 2 }, []],
    [
      'that does not hold is told',
      spec({ n: integer }, rule('self.n > 1')),
      { n: 1 },
      ['spec: Invalid value: "object": failed rule: self.n > 1'],
    ],
    [
      'has a message of its own',
      spec({ n: integer }, rule('self.n > 1', { message: 'too few' })),
      { n: 1 },
      ['spec: Invalid value: "object": too few'],
    ],
    [
      'has a message that it works out',
      spec({ n: integer }, rule('self.n > 1', { messageExpression: '"%d is too few".format([self.n])' })),
      { n: 1 },
      ['spec: Invalid value: "object": 1 is too few'],
    ],
    [
      'says where and why',
      spec(
        { n: integer },
        rule('has(self.n)', { fieldPath: '.n', reason: 'FieldValueRequired', message: 'say how many' }),
      ),
      {},
      ['spec.n: Required value: say how many'],
    ],
    [
      'of a field is told there',
      spec({ n: { ...integer, ...rule('self > 1') } }, {}),
      { n: 1 },
      ['spec.n: Invalid value: "integer": failed rule: self > 1'],
    ],
    [
      'of items is judged for each',
      spec({ list: { type: 'array', items: { ...text, ...rule('self != "b"') } as never } }, {}),
      { list: ['a', 'b'] },
      ['spec.list[1]: Invalid value: "string": failed rule: self != "b"'],
    ],
    [
      'of values is judged for each',
      spec({ map: { type: 'object', additionalProperties: { ...text, ...rule('self != "b"') } as never } }, {}),
      { map: { x: 'b' } },
      ['spec.map[x]: Invalid value: "string": failed rule: self != "b"'],
    ],
    [
      'that speaks of what is not there says so',
      spec({ n: integer }, rule('self.n > 1')),
      {},
      ['spec: Invalid value: "object": No such key: n evaluating rule: self.n > 1'],
    ],
    ['speaks of odd names in upstream’s way', spec({ 'a-b': integer }, rule('self.a__dash__b == 1')), { 'a-b': 1 }, []],
    ['tells fractions from whole numbers', spec({ x: { type: 'number' } }, rule('self.x < 1.5')), { x: 1 }, []],
    [
      'knows times',
      spec({ at: { ...text, format: 'date-time' } }, rule('self.at > timestamp("2020-01-01T00:00:00Z")')),
      { at: '2021-01-01T00:00:00Z' },
      [],
    ],
    [
      'knows lengths of time',
      spec({ d: { ...text, format: 'duration' } }, rule('self.d < duration("1h")')),
      { d: '30m' },
      [],
    ],
  ])('%s', (_, schema, value, expected) => {
    expect(told(schema, { spec: value })).toEqual(expected)
  })

  const fixed = spec({ n: { ...integer, ...rule('self == oldSelf', { message: 'is immutable' }) } }, {})
  it('about what was before holds where nothing was', () => {
    expect(told(fixed, { spec: { n: 1 } })).toEqual([])
    expect(told(fixed, { spec: { n: 1 } }, { spec: {} })).toEqual([])
    expect(told(fixed, { spec: { n: 2 } }, { spec: { n: 1 } })).toEqual([
      'spec.n: Invalid value: "integer": is immutable',
    ])
  })

  it('about what was before can be asked to hold from the first', () => {
    const optional = rule('oldSelf.hasValue() || self == 1', { optionalOldSelf: true })
    const schema = spec({ n: { ...integer, ...optional } }, {})
    expect(told(schema, { spec: { n: 2 } })).toHaveLength(1)
    expect(told(schema, { spec: { n: 2 } }, { spec: { n: 1 } })).toEqual([])
  })

  it('about the change is judged where nothing changes too', () => {
    const schema = spec({ n: { ...integer, ...rule('self > oldSelf') } }, {})
    expect(told(schema, { spec: { n: 1 } }, { spec: { n: 1 } })).toHaveLength(1)
  })

  it('lets stay what has not changed', () => {
    const schema = spec({ n: { ...integer, ...rule('self > 1') }, m: integer }, {})
    expect(told(schema, { spec: { n: 1, m: 2 } }, { spec: { n: 1 } })).toEqual([])
    const list = spec({ list: { type: 'array', items: { ...text, ...rule('self != "b"') } as never }, m: integer }, {})
    expect(told(list, { spec: { list: ['b'], m: 1 } }, { spec: { list: ['b'] } })).toEqual([])
    expect(told(list, { spec: { list: ['b', 'a'] } }, { spec: { list: ['b'] } })).toHaveLength(1)
  })

  it('is made of nothing where a schema has none', () => {
    expect(compileRules(spec({ n: integer }, {}))).toBeUndefined()
  })

  const numbers = Array.from({ length: 300 }, (_, n) => n)
  const endless = 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))'
  const list = (more: JSONSchemaProps): JSONSchemaProps => ({ type: 'array', items: integer as never, ...more })
  it('that takes too long is stopped, and is told, and no other is asked', () => {
    const schema = spec(
      { list: list(rule(endless, { message: 'is endless' })), n: { ...integer, ...rule('false') } },
      {},
    )
    expect(told(schema, { spec: { list: numbers, n: 1 } })).toEqual([
      `spec.list: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: is endless`,
    ])
  })

  it('that takes too long is not let off because it does not matter', () => {
    const either = spec({ list: list(rule(`(${endless}) || true`)) }, {})
    expect(told(either, { spec: { list: numbers } })).toHaveLength(1)
  })

  it('shares what it may take with all others of the object', () => {
    const text = 'x'.repeat(2_000_000)
    const schema = spec({ texts: { type: 'array', items: { type: 'string', ...rule('self == self') } as never } }, {})
    expect(told(schema, { spec: { texts: Array(20).fill(text) } })).toEqual([])
    expect(told(schema, { spec: { texts: Array(30).fill(text) } })).toEqual([
      'spec.texts[24]: Invalid value: "string": validation failed due to running out of cost budget: no further validation rules will be run due to call cost exceeds limit for rule: self == self',
    ])
  })
})
