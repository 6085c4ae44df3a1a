import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergePatch } from './merge-patch.ts'

describe('a merge patch', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [
      { a: { b: 1 } },
      { a: { constructor: 'x', prototype: 'y', c: 2 } },
      { a: { b: 1, constructor: 'x', prototype: 'y', c: 2 } },
    ],
    // Upstream drops nulls inside lists that come in new.
    [{}, { a: [{ b: null, c: 1 }, null] }, { a: [{ c: 1 }, null] }],
  ])('%j by %j gives %j', (current, patch, expected) => {
    expect(mergePatch(current as never, patch)).toEqual(expected)
  })

  it('keeps a key named __proto__ a key', () => {
    const patched = mergePatch({}, JSON.parse('{"a":{"__proto__":{"x":1}},"__proto__":{"y":1}}'))
    expect(JSON.stringify(patched)).toBe('{"a":{"__proto__":{"x":1}},"__proto__":{"y":1}}')
    expect((patched as { y?: number }).y).toBeUndefined()
  })

  it('refuses what is not an object', () => {
    for (const patch of [null, [], 'x', 1]) expect(() => mergePatch({}, patch)).toThrow('Invalid JSON Patch')
  })

  // Nulls inside lists are left out: upstream drops or keeps them depending on what stood there, which is no law.
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 1, 'x', true),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value')),
      fc.array(fc.constantFrom(1, 'x', {}, { a: 1 })),
    ),
  }))
  const json = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value)
  const withoutNulls = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(withoutNulls)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (v === null ? [] : [[k, withoutNulls(v)]])))
        : value

  it('is idempotent and changes neither argument', () => {
    fc.assert(
      fc.property(json, json, (current, patch) => {
        const texts = [JSON.stringify(current), JSON.stringify(patch)]
        const once = mergePatch(current, patch)
        expect(mergePatch(once, patch)).toEqual(once)
        expect([JSON.stringify(current), JSON.stringify(patch)]).toEqual(texts)
      }),
    )
  })

  it('is taken whole by an empty object, but for nulls, and an empty patch changes nothing', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(mergePatch({}, value)).toEqual(withoutNulls(value))
        expect(mergePatch(value, {})).toEqual(value)
      }),
    )
  })
})
