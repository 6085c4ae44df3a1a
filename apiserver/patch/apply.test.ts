import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { type ApplyRequest, attributeToApply, serverSideApply } from './apply.ts'
import { fieldSet } from './field-set.ts'
import { recordUpdate } from './managed-fields.ts'

const core = (kind: string) => builtinSchema(`io.k8s.api.core.v1.${kind}`)
const deployment = builtinSchema('io.k8s.api.apps.v1.Deployment')
const start = Date.parse('2030-01-01T00:00:00Z')
const at = (seconds: number) => `2030-01-01T00:00:${String(seconds).padStart(2, '0')}Z`

const string: Schema = { type: 'string' }
const struct = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
})
/** A custom resource with every kind of structure. */
const thing = struct({
  apiVersion: string,
  kind: string,
  metadata: builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'),
  text: string,
  number: { type: 'integer' },
  flag: { type: 'boolean' },
  maybe: { type: 'string', nullable: true },
  map: { type: 'map', values: string },
  wholeMap: { type: 'map', values: string, atomic: true },
  inner: struct({ a: string, b: string, deep: struct({ x: string }) }),
  wholeInner: { ...struct({ a: string, b: string }), atomic: true },
  atomic: { type: 'array', items: string },
  set: { type: 'array', items: string, listType: 'set' },
  list: {
    type: 'array',
    listType: 'map',
    listMapKeys: ['name', 'port'],
    items: struct({ name: string, port: { type: 'integer', default: 80 }, value: string, other: string }),
  },
  any: { type: 'object', preserveUnknownFields: true },
})

const apiVersion = 'test/v1'
const config = (fields: object = {}, metadata: object = {}): AnyObject => ({
  apiVersion,
  kind: 'Thing',
  metadata: { name: 'a', ...metadata },
  ...fields,
})

interface Options extends Partial<Omit<ApplyRequest, 'live' | 'applied'>> {
  second?: number
}

/** Applies as the server does: what is created gets a uid. */
function apply(
  live: AnyObject | undefined,
  applied: AnyObject,
  by = 'me',
  { second = 0, ...options }: Options = {},
): AnyObject {
  const texts = JSON.stringify([live, applied])
  const object = serverSideApply({
    live,
    applied,
    schema: thing,
    manager: by,
    force: false,
    apiVersion,
    subresource: '',
    nowMs: start + second * 1000,
    ...options,
  })
  expect(JSON.stringify([live, applied])).toBe(texts)
  object.metadata.uid ??= 'u'
  return object
}

function update(
  old: AnyObject | undefined,
  object: AnyObject,
  by = 'updater',
  second = 0,
  schema = thing,
  version = apiVersion,
): AnyObject {
  const fresh = structuredClone(object)
  if (old?.metadata.managedFields && !fresh.metadata.managedFields)
    fresh.metadata.managedFields = old.metadata.managedFields
  recordUpdate({
    old,
    new: fresh,
    schema,
    manager: by,
    apiVersion: version,
    subresource: '',
    nowMs: start + second * 1000,
  })
  fresh.metadata.uid ??= 'u'
  return fresh
}

const owners = (object: AnyObject) =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => [
      `${manager} ${operation}`,
      fieldsV1,
    ]),
  )
const content = ({ apiVersion: _, kind: __, metadata: ___, ...rest }: AnyObject) => rest

function failure(run: () => unknown): {
  code: number
  message: string
  reason: string
  details?: { causes?: unknown[] }
} {
  try {
    run()
  } catch (error) {
    return error as never
  }
  throw new Error('nothing was thrown')
}

describe('an apply that creates', () => {
  it('owns the leaves and items it mentions, and what it holds whole', () => {
    const created = apply(
      undefined,
      config(
        {
          text: 'x',
          map: { k: 'v' },
          wholeMap: { k: 'v' },
          inner: { a: '1', deep: {} },
          wholeInner: { a: '1' },
          atomic: ['x'],
          set: ['x', 'y'],
          list: [{ name: 'n', value: 'v' }],
          any: { some: { thing: [1] } },
        },
        { labels: { l: 'x' } },
      ),
    )
    expect(created.metadata.managedFields).toEqual([
      {
        manager: 'me',
        operation: 'Apply',
        apiVersion,
        time: at(0),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:any': { 'f:some': { '.': {}, 'f:thing': {} } },
          'f:atomic': {},
          'f:inner': { 'f:a': {}, 'f:deep': {} },
          'f:list': { 'k:{"name":"n","port":80}': { '.': {}, 'f:name': {}, 'f:value': {} } },
          'f:map': { 'f:k': {} },
          'f:metadata': { 'f:labels': { 'f:l': {} } },
          'f:set': { 'v:"x"': {}, 'v:"y"': {} },
          'f:text': {},
          'f:wholeInner': {},
          'f:wholeMap': {},
        },
      },
    ])
  })

  it('of a null owns the field, which is then absent unless it may be null', () => {
    const created = apply(undefined, config({ text: null, maybe: null }))
    expect(content(created)).toEqual({ maybe: null })
    expect(owners(created)).toEqual({ 'me Apply': { 'f:maybe': {}, 'f:text': {} } })
  })
})

describe('an apply', () => {
  const live = apply(
    undefined,
    config({ text: 'x', map: { a: '1', b: '2' }, list: [{ name: 'm' }, { name: 'n', value: 'v' }] }),
    'first',
  )

  it('merges: its values win, the rest stays', () => {
    const merged = apply(
      live,
      config({ number: 1, map: { c: '3' }, list: [{ name: 'n', other: 'o' }, { name: 'p' }] }),
      'second',
    )
    expect(content(merged)).toEqual({
      text: 'x',
      number: 1,
      map: { a: '1', b: '2', c: '3' },
      list: [{ name: 'm' }, { name: 'n', value: 'v', other: 'o' }, { name: 'p' }],
    })
  })

  it('owns what it sets to the value it has together with its owner', () => {
    const shared = apply(live, config({ text: 'x' }), 'second', { second: 5 })
    expect(owners(shared)).toMatchObject({ 'first Apply': { 'f:text': {} }, 'second Apply': { 'f:text': {} } })
    expect(content(shared)).toEqual(content(live))
    const [, second] = shared.metadata.managedFields ?? []
    // As upstream: who has changed nothing yet has no time.
    expect((shared.metadata.managedFields ?? []).find(({ manager }) => manager === 'second')?.time).toBeUndefined()
    expect(second).toBeDefined()
  })

  it('that changes nothing changes no time', () => {
    const again = apply(
      live,
      config({ text: 'x', map: { a: '1', b: '2' }, list: [{ name: 'm' }, { name: 'n', value: 'v' }] }),
      'first',
      { second: 5 },
    )
    expect(again).toEqual(live)
  })

  it('removes what it applied last and no longer does', () => {
    const less = apply(live, config({ text: 'x', map: { a: '1' }, list: [{ name: 'n' }] }), 'first', { second: 5 })
    expect(content(less)).toEqual({ text: 'x', map: { a: '1' }, list: [{ name: 'n' }] })
    expect(owners(less)).toEqual({
      'first Apply': {
        'f:list': { 'k:{"name":"n","port":80}': { '.': {}, 'f:name': {} } },
        'f:map': { 'f:a': {} },
        'f:text': {},
      },
    })
    expect(less.metadata.managedFields?.[0]?.time).toBe(at(5))
  })

  it('of nothing removes all it had, and its entry', () => {
    const none = apply(live, config(), 'first')
    expect(content(none)).toEqual({})
    expect(owners(none)).toEqual({})
  })

  it('keeps what another applier owns too', () => {
    const shared = apply(live, config({ text: 'x', map: { a: '1' } }), 'second')
    const less = apply(shared, config({ map: { b: '2' } }), 'first')
    expect(content(less)).toEqual({ text: 'x', map: { a: '1', b: '2' } })
    expect(owners(less)).toEqual({
      'first Apply': { 'f:map': { 'f:b': {} } },
      'second Apply': { 'f:map': { 'f:a': {} }, 'f:text': {} },
    })
  })

  it('keeps what an updater owns, and what nobody does', () => {
    const touched = update(live, { ...live, text: 'y', number: 7, metadata: live.metadata })
    const less = apply(touched, config({ map: { a: '1' } }), 'first')
    expect(content(less)).toEqual({ text: 'y', number: 7, map: { a: '1' } })
    const unowned = { ...touched, flag: true }
    expect(content(apply(unowned, config({ map: { a: '1' } }), 'first'))).toMatchObject({ flag: true })
  })

  it('removes a struct with the last of its fields, if it was its own', () => {
    const made = apply(undefined, config({ text: 'x', inner: { a: '1', deep: { x: '1' } } }))
    expect(content(apply(made, config({ text: 'x', inner: { a: '1' } })))).toEqual({ text: 'x', inner: { a: '1' } })
    expect(content(apply(made, config({ text: 'x' })))).toEqual({ text: 'x' })
    const touched = update(made, { ...made, inner: { a: '1', b: '2', deep: { x: '1' } } })
    expect(content(apply(touched, config({ text: 'x' })))).toEqual({ text: 'x', inner: { b: '2' } })
  })

  it('puts list items into its own order, and leaves those of others where they stand', () => {
    const names = (object: AnyObject) => (object.list as { name: string }[]).map(({ name }) => name).join('')
    const items = (order: string) => [...order].map((name) => ({ name }))
    const base = update(undefined, config({ list: items('abcd') }))
    const order = (by: string) => names(apply(base, config({ list: items(by) }), 'me', { force: true }))
    expect(order('db')).toBe('acdb')
    expect(order('bd')).toBe('abcd')
    expect(order('xc')).toBe('abxcd')
    expect(order('cx')).toBe('abcdx')
    expect(order('cxa')).toBe('bcdxa')
  })

  it('replaces two live items of one key by its own one', () => {
    const twice = update(
      undefined,
      config({ list: [{ name: 'a', value: '1' }, { name: 'b' }, { name: 'a', value: '2' }] }),
    )
    const merged = apply(twice, config({ list: [{ name: 'a', value: '3' }] }), 'me', { force: true })
    expect(merged.list).toEqual([{ name: 'a', value: '3' }, { name: 'b' }])
  })

  it('leaves live items of one key alone where it says nothing of them', () => {
    const twice = update(
      undefined,
      config({
        list: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      }),
    )
    expect(apply(twice, config({ list: [{ name: 'b' }] })).list).toEqual([
      { name: 'a', value: '1' },
      { name: 'a', value: '2' },
      { name: 'b' },
    ])
  })

  it('keeps the fields of its own that are never owned', () => {
    const named = apply(
      live,
      config({ text: 'x' }, { annotations: { a: 'b' }, resourceVersion: '1', uid: 'u' }),
      'second',
    )
    expect(owners(named)['second Apply']).toEqual({ 'f:metadata': { 'f:annotations': { 'f:a': {} } }, 'f:text': {} })
  })

  it('does not own what the strategy resets', () => {
    const made = apply(undefined, config({ text: 'x', number: 1 }), 'me', { resetFields: fieldSet(['f:number']) })
    expect(owners(made)).toEqual({ 'me Apply': { 'f:text': {} } })
  })

  it('through a subresource has an entry of its own', () => {
    const both = apply(live, config({ number: 1 }), 'first', { subresource: 'status' })
    expect(both.metadata.managedFields?.map(({ manager, subresource }) => [manager, subresource])).toEqual([
      ['first', undefined],
      ['first', 'status'],
    ])
    expect(content(both)).toEqual({ ...content(live), number: 1 })
  })

  it('is one owner whatever version it speaks, and prunes in the version it spoke last', () => {
    const old = struct({ ...Object.fromEntries(thing.properties ?? []), oldText: string })
    const toVersion = (object: AnyObject, version: string) => {
      const { oldText, text, ...rest } = object
      const value = text ?? oldText
      if (version === apiVersion)
        return {
          schema: thing,
          object: { ...rest, apiVersion: version, ...(value === undefined ? {} : { text: value }) } as AnyObject,
        }
      if (version === 'test/v0')
        return {
          schema: old,
          object: { ...rest, apiVersion: version, ...(value === undefined ? {} : { oldText: value }) } as AnyObject,
        }
      return undefined
    }
    const made = apply(undefined, { ...config({ oldText: 'x', number: 1 }), apiVersion: 'test/v0' }, 'me', {
      schema: old,
      apiVersion: 'test/v0',
      toVersion,
    })
    const current = toVersion(made, apiVersion)?.object as AnyObject
    const less = apply(current, config({ number: 1 }), 'me', { toVersion, second: 5 })
    expect(content(less)).toEqual({ number: 1 })
    expect(less.metadata.managedFields).toMatchObject([{ apiVersion, fieldsV1: { 'f:number': {} } }])
    const kept = apply(current, config({ text: 'x', number: 1 }), 'me', { toVersion, second: 5 })
    expect(content(kept)).toEqual({ text: 'x', number: 1 })
  })

  it('gives what was written before anybody tracked it to before-first-apply', () => {
    const untracked = config({ text: 'x', number: 1 }, { uid: 'u' })
    const first = apply(untracked, config({ text: 'x' }), 'me', { second: 5 })
    expect(owners(first)).toEqual({
      'before-first-apply Update': { 'f:number': {}, 'f:text': {} },
      'me Apply': { 'f:text': {} },
    })
  })

  it('finds ports by protocol TCP where none is said', () => {
    const made = serverSideApply({
      applied: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a' },
        spec: { ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }] },
      },
      schema: core('Service'),
      manager: 'me',
      force: false,
      apiVersion: 'v1',
      subresource: '',
      nowMs: start,
    })
    expect(owners(made)).toEqual({
      'me Apply': {
        'f:spec': {
          'f:ports': {
            'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
            'k:{"port":80,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
          },
        },
      },
    })
  })
})

describe('a conflict', () => {
  const live = update(
    undefined,
    config({ text: 'x', map: { key: '1', other: '2' }, list: [{ name: 'n', value: 'v' }] }),
    'kubectl',
  )

  it('with one field is told as upstream tells it', () => {
    const error = failure(() => apply(live, config({ map: { key: '2' } })))
    expect(error).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using test/v1: .map.key',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using test/v1', field: '.map.key' },
        ],
      },
    })
  })

  it('with several fields and managers is told by manager', () => {
    const more = apply(live, config({ number: 1 }), 'applier', { subresource: 'status' })
    const error = failure(() => apply(more, config({ number: 2, text: 'y', list: [{ name: 'n', value: 'w' }] })))
    expect(error.message).toBe(
      [
        'Apply failed with 3 conflicts: conflicts with "applier" with subresource "status":',
        '- .number',
        'conflicts with "kubectl" using test/v1:',
        '- .text',
        '- .list[name="n",port=80].value',
      ].join('\n'),
    )
    expect(error.details?.causes).toHaveLength(3)
  })

  it('is not one where the value is the same, and force takes the field', () => {
    expect(owners(apply(live, config({ map: { key: '1' } })))).toMatchObject({
      'kubectl Update': { 'f:map': { 'f:key': {} } },
    })
    const forced = apply(live, config({ text: 'y', map: { key: '2' } }), 'me', { force: true })
    expect(content(forced)).toMatchObject({ text: 'y', map: { key: '2', other: '2' } })
    expect(owners(forced)).toEqual({
      'kubectl Update': {
        'f:list': { '.': {}, 'k:{"name":"n","port":80}': { '.': {}, 'f:name': {}, 'f:value': {} } },
        'f:map': { '.': {}, 'f:other': {} },
      },
      'me Apply': { 'f:map': { 'f:key': {} }, 'f:text': {} },
    })
  })

  it('arises when two appliers shared a field and one changes it', () => {
    const shared = apply(apply(undefined, config({ text: 'x' }), 'one'), config({ text: 'x' }), 'two')
    expect(failure(() => apply(shared, config({ text: 'y' }), 'one')).message).toBe(
      'Apply failed with 1 conflict: conflict with "two": .text',
    )
    const forced = apply(shared, config({ text: 'y' }), 'one', { force: true })
    expect(owners(forced)).toEqual({ 'one Apply': { 'f:text': {} } })
  })

  it('over an atomic list is one field', () => {
    const whole = update(undefined, config({ atomic: ['x'], set: ['x'] }), 'kubectl')
    expect(failure(() => apply(whole, config({ atomic: ['y'] }))).message).toContain(': .atomic')
    expect(apply(whole, config({ set: ['y'] })).set).toEqual(['x', 'y'])
  })
})

describe('the way from client-side apply', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
  const clientSide = (fields: object, last: object) =>
    update(
      undefined,
      config(fields, { annotations: { [annotation]: JSON.stringify(config(last)) } }),
      'kubectl-client-side-apply',
    )

  it('is free of conflicts for kubectl where nobody has changed the field since', () => {
    const live = clientSide({ text: 'x', number: 1 }, { text: 'x', number: 1 })
    const taken = apply(live, config({ text: 'y' }), 'kubectl')
    expect(content(taken)).toEqual({ text: 'y', number: 1 })
    expect(taken.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"test/v1","kind":"Thing","metadata":{"name":"a"},"text":"y"}\n',
    )
    expect(failure(() => apply(live, config({ text: 'y' }), 'other')).code).toBe(409)
  })

  it('still conflicts where somebody has', () => {
    const live = update(
      clientSide({ text: 'x', number: 1 }, { text: 'x', number: 1 }),
      { ...clientSide({ text: 'z', number: 1 }, { text: 'x', number: 1 }) },
      'editor',
    )
    const error = failure(() => apply(live, config({ text: 'y', number: 2 }), 'kubectl'))
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "editor" using test/v1: .text')
  })

  it('takes no notice of an annotation it cannot read', () => {
    for (const last of ['', 'x', '[]', '{"apiVersion":"test/v0"}', '{"apiVersion":"test/v1","unknown":1}']) {
      const live = update(
        undefined,
        config({ text: 'x' }, { annotations: { [annotation]: last } }),
        'kubectl-client-side-apply',
      )
      expect(failure(() => apply(live, config({ text: 'y' }), 'kubectl')).code, last).toBe(409)
    }
  })

  it('drops the annotation where it grows too large', () => {
    const live = clientSide({ text: 'x' }, { text: 'x' })
    const taken = apply(live, config({ text: 'y'.repeat(256 * 1024) }), 'kubectl')
    expect(taken.metadata.annotations).toEqual({})
  })
})

describe('an apply is refused', () => {
  it.each<[number, string, AnyObject, Options?]>([
    [400, 'metadata.managedFields must be nil', config({}, { managedFields: [] })],
    [400, 'invalid object type: test/v2, Kind=Thing', { ...config(), apiVersion: 'test/v2' }],
    [400, 'invalid object type: /v1, Kind=Thing', { ...config(), apiVersion: 'v1' }],
    [400, 'invalid object type: test/v1, Kind=Other', { ...config(), kind: 'Other' }, { kind: 'Thing' }],
    [
      400,
      'the name of the object (a based on URL) was undeterminable: name must be provided',
      { ...config(), metadata: {} },
      { name: 'a' },
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .unknown: field not declared in schema',
      config({ unknown: 1 }),
    ],
    [
      400,
      'failed to create typed patch object (d/a; test/v1, Kind=Thing): .inner.c: field not declared in schema',
      config({ inner: { c: 1 } }, { namespace: 'd' }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .number: expected numeric (int or float), got string',
      config({ number: 'x' }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .text: expected string, got &value.valueUnstructured{Value:1}',
      config({ text: 1 }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .map: expected map, got &{[1]}',
      config({ map: [1] }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .list: expected list, got &{map[a:1]}',
      config({ list: { a: 1 } }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .list: duplicate entries for key [name="n",port=80]',
      config({ list: [{ name: 'n' }, { name: 'n', port: 80 }] }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): .set: duplicate entries for key [="x"]',
      config({ set: ['x', 'x'] }),
    ],
    [
      400,
      "failed to create typed patch object (/a; test/v1, Kind=Thing): .set: element 0: associative list without keys has an element that's an explicit null",
      config({ set: [null] }),
    ],
    [
      400,
      'failed to create typed patch object (/a; test/v1, Kind=Thing): errors:\n  .text: expected string, got &value.valueUnstructured{Value:true}\n  .flag: expected boolean, got &{x}',
      config({ text: true, flag: 'x' }),
    ],
  ])('with %d: %s', (code, message, applied, options) => {
    expect(failure(() => apply(undefined, applied, 'me', options))).toMatchObject({ code, message })
  })

  it('where what is stored of ownership cannot be read', () => {
    const live = config({}, { uid: 'u', managedFields: [{ manager: 'x', operation: 'Apply' }] })
    expect(failure(() => apply(live, config()))).toMatchObject({
      code: 400,
      message: 'failed to decode managed fields: apiVersion must not be empty',
    })
  })
})

describe('after defaults and admission', () => {
  it('ownership stays as the merge decided, and times stay if nothing came of it', () => {
    const live = apply(undefined, config({ text: '1' }))
    const applied = apply(live, config({ text: '01' }), 'me', { second: 5 })
    const final = { ...structuredClone(applied), flag: true }
    attributeToApply({ live, applied, final })
    expect(final.metadata.managedFields).toEqual(applied.metadata.managedFields)
    expect(final.metadata.managedFields?.[0]?.time).toBe(at(5))
    // The server prints the value its own way, and so nothing has changed.
    const canonical = { ...structuredClone(applied), text: '1' }
    attributeToApply({ live, applied, final: canonical })
    expect(canonical).toEqual(live)
  })
})

describe('any applies', () => {
  const word = fc.constantFrom('a', 'b', 'c')
  const fields = fc.record(
    {
      text: word,
      number: fc.nat(2),
      map: fc.dictionary(word, word),
      wholeMap: fc.dictionary(word, word),
      inner: fc.record({ a: word, deep: fc.record({ x: word }, { requiredKeys: [] }) }, { requiredKeys: [] }),
      atomic: fc.array(word, { maxLength: 2 }),
      set: fc.uniqueArray(word),
      list: fc.uniqueArray(fc.record({ name: word, value: word, other: word }, { requiredKeys: ['name'] }), {
        selector: ({ name }) => name,
      }),
      any: fc.dictionary(word, fc.oneof(word, fc.dictionary(word, word))),
    },
    { requiredKeys: [] },
  )

  it('are idempotent', () => {
    fc.assert(
      fc.property(fields, fields, (before, applied) => {
        const live = update(undefined, config(before))
        const once = apply(live, config(applied), 'me', { force: true })
        expect(apply(once, config(applied), 'me', { second: 5 })).toEqual(once)
      }),
      { numRuns: 300 },
    )
  })

  it('take ownership by force, and hold every value they set', () => {
    fc.assert(
      fc.property(fields, fields, (first, second) => {
        const live = apply(undefined, config(first), 'first')
        const forced = apply(live, config(second), 'second', { force: true })
        // Once forced there is nothing left to conflict over.
        expect(content(apply(forced, config(second), 'second'))).toEqual(content(forced))
        const { text, number, atomic, wholeMap } = second
        expect(forced).toMatchObject(JSON.parse(JSON.stringify({ text, number, atomic, wholeMap })))
      }),
      { numRuns: 300 },
    )
  })

  it('of disjoint fields by two managers never conflict, and come to the same in either order', () => {
    fc.assert(
      fc.property(fields, (any) => {
        // An empty list owned by item is nobody's, as upstream has it, and so outlives whoever applied it.
        const all = Object.fromEntries(
          Object.entries(any).filter(([name, value]) => !['set', 'list'].includes(name) || (value as []).length > 0),
        )
        const names = Object.keys(all)
        const part = (odd: number) =>
          Object.fromEntries(Object.entries(all).filter(([name]) => names.indexOf(name) % 2 === odd))
        const one = apply(apply(undefined, config(part(0)), 'one'), config(part(1)), 'two')
        const other = apply(apply(undefined, config(part(1)), 'two'), config(part(0)), 'one')
        expect(content(one)).toEqual(content(other))
        expect(owners(one)).toEqual(owners(other))
        // Whoever lets go of all it had leaves the other's.
        expect(content(apply(one, config(), 'one'))).toEqual(content(apply(undefined, config(part(1)), 'two')))
      }),
      { numRuns: 300 },
    )
  })

  it('by one manager alone leave exactly what it applied last', () => {
    fc.assert(
      fc.property(fc.array(fields, { minLength: 1, maxLength: 4 }), (configs) => {
        let live: AnyObject | undefined
        for (const each of configs) live = apply(live, config(each))
        const fresh = apply(undefined, config(configs.at(-1) as object))
        expect(owners(live as AnyObject)).toEqual(owners(fresh))
      }),
      { numRuns: 300 },
    )
  })

  it('of a typical deployment over what the server made of it conflict with nobody', () => {
    const applied: AnyObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
        },
      },
    }
    const request = {
      schema: deployment,
      manager: 'me',
      force: false,
      apiVersion: 'apps/v1',
      subresource: '',
      nowMs: start,
    }
    const live = serverSideApply({ ...request, applied })
    const spec = live.spec as { replicas?: number; template: { spec: { containers: Record<string, unknown>[] } } }
    spec.replicas = 1
    Object.assign(spec.template.spec.containers[0] as object, {
      resources: {},
      ports: [{ containerPort: 80, protocol: 'TCP' }],
    })
    live.metadata.uid = 'u'
    const scaled = update(live, { ...live, spec: { ...spec, replicas: 5 } }, 'scaler', 0, deployment, 'apps/v1')
    expect(serverSideApply({ ...request, live: scaled, applied, nowMs: start + 5000 })).toEqual(scaled)
    const image = structuredClone(applied) as typeof applied & { spec: typeof spec }
    ;(image.spec.template.spec.containers[0] as { image: string }).image = 'j'
    expect(serverSideApply({ ...request, live: scaled, applied: image }).spec).toMatchObject({
      replicas: 5,
      template: {
        spec: {
          containers: [{ name: 'c', image: 'j', resources: {}, ports: [{ containerPort: 80, protocol: 'TCP' }] }],
        },
      },
    })
  })
})

it('refuses, as no fault of the server, to apply to an object with a list item that lacks its key', () => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', namespace: 'n' } }
  const request: ApplyRequest = {
    live: { ...account, secrets: [{}] },
    applied: account,
    schema: core('ServiceAccount'),
    manager: 'm',
    force: false,
    apiVersion: 'v1',
    subresource: '',
    nowMs: start,
  }
  expect(() => serverSideApply(request)).toThrow(
    expect.objectContaining({
      code: 400,
      message: expect.stringContaining('failed to create typed live object (n/a;'),
    }),
  )
})
