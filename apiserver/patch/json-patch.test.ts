import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StatusError } from '../../api/machinery/errors.ts'
import { jsonPatch } from './json-patch.ts'

const object = () => ({
  metadata: { name: 'a', labels: { 'app/name': 'web', 'x~y': '1' } as Record<string, string> },
  list: [1, 2, 3] as unknown[],
  nested: [{ a: { b: 1 } }] as unknown[],
  nothing: null as unknown,
})

function failure(run: () => unknown): StatusError {
  try {
    run()
  } catch (error) {
    return error as StatusError
  }
  throw new Error('nothing was thrown')
}

describe('a JSON patch that makes too much of an object', () => {
  const copies = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ op: 'copy', from: '/nested', path: `/nested/${i % 2 === 0 ? '-' : 0}` }))

  it('by copying what it has copied', () => {
    const { code, details } = failure(() => jsonPatch(object(), copies(40)))
    expect(code).toBe(422)
    expect(details?.causes?.[0]?.message).toMatch(
      /the accumulated size increase of copy is \d+, exceeding the limit 3145728/,
    )
    expect(jsonPatch(object(), copies(5))).toHaveProperty('nested.5')
  })

  it('by reaching ever deeper', () => {
    const path = (depth: number) => `/metadata${'/a'.repeat(depth)}`
    const deeper = Array.from({ length: 1001 }, (_, i) => ({ op: 'add', path: path(i + 1), value: {} }))
    const { details } = failure(() => jsonPatch(object(), deeper))
    expect(details?.causes?.[0]?.message).toContain('exceeded max depth')
    expect(jsonPatch(object(), deeper.slice(0, 900))).toHaveProperty('metadata.a.a.a')
  })
})

describe('a JSON patch', () => {
  it.each<[string, unknown[], (o: ReturnType<typeof object>) => void]>([
    [
      'adds a field',
      [{ op: 'add', path: '/metadata/uid', value: 'u' }],
      (o) => Object.assign(o.metadata, { uid: 'u' }),
    ],
    ['adds at a position', [{ op: 'add', path: '/list/1', value: 9 }], (o) => o.list.splice(1, 0, 9)],
    ['adds at the end', [{ op: 'add', path: '/list/-', value: 9 }], (o) => o.list.push(9)],
    ['adds just after the end', [{ op: 'add', path: '/list/3', value: 9 }], (o) => o.list.push(9)],
    ['adds before the end', [{ op: 'add', path: '/list/-1', value: 9 }], (o) => o.list.push(9)],
    [
      'removes a field',
      [{ op: 'remove', path: '/metadata/labels/app~1name' }],
      (o) => delete o.metadata.labels['app/name'],
    ],
    ['reads ~0 as a tilde', [{ op: 'remove', path: '/metadata/labels/x~0y' }], (o) => delete o.metadata.labels['x~y']],
    ['removes an item', [{ op: 'remove', path: '/list/0' }], (o) => o.list.shift()],
    ['removes from the end', [{ op: 'remove', path: '/list/-1' }], (o) => o.list.pop()],
    ['replaces an item', [{ op: 'replace', path: '/list/1', value: 7 }], (o) => o.list.splice(1, 1, 7)],
    [
      'replaces a field that is not there',
      [{ op: 'replace', path: '/metadata/uid', value: 'u' }],
      (o) => Object.assign(o.metadata, { uid: 'u' }),
    ],
    [
      'goes through lists',
      [{ op: 'add', path: '/nested/0/a/c', value: 2 }],
      (o) => (o.nested = [{ a: { b: 1, c: 2 } }]),
    ],
    ['goes through lists from the end', [{ op: 'remove', path: '/nested/-1/a' }], (o) => (o.nested = [{}])],
    ['moves', [{ op: 'move', from: '/list/0', path: '/list/2' }], (o) => (o.list = [2, 3, 1])],
    [
      'moves out of a list',
      [{ op: 'move', from: '/list/0', path: '/first' }],
      (o) => Object.assign(o, { list: [2, 3], first: 1 }),
    ],
    [
      'copies',
      [{ op: 'copy', from: '/nested/0', path: '/nested/-' }],
      (o) => (o.nested = [{ a: { b: 1 } }, { a: { b: 1 } }]),
    ],
    [
      'does not tie a copy to its source',
      [
        { op: 'copy', from: '/nested/0', path: '/nested/-' },
        { op: 'replace', path: '/nested/0/a/b', value: 2 },
      ],
      (o) => (o.nested = [{ a: { b: 2 } }, { a: { b: 1 } }]),
    ],
    [
      'tests without regard to the order of keys',
      [
        { op: 'test', path: '/metadata/labels', value: { 'x~y': '1', 'app/name': 'web' } },
        { op: 'remove', path: '/nothing' },
      ],
      (o) => delete (o as Partial<typeof o>).nothing,
    ],
    ['takes an absent field for null in a test', [{ op: 'test', path: '/metadata/uid', value: null }], () => {}],
    [
      'adds keys that objects inherit',
      [{ op: 'add', path: '/metadata/labels/constructor', value: 'x' }],
      (o) => {
        o.metadata.labels.constructor = 'x' as never
      },
    ],
  ])('%s', (_, patch, change) => {
    const expected = object()
    change(expected)
    const before = object()
    expect(jsonPatch(before, patch)).toEqual(expected)
    expect(before).toEqual(object())
  })

  it.each<[string, unknown[]]>([
    ['testing value /metadata/name failed: test failed', [{ op: 'test', path: '/metadata/name', value: 'b' }]],
    [
      'add operation does not apply: doc is missing path: "/spec/x": missing value',
      [{ op: 'add', path: '/spec/x', value: 1 }],
    ],
    [
      "error in add for path: '/list/5': Unable to access invalid index: 5: invalid index referenced",
      [{ op: 'add', path: '/list/5', value: 1 }],
    ],
    [
      "error in remove for path: '/metadata/uid': Unable to remove nonexistent key: uid: missing value",
      [{ op: 'remove', path: '/metadata/uid' }],
    ],
    ['remove operation does not apply: doc is missing path: "/a/b": missing value', [{ op: 'remove', path: '/a/b' }]],
    [
      'replace operation does not apply: doc is missing path: /a/b: missing value',
      [{ op: 'replace', path: '/a/b', value: 1 }],
    ],
    [
      'replace operation does not apply: doc is missing key: /list/3: missing value',
      [{ op: 'replace', path: '/list/3', value: 1 }],
    ],
    [
      'move operation does not apply: doc is missing destination path: /nested/0/a/c: missing value',
      [{ op: 'move', from: '/nested/0', path: '/nested/0/a/c' }],
    ],
    [
      'copy operation does not apply: doc is missing from path: /x/y: missing value',
      [{ op: 'copy', from: '/x/y', path: '/z' }],
    ],
    ['Unexpected kind: frob', [{ op: 'frob', path: '/a' }]],
    ['Unexpected kind: unknown', [{ path: '/a' }]],
    [
      'add operation does not apply: doc is missing path: "/__proto__/polluted": missing value',
      [{ op: 'add', path: '/__proto__/polluted', value: 1 }],
    ],
    [
      'add operation does not apply: doc is missing path: "/constructor/prototype/polluted": missing value',
      [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }],
    ],
  ])('refuses with 422: %s', (cause, patch) => {
    const error = failure(() => jsonPatch(object(), patch))
    expect(error).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
      details: { causes: [{ message: cause }] },
    })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('refuses more than 10,000 operations with 413', () => {
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/metadata/name', value: 'a' }))
    expect(failure(() => jsonPatch(object(), patch))).toMatchObject({
      code: 413,
      message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
    })
  })

  it('refuses what is not a list with 400', () => {
    expect(failure(() => jsonPatch(object(), { op: 'add' }))).toMatchObject({ code: 400 })
    expect(failure(() => jsonPatch(object(), [1]))).toMatchObject({ code: 400 })
  })

  it('never changes its input, nor any prototype, whatever the operations', () => {
    const step = fc.constantFrom(
      'metadata',
      'labels',
      'list',
      'nested',
      '0',
      '1',
      '-',
      '-1',
      'a',
      '__proto__',
      'constructor',
    )
    const pointer = fc.array(step, { maxLength: 4 }).map((steps) => steps.map((each) => `/${each}`).join(''))
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path: pointer,
      from: pointer,
      value: fc.jsonValue(),
    })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), (patch) => {
        const before = object()
        const asked = JSON.stringify(patch)
        try {
          JSON.stringify(jsonPatch(before, patch))
        } catch (error) {
          expect([400, 422]).toContain((error as StatusError).code)
        }
        expect(before).toEqual(object())
        expect(JSON.stringify(patch)).toBe(asked)
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})
