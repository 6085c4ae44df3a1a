import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { formatFieldError } from '../../../api/machinery/field-errors.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { rulesOf } from './validation.ts'

const small = { type: 'string', maxLength: 1 } as const
const named = { type: 'object', properties: { name: { type: 'string' }, x: small } }
const schema = {
  type: 'object',
  properties: {
    x: small,
    byName: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: named,
    },
    plain: { type: 'array', items: named },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    closed: { type: 'object', required: ['must'], properties: { must: small, may: small } },
  },
} as unknown as JSONSchemaProps
const rules = rulesOf(schema, undefined)
const told = (value: object, old?: object) =>
  rules
    .validate({ metadata: {}, ...value }, old && ({ metadata: {}, ...old } as AnyObject))
    .map((error) => formatFieldError(error).replace(/: Too long.*| Invalid value.*/, ''))

describe('what no longer fits the schema', () => {
  it.each<[string, object, object | undefined, string[]]>([
    ['is refused in a new object', { x: 'long' }, undefined, ['x']],
    ['may stay', { x: 'long' }, { x: 'long' }, []],
    ['may not be changed into something as bad', { x: 'longer' }, { x: 'long' }, ['x']],
    [
      'may stay in an item of the same key',
      { byName: [{ name: 'b', x: 'long' }] },
      { byName: [{ name: 'a' }, { name: 'b', x: 'long' }] },
      [],
    ],
    [
      'is new in an item of another key',
      { byName: [{ name: 'c', x: 'long' }] },
      { byName: [{ name: 'b', x: 'long' }] },
      ['byName[0].x'],
    ],
    [
      'is new in every item of a list without keys that has changed',
      { plain: [{ name: 'a', x: 'long' }, { name: 'b' }] },
      { plain: [{ name: 'a', x: 'long' }] },
      ['plain[0].x'],
    ],
    ['may be missing as before', { closed: {} }, { closed: {} }, []],
    [
      'may not be missing once its holder changes',
      { closed: { may: 'a' } },
      { closed: {} },
      ['closed.must: Required value'],
    ],
  ])('%s', (_, value, old, expected) => {
    expect(told(value, old)).toEqual(expected)
  })

  it('goes for items that stand twice', () => {
    expect(told({ set: ['a', 'a', 'a', 'b', 'b'] })).toEqual([
      'set[1]: Duplicate value: "a"',
      'set[4]: Duplicate value: "b"',
    ])
    expect(told({ set: ['a', 'a'], x: 'b' }, { set: ['a', 'a'] })).toEqual([])
    expect(told({ byName: [{ name: 'a' }, { name: 'a' }] })).toEqual(['byName[1]: Duplicate value: {"name":"a"}'])
  })

  it('is looked for in the status alone when that is written', () => {
    const withStatus = rulesOf(
      { type: 'object', properties: { x: small, status: { type: 'object', properties: { y: small } } } },
      undefined,
    )
    const object = { metadata: {}, x: 'long', status: { y: 'long' } }
    const errors = withStatus.validateStatus(object, { metadata: {}, x: 'long' })
    expect(errors.map(formatFieldError)).toEqual(['status.y: Too long: may not be more than 1 bytes'])
  })
})

describe('an object inside', () => {
  const inside = rulesOf(
    { type: 'object', properties: { pod: { type: 'object', 'x-kubernetes-embedded-resource': true } } },
    undefined,
  )
  it.each<[object, string[]]>([
    [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }, []],
    [{ metadata: {} }, ['pod.apiVersion: Required value', 'pod.kind: Required value']],
    [{ apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: ' ' } } }, ['pod.metadata.labels: Invalid value: " "']],
  ])('%j', (pod, expected) => {
    const errors = inside.validate({ metadata: {}, pod }, undefined).map(formatFieldError)
    expect(errors.map((line, i) => line.slice(0, expected[i]?.length))).toEqual(expected)
  })
})

describe('the paths of a scale', () => {
  const scale = { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n', labelSelectorPath: '.status.s' }
  const scaled = rulesOf({ type: 'object' }, scale)
  it.each<[object, string[]]>([
    [{ spec: { n: 1 } }, []],
    [{ spec: { n: -1 } }, ['.spec.n: Invalid value: -1: should be a non-negative integer']],
    [{ status: { n: 2 ** 31 } }, ['.status.n: Invalid value: 2147483648: should be less than or equal to 2147483647']],
    [
      { spec: { n: 'a' } },
      ['.spec.n: Invalid value: 0: .spec.n accessor error: a is of the type string, expected int64'],
    ],
  ])('%j', (object, expected) => {
    expect(scaled.validate({ metadata: {}, ...object }, undefined).map(formatFieldError)).toEqual(expected)
  })
})
