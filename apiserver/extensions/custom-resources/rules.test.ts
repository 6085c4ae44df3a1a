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
      ['spec: Invalid value: "object": rule evaluation error: No such key: n evaluating rule: failed rule: self.n > 1'],
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
})
