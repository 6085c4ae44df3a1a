import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  difference,
  equals,
  type FieldPath,
  type FieldSet,
  fieldSet,
  has,
  intersection,
  isEmpty,
  leaves,
  parseFieldSet,
  paths,
  printPath,
  recursiveDifference,
  union,
} from './field-set.ts'
import { canonicalElement, compareElements, keyElement, valueElement } from './path-element.ts'

describe('a path element', () => {
  it('is written with its key fields by name', () => {
    expect(
      keyElement([
        ['containerPort', 80],
        ['protocol', 'TCP'],
      ]),
    ).toBe('k:{"containerPort":80,"protocol":"TCP"}')
    expect(canonicalElement('k:{ "protocol": "TCP", "containerPort": 80.0 }')).toBe(
      'k:{"containerPort":80,"protocol":"TCP"}',
    )
    expect(valueElement('a<b&c')).toBe('v:"a\\u003cb\\u0026c"')
    expect(canonicalElement('v:"a<b"')).toBe(valueElement('a<b'))
    expect(canonicalElement('i:+3')).toBe('i:3')
  })

  it('of an unknown kind is ignored, and a malformed one refused', () => {
    expect(canonicalElement('z:new')).toBeUndefined()
    for (const raw of ['', 'f', 'name', 'v:', 'k:{', 'k:1', 'i:x']) expect(() => canonicalElement(raw), raw).toThrow()
  })

  it('is ordered: fields, keys, values, indices, each by what it holds', () => {
    const inOrder = [
      'f:a',
      'f:b',
      'k:{"a":2}',
      'k:{"a":10}',
      'k:{"a":"x"}',
      'k:{"a":"x","b":1}',
      'k:{"b":1}',
      'v:2',
      'v:10',
      'v:"a"',
      'v:true',
      'i:2',
      'i:10',
    ]
    expect(inOrder.toReversed().sort(compareElements)).toEqual(inOrder)
  })

  it('is shown as upstream shows it', () => {
    expect(printPath(['f:spec', 'k:{"name":"a","port":80}', 'v:"x"', 'v:true', 'i:3'])).toBe(
      '.spec[name="a",port=80][="x"][=true][3]',
    )
  })
})

const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'k:{"name":"y"}', 'v:1', 'i:2')
const path = fc.array(element, { minLength: 1, maxLength: 4 })
const set = fc.array(path, { maxLength: 8 }).map((all) => fieldSet(...all))
const keyOf = (each: FieldPath) => each.join('/')
const model = (of: FieldSet) => new Set(paths(of).map(keyOf))
const startsWith = (one: string, other: string) => one === other || one.startsWith(`${other}/`)

describe('a set of fields', () => {
  it('holds what it was made of', () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: 8 }), path, (all, other) => {
        const made = fieldSet(...all)
        for (const each of all) expect(has(made, each)).toBe(true)
        expect(model(made)).toEqual(new Set(all.map(keyOf)))
        expect(has(made, other)).toBe(all.some((each) => keyOf(each) === keyOf(other)))
      }),
    )
  })

  it('has the algebra of sets', () => {
    fc.assert(
      fc.property(set, set, set, (a, b, c) => {
        const [A, B] = [model(a), model(b)]
        expect(model(union(a, b))).toEqual(new Set([...A, ...B]))
        expect(model(intersection(a, b))).toEqual(new Set([...A].filter((each) => B.has(each))))
        expect(model(difference(a, b))).toEqual(new Set([...A].filter((each) => !B.has(each))))
        expect(model(recursiveDifference(a, b))).toEqual(
          new Set([...A].filter((each) => ![...B].some((other) => startsWith(each, other)))),
        )
        expect(equals(union(a, union(b, c)), union(union(a, b), c))).toBe(true)
        expect(equals(union(difference(a, b), intersection(a, b)), a)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('knows its leaves', () => {
    fc.assert(
      fc.property(set, (a) => {
        const all = [...model(a)]
        expect(model(leaves(a))).toEqual(
          new Set(all.filter((each) => !all.some((other) => other !== each && startsWith(other, each)))),
        )
      }),
    )
  })

  it('survives JSON in any order, and is then written in upstream’s', () => {
    const shuffled = (of: FieldSet, seed: number): unknown => {
      const entries = Object.entries(of).map(([name, node]) => [name, shuffled(node, seed + 1)] as const)
      return Object.fromEntries(seed % 2 ? entries.reverse() : entries)
    }
    fc.assert(
      fc.property(set, fc.nat(3), (a, seed) => {
        const read = parseFieldSet(JSON.parse(JSON.stringify(shuffled(a, seed))))
        expect(JSON.stringify(read)).toBe(JSON.stringify(a))
      }),
    )
  })

  it('shares what an operation leaves as it was', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        expect(union(a, intersection(a, b))).toBe(a)
        expect(difference(a, difference(b, a))).toBe(a)
        expect(parseFieldSet(a)).toBe(a)
      }),
    )
  })

  it.each<[string, unknown]>([
    ['{}', { 'z:x': {} }],
    ['{}', null],
    ['{"f:a":{}}', { 'f:a': { '.': {} }, '.': {} }],
    ['{"f:a":{}}', { 'f:a': null }],
    ['{"f:a":{".":{},"f:b":{}}}', { 'f:a': { 'f:b': {}, '.': {} } }],
    ['{"f:a":{"k:{\\"a\\":1,\\"b\\":2}":{}}}', { 'f:a': { 'k:{"b":2,"a":1}': {} } }],
    ['{"f:a":{"v:1":{".":{},"f:x":{}}}}', { 'f:a': { 'v:1.0': {}, 'v:1': { 'f:x': {} } } }],
  ])('reads as %s: %j', (text, json) => {
    expect(JSON.stringify(parseFieldSet(json))).toBe(text)
  })

  it('is empty only without any path', () => {
    expect(isEmpty(parseFieldSet({}))).toBe(true)
    expect(isEmpty(difference(fieldSet(['f:a', 'f:b']), fieldSet(['f:a', 'f:b'])))).toBe(true)
    expect(() => parseFieldSet({ bad: {} })).toThrow()
    expect(() => parseFieldSet('x')).toThrow()
  })
})
