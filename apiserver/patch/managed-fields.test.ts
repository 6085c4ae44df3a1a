import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { difference, type FieldSet, fieldSet, isEmpty, union } from './field-set.ts'
import { keepTimesIfUnchanged, managedFieldsFault, managerOf, neverOwned, recordUpdate } from './managed-fields.ts'
import { fieldsOf } from './owned-fields.ts'
import { typeOf } from './typed.ts'

const configMap = builtinSchema('io.k8s.api.core.v1.ConfigMap')
const deployment = builtinSchema('io.k8s.api.apps.v1.Deployment')
const start = Date.parse('2030-01-01T00:00:00Z')
const at = (seconds: number) => `2030-01-01T00:00:${String(seconds).padStart(2, '0')}Z`

const thing = (data?: Record<string, string>, metadata: object = {}): AnyObject => ({
  metadata: { name: 'a', uid: 'u', ...metadata },
  ...(data ? { data } : {}),
})

interface Options {
  by?: string
  schema?: Schema
  subresource?: string
  resetFields?: FieldSet
  apiVersion?: string
  second?: number
  toVersion?: (object: AnyObject, apiVersion: string) => { object: AnyObject; schema: Schema } | undefined
}

/** Writes `object` over `old`, as the registry does: what the client does not send of managedFields stays. */
function write(old: AnyObject | undefined, object: AnyObject, options: Options = {}): AnyObject {
  const {
    by = 'me',
    schema = configMap,
    subresource = '',
    apiVersion = 'v1',
    second = 0,
    resetFields,
    toVersion,
  } = options
  const fresh = structuredClone(object)
  recordUpdate({
    old: structuredClone(old),
    new: fresh,
    schema,
    manager: by,
    apiVersion,
    subresource,
    nowMs: start + second * 1000,
    resetFields,
    toVersion,
  })
  return fresh
}

const entries = (object: AnyObject) => object.metadata.managedFields ?? []
const owners = (object: AnyObject) =>
  Object.fromEntries(entries(object).map(({ manager, fieldsV1 }) => [manager, fieldsV1]))

describe('a create', () => {
  it('gives the writer all it wrote, but what identifies the object', () => {
    const created = write(
      undefined,
      thing({ b: '1', a: '2' }, { namespace: 'd', labels: { x: 'y' }, resourceVersion: '1', generation: 1 }),
    )
    expect(entries(created)).toEqual([
      {
        manager: 'me',
        operation: 'Update',
        apiVersion: 'v1',
        time: at(0),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } } },
      },
    ])
    expect(JSON.stringify(entries(created)[0]?.fieldsV1)).toBe(
      '{"f:data":{".":{},"f:a":{},"f:b":{}},"f:metadata":{"f:labels":{".":{},"f:x":{}}}}',
    )
  })

  it('of a deployment is recorded as upstream does, down to which structs are named', () => {
    const created = write(
      undefined,
      {
        metadata: { name: 'web', labels: { app: 'web' } },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'web' } },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              containers: [
                {
                  name: 'c',
                  image: 'i',
                  resources: {},
                  ports: [{ containerPort: 80, protocol: 'TCP' }],
                  env: [{ name: 'A', value: '1' }],
                  args: ['x'],
                },
              ],
              nodeSelector: { a: 'b' },
              securityContext: {},
              volumes: [{ name: 'v', emptyDir: {} }],
            },
          },
        },
        status: {},
      },
      { schema: deployment, apiVersion: 'apps/v1', by: 'kubectl-create' },
    )
    expect(owners(created)['kubectl-create']).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
        'f:template': {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"c"}': {
                '.': {},
                'f:args': {},
                'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:image': {},
                'f:name': {},
                'f:ports': {
                  '.': {},
                  'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
                },
                'f:resources': {},
              },
            },
            'f:nodeSelector': {},
            'f:securityContext': {},
            'f:volumes': { '.': {}, 'k:{"name":"v"}': { '.': {}, 'f:emptyDir': {}, 'f:name': {} } },
          },
        },
      },
    })
  })

  it('of a custom resource names its structs, which nothing is known to have had before', () => {
    const schema: Schema = {
      type: 'object',
      properties: new Map<string, Schema>([
        ['metadata', builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')],
        [
          'spec',
          {
            type: 'object',
            properties: new Map([
              ['size', { type: 'integer' }],
              ['any', { type: 'object', preserveUnknownFields: true }],
            ]),
          },
        ],
      ]),
    }
    const created = write(undefined, { metadata: { name: 'a' }, spec: { size: 1, any: { x: { y: [1] } } } }, { schema })
    expect(owners(created).me).toEqual({
      'f:spec': { '.': {}, 'f:any': { '.': {}, 'f:x': { '.': {}, 'f:y': {} } }, 'f:size': {} },
    })
  })

  it('without a manager is by unknown', () => {
    expect(Object.keys(owners(write(undefined, thing({ a: '1' }), { by: '' })))).toEqual(['unknown'])
  })

  it('that sets nothing anybody could own leaves no entry', () => {
    expect(entries(write(undefined, thing()))).toEqual([])
  })
})

describe('an update', () => {
  const created = write(undefined, thing({ a: '1', b: '2' }), { by: 'creator' })

  it('takes what it changes from others, and gives it to the writer', () => {
    const updated = write(created, { ...created, data: { a: '1', b: '3', c: '4' } }, { second: 5 })
    expect(entries(updated).map(({ manager, time, fieldsV1 }) => [manager, time, fieldsV1])).toEqual([
      ['creator', at(0), { 'f:data': { '.': {}, 'f:a': {} } }],
      ['me', at(5), { 'f:data': { 'f:b': {}, 'f:c': {} } }],
    ])
  })

  it('leaves nobody owning what it removes', () => {
    const updated = write(created, { ...created, data: { a: '1' } }, { second: 5 })
    expect(owners(updated)).toEqual({ creator: { 'f:data': { '.': {}, 'f:a': {} } } })
    expect(entries(write(created, { ...created, data: undefined }, { second: 5 }))).toEqual([])
  })

  it('adds to what its manager already owned', () => {
    const updated = write(created, { ...created, data: { a: '1', b: '2', c: '3' } }, { by: 'creator', second: 5 })
    expect(entries(updated)).toMatchObject([
      { time: at(5), fieldsV1: { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {}, 'f:c': {} } } },
    ])
  })

  it('that changes nothing changes no time', () => {
    expect(entries(write(created, created, { by: 'creator', second: 5 }))).toEqual(entries(created))
    expect(entries(write(created, created, { second: 5 }))).toEqual(entries(created))
    const stamped = { ...created, metadata: { ...created.metadata, resourceVersion: '9', generation: 4 } }
    expect(entries(write(created, stamped, { second: 5 }))).toEqual(entries(created))
  })

  it('through a subresource has an entry of its own, and cannot write managedFields', () => {
    const forged = { ...created, data: { a: '2', b: '2' }, metadata: { ...created.metadata, managedFields: [{}] } }
    const updated = write(created, forged as AnyObject, { by: 'creator', subresource: 'status', second: 5 })
    expect(entries(updated).map(({ manager, subresource, fieldsV1 }) => [manager, subresource, fieldsV1])).toEqual([
      ['creator', undefined, { 'f:data': { '.': {}, 'f:b': {} } }],
      ['creator', 'status', { 'f:data': { 'f:a': {} } }],
    ])
  })

  it('does not own what the strategy resets', () => {
    const updated = write(
      undefined,
      { metadata: { name: 'a' }, spec: { replicas: 1 }, status: { replicas: 2 } },
      { schema: deployment, resetFields: fieldSet(['f:status']) },
    )
    expect(owners(updated).me).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })

  it.each<[string, unknown]>([
    ['an empty list', []],
    ['one empty entry', [{}]],
  ])('forgets all ownership at the sight of %s', (_, managedFields) => {
    const reset = { ...created, metadata: { ...created.metadata, managedFields } } as AnyObject
    const forgotten = write(created, reset)
    expect(forgotten.metadata).not.toHaveProperty('managedFields')
    // Nobody tracks it any more, until it is applied.
    expect(entries(write(forgotten, { ...forgotten, data: { z: '1' } }))).toEqual([])
  })

  it.each<[string, unknown]>([
    ['none', undefined],
    [
      'a wrong operation',
      [{ manager: 'x', operation: 'Frob', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
    ],
    ['no version', [{ manager: 'x', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: {} }]],
    ['no type of fields', [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsV1: {} }]],
    [
      'malformed fields',
      [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { x: {} } }],
    ],
  ])('keeps what is stored where the writer sends %s', (_, managedFields) => {
    const { managedFields: __, ...metadata } = created.metadata
    const sent = { ...created, metadata: { ...metadata, ...(managedFields ? { managedFields } : {}) } } as AnyObject
    expect(entries(write(created, sent))).toEqual(entries(created))
    expect(managedFieldsFault(managedFields) === undefined).toBe(managedFields === undefined)
  })

  it('may rewrite managedFields by hand', () => {
    const entry: ManagedFieldsEntry = {
      manager: 'x',
      operation: 'Apply',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:b': {} } },
    }
    const updated = write(created, { ...created, metadata: { ...created.metadata, managedFields: [entry] } })
    expect(entries(updated)).toEqual([entry])
  })

  it('keeps at most ten updaters, and puts the oldest together', () => {
    let object = write(undefined, thing({ start: '1' }), { by: 'first' })
    for (let i = 1; i < 12; i++) {
      object = write(
        object,
        { ...object, data: { ...(object.data as object), [`k${i}`]: '1' } },
        { by: `m${i}`, second: i },
      )
    }
    const list = entries(object)
    expect(list.map(({ manager }) => manager)).toEqual([
      'ancient-changes',
      'm3',
      'm4',
      'm5',
      'm6',
      'm7',
      'm8',
      'm9',
      'm10',
      'm11',
    ])
    expect(list[0]).toMatchObject({
      time: at(2),
      fieldsV1: { 'f:data': { '.': {}, 'f:k1': {}, 'f:k2': {}, 'f:start': {} } },
    })
  })

  it('puts entries in upstream’s order: operation, time, manager, version, subresource', () => {
    const entry = (manager: string, operation: string, second: number, more: object = {}) => ({
      manager,
      operation,
      apiVersion: 'v1',
      time: at(second),
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { [`f:${manager}`]: {} } },
      ...more,
    })
    const sorted = [
      entry('z', 'Apply', 9),
      entry('a', 'Update', 1),
      entry('a', 'Update', 1, { subresource: 'status' }),
      entry('b', 'Update', 1),
      entry('a', 'Update', 2, { apiVersion: 'v0' }),
    ]
    const shuffled = { ...created, metadata: { ...created.metadata, managedFields: sorted.toReversed() } }
    expect(entries(write(created, shuffled))).toEqual(sorted)
  })

  it('reads what others own in their own version, and drops owners of versions no longer served', () => {
    const other: Schema = {
      type: 'object',
      properties: new Map([['payload', { type: 'map', values: { type: 'string' } }]]),
    }
    const toVersion = (object: AnyObject, apiVersion: string) =>
      apiVersion === 'v1'
        ? { object, schema: configMap }
        : apiVersion === 'v2'
          ? { object: { ...object, data: undefined, payload: object.data }, schema: other }
          : undefined
    const own = (manager: string, apiVersion: string, fieldsV1: object) => ({
      manager,
      operation: 'Apply',
      apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1,
    })
    const old = thing(
      { a: '1', b: '1' },
      {
        managedFields: [
          own('gone', 'v0', { 'f:old': {} }),
          own('newer', 'v2', { 'f:payload': { 'f:a': {}, 'f:b': {} } }),
        ],
      },
    )
    const updated = write(old, { ...old, data: { a: '2', b: '1' } }, { toVersion })
    expect(owners(updated)).toEqual({ newer: { 'f:payload': { 'f:b': {} } }, me: { 'f:data': { 'f:a': {} } } })
  })

  it('owns whole what has become atomic since its entry was written', () => {
    const schema = (atomic: boolean): Schema => ({
      type: 'object',
      properties: new Map<string, Schema>([
        ['data', { type: 'map', values: { type: 'string' }, ...(atomic ? { atomic } : {}) }],
      ]),
    })
    const before = write(undefined, thing({ a: '1' }), { by: 'x', schema: schema(false) })
    const after = write(before, { ...before, other: 1 } as AnyObject, { schema: schema(true) })
    expect(owners(after)).toEqual({ x: { 'f:data': {} } })
  })

  it('of items with one key owns the key alone', () => {
    const service = builtinSchema('io.k8s.api.core.v1.Service')
    const twice = {
      metadata: { name: 'a' },
      spec: {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1 },
        ],
      },
    }
    expect(owners(write(undefined, twice, { schema: service })).me).toEqual({
      'f:spec': { 'f:ports': { '.': {}, 'k:{"port":1,"protocol":"TCP"}': {} } },
    })
  })

  it('of an object whose ownership cannot be told leaves none', () => {
    const pod = builtinSchema('io.k8s.api.core.v1.Pod')
    const broken = write(undefined, { metadata: { name: 'a' }, spec: { containers: [null] } }, { schema: pod })
    expect(broken.metadata).not.toHaveProperty('managedFields')
  })
})

describe('times', () => {
  it('stay where nothing but times changed', () => {
    const old = write(undefined, thing({ a: '1' }))
    const later = {
      ...old,
      metadata: { ...old.metadata, managedFields: entries(old).map((entry) => ({ ...entry, time: at(9) })) },
    }
    const same = structuredClone(later)
    keepTimesIfUnchanged(same, old)
    expect(entries(same)).toEqual(entries(old))
    const changed = { ...structuredClone(later), data: { a: '2' } }
    keepTimesIfUnchanged(changed, old)
    expect(entries(changed)).toEqual(entries(later))
  })
})

describe('the name of a manager', () => {
  it.each<[string, string | null, string | undefined]>([
    ['given', 'given', 'kubectl/1'],
    ['kubectl', null, 'kubectl/v1.35 (linux/amd64)'],
    ['Mozilla', '', 'Mozilla/5.0'],
    ['my agent', null, 'my agent'],
    ['ab', null, 'a\u0007b/1'],
    ['', null, undefined],
    ['é'.repeat(64), null, 'é'.repeat(70)],
  ])('is %s', (name, fieldManager, agent) => {
    expect(managerOf(fieldManager, agent)).toBe(name)
  })
})

describe('any sequence of updates', () => {
  const key = fc.constantFrom('a', 'b', 'c')
  const map = fc.dictionary(key, fc.constantFrom('1', '2'))
  const container = fc.record(
    {
      name: fc.constantFrom('x', 'y'),
      image: fc.constantFrom('i', 'j'),
      env: fc.uniqueArray(fc.record({ name: key, value: fc.constantFrom('1', '2') }), { selector: ({ name }) => name }),
      args: fc.array(key, { maxLength: 2 }),
      securityContext: fc.record(
        { privileged: fc.boolean(), capabilities: fc.record({ add: fc.array(key) }) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['name'] },
  )
  const object = fc.record({
    metadata: fc.record(
      { name: fc.constant('a'), uid: fc.constant('u'), labels: map, finalizers: fc.uniqueArray(key) },
      { requiredKeys: ['name', 'uid'] },
    ),
    spec: fc.record(
      {
        replicas: fc.nat(2),
        selector: fc.record({ matchLabels: map }),
        template: fc.record({
          metadata: fc.record({ labels: map }),
          spec: fc.record(
            { containers: fc.uniqueArray(container, { selector: ({ name }) => name }), nodeSelector: map },
            { requiredKeys: ['containers'] },
          ),
        }),
      },
      { requiredKeys: [] },
    ),
  })
  // As a custom resource: what a built-in type always has, empty, is nobody's until somebody fills it.
  const anonymous = ({ name: _, ...schema }: Schema): Schema => ({
    ...schema,
    ...(schema.items ? { items: anonymous(schema.items) } : {}),
    ...(schema.values ? { values: anonymous(schema.values) } : {}),
    ...(schema.properties
      ? { properties: new Map([...schema.properties].map(([field, its]) => [field, anonymous(its)])) }
      : {}),
  })
  const schema = anonymous(deployment)
  const type = typeOf(schema)

  it('leaves no field with two updaters, and none unowned that is there', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(object, fc.constantFrom('x', 'y', 'z')), { minLength: 1, maxLength: 6 }),
        (writes) => {
          let current: AnyObject | undefined
          for (const [next, by] of writes)
            current = write(current, next as AnyObject, { by, schema, apiVersion: 'apps/v1' })
          const { managedFields = [], ...metadata } = (current as AnyObject).metadata
          const sets = managedFields.map(({ fieldsV1 }) => fieldsV1 as unknown as FieldSet)
          const owned = sets.reduce<FieldSet>(union, {})
          const present = difference(fieldsOf(type, { ...current, metadata }), neverOwned)
          expect(difference(present, owned)).toEqual({})
          for (const [i, set] of sets.entries()) {
            for (const other of sets.slice(i + 1)) expect(isEmpty(difference(set, difference(set, other)))).toBe(true)
          }
          // Writing the same again changes nothing.
          const again = write(current, current as AnyObject, {
            by: 'other',
            schema: deployment,
            apiVersion: 'apps/v1',
            second: 9,
          })
          expect(again).toEqual(current)
        },
      ),
      { numRuns: 200 },
    )
  })
})
