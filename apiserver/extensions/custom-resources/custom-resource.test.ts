import { describe, expect, it } from 'vitest'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../api/generated/types.ts'
import { formatFieldError } from '../../../api/machinery/field-errors.ts'
import { testContext } from '../../../api/machinery/kind-testing.ts'
import type { AnyObject, Stored } from '../../../api/machinery/object.ts'
import type { WebhookCaller } from '../webhooks/call.ts'
import { customResource } from './custom-resource.ts'

const text = { type: 'string' }
const version = (
  name: string,
  properties: Record<string, JSONSchemaProps>,
  more: Partial<CustomResourceDefinitionVersion> = {},
): CustomResourceDefinitionVersion => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  ...more,
})
const v1 = (more: Partial<CustomResourceDefinitionVersion> = {}) =>
  version('v1', { a: text, b: { ...text, pattern: '^b' } }, { storage: true, ...more })
const v2 = (more: Partial<CustomResourceDefinitionVersion> = {}) =>
  version('v2', { a: text, c: { ...text, default: 'c' } }, more)

function kind(
  versions: CustomResourceDefinitionVersion[],
  spec: Partial<CustomResourceDefinition['spec']> = {},
  status: CustomResourceDefinition['status'] = {},
  isTerminating = false,
) {
  const definition = {
    metadata: { name: 'crons.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'crons', kind: 'Cron' }, versions, ...spec },
    status,
  } as Stored<CustomResourceDefinition>
  return customResource(definition, { isTerminating: () => isTerminating, caller: {} as WebhookCaller })
}
const cron = (spec: object, name = 'v1', metadata: object = {}) =>
  ({
    apiVersion: `example.com/${name}`,
    kind: 'Cron',
    metadata: { name: 'c', ...metadata },
    spec,
  }) as unknown as AnyObject & {
    spec: object
  }

describe('a kind of one’s own', () => {
  it('has the names that it was given, and others by its kind', () => {
    expect(kind([v1()])).toMatchObject({
      kind: 'Cron',
      listKind: 'CronList',
      singular: 'cron',
      shortNames: [],
      categories: [],
      namespaced: true,
      storagePrefix: '/example.com/crons',
    })
    const names = {
      plural: 'crons',
      kind: 'Cron',
      listKind: 'Crons',
      singular: 'acron',
      shortNames: ['cr'],
      categories: ['all'],
    }
    const cluster = kind(
      [v1()],
      { names: { ...names, shortNames: ['job'] }, scope: 'Cluster' },
      { acceptedNames: names },
    )
    expect(cluster).toMatchObject({ ...names, namespaced: false })
  })

  it('is replaced only by who knows what it was, and patched only in ways that need no type of ours', () => {
    expect(kind([v1()])).toMatchObject({ refusesStrategicMerge: true, strategy: { unconditionalUpdate: false } })
  })

  it('is stored in one version and served in those that are', () => {
    const served = kind([v1(), v2(), version('v3', {}, { served: false })])
    expect(served.version).toBe('v1')
    expect(served.isStoredOnly).toBe(false)
    expect(served.versions?.map((each) => each.version)).toEqual(['v2'])
    expect(kind([v1({ served: false }), v2()]).isStoredOnly).toBe(true)
  })

  it('is shown in a version by the schema of that', () => {
    const { versions = [] } = kind([v1(), v2()])
    const shown = versions[0]?.fromStorage?.(cron({ a: 'x', b: 'b' }))
    expect(shown).toMatchObject({ apiVersion: 'example.com/v2', spec: { a: 'x', c: 'c' } })
    expect(shown).not.toHaveProperty('spec.b')
    expect(versions[0]?.toStorage?.(cron({ a: 'x', c: 'd' }, 'v2'))).toEqual(cron({ a: 'x' }))
  })

  it('is read from the store in whatever version it was written', () => {
    const { fromStore } = kind([v1(), v2()])
    expect(fromStore?.(cron({ a: 'x', c: 'c' }))).toEqual(cron({ a: 'x' }))
    expect(fromStore?.(cron({ a: 'x', b: 'b' }, 'v2'))).toEqual(cron({ a: 'x' }))
    expect(fromStore?.(cron({ a: 'x', c: 'c' }, 'v0'))).toEqual(cron({ a: 'x' }))
  })

  it('keeps what its schema does not name where the definition says so', () => {
    expect(kind([v1()], { preserveUnknownFields: true }).fromStore?.(cron({ z: 1 }))).toEqual(cron({ z: 1 }))
  })

  it('is judged in the version that it is sent in', () => {
    const { validate, validateStatus } = kind([
      v1(),
      version('v2', { b: { ...text, pattern: '^c' } }, { subresources: { status: {} } }),
    ])
    const judged = (object: AnyObject, apiVersion?: string) =>
      (validate?.(object as never, undefined, { ...testContext, ...(apiVersion ? { apiVersion } : {}) }) ?? []).map(
        formatFieldError,
      )
    expect(judged(cron({ b: 'b' }))).toEqual([])
    expect(judged(cron({ b: 'c' }))).toEqual([`spec.b: Invalid value: "c": spec.b in body should match '^b'`])
    expect(judged(cron({ b: 'c' }), 'example.com/v2')).toEqual([])
    expect(judged(cron({ b: 'b' }), 'example.com/v2')).toEqual([
      `spec.b: Invalid value: "b": spec.b in body should match '^c'`,
    ])
    const ctx = { ...testContext, apiVersion: 'example.com/v2' }
    expect(validateStatus?.(cron({ b: 'b' }) as never, cron({ b: 'b' }) as never, ctx)).toEqual([])
  })
})

describe('the deprecation of a version', () => {
  const said = (...versions: CustomResourceDefinitionVersion[]) => kind(versions).deprecation
  it.each<[string, CustomResourceDefinitionVersion[], string | undefined]>([
    ['is not said of others', [v1(), v2({ deprecated: true })], undefined],
    ['is said in the words of the definition', [v1({ deprecated: true, deprecationWarning: 'go!' }), v2()], 'go!'],
    [
      'is said with what to use instead',
      [v1({ deprecated: true }), v2()],
      'example.com/v1 Cron is deprecated; use example.com/v2 Cron',
    ],
    [
      'names nothing that is not served',
      [v1({ deprecated: true }), v2({ served: false })],
      'example.com/v1 Cron is deprecated',
    ],
    [
      'names nothing that is deprecated too',
      [v1({ deprecated: true }), v2({ deprecated: true })],
      'example.com/v1 Cron is deprecated',
    ],
    [
      'names nothing that is older',
      [v1({ deprecated: true }), version('v1beta1', {})],
      'example.com/v1 Cron is deprecated',
    ],
    [
      'names the newest',
      [v1({ deprecated: true }), v2(), version('v3', {}), version('v3beta1', {})],
      'example.com/v1 Cron is deprecated; use example.com/v3 Cron',
    ],
  ])('%s', (_, versions, expected) => {
    expect(said(...versions)).toBe(expected)
  })

  it('is said of versions beside the stored one', () => {
    const { versions = [] } = kind([v1(), v2({ deprecated: true, deprecationWarning: 'go!' })])
    expect(versions[0]?.deprecation).toBe('go!')
    expect(kind([v1(), v2()]).versions?.[0]).not.toHaveProperty('deprecation')
  })
})

describe('subresources', () => {
  const scale = { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' }
  it('are those of each version', () => {
    const both = { status: {}, scale: { ...scale, labelSelectorPath: '.status.s' } }
    const {
      strategy,
      scale: paths,
      versions,
    } = kind([v1({ subresources: both }), v2({ subresources: { status: {} } })])
    expect(strategy).toMatchObject({ status: true, generation: 'outsideMetadata' })
    expect(paths).toEqual({
      specReplicas: '.spec.n',
      statusReplicas: '.status.n',
      validates: true,
      selector: '.status.s',
    })
    expect(versions?.[0]?.lacks).toEqual(['scale'])
  })

  it('may be none', () => {
    const { strategy, scale: paths, versions } = kind([v1(), v2()])
    expect(strategy).toMatchObject({ status: false, generation: 'outsideMetadataAndStatus' })
    expect(paths).toBeUndefined()
    expect(versions?.[0]?.lacks).toEqual(['status', 'scale'])
    expect(kind([v1({ subresources: { scale } })]).scale).not.toHaveProperty('selector')
  })

  it('leave metadata alone, but for who wrote what', () => {
    const { strategy } = kind([v1({ subresources: { status: {} } })])
    const written = (metadata: object) => {
      const object = cron({}, 'v1', metadata)
      strategy.prepareForStatusUpdate?.(object as never, cron({}, 'v1', { labels: { a: 'b' } }) as never, testContext)
      return object.metadata
    }
    const managedFields = [{ manager: 'me' }]
    expect(written({ labels: { c: 'd' }, managedFields })).toEqual({ name: 'c', labels: { a: 'b' }, managedFields })
    expect(written({})).toEqual({ name: 'c', labels: { a: 'b' } })
  })
})

it('fields to select by are read in the version that offers them', () => {
  const selectable = (...paths: string[]) => ({ selectableFields: paths.map((jsonPath) => ({ jsonPath })) })
  const { selectableFields = {} } = kind([v2(selectable('.spec.a', '.spec.c')), v1(selectable('.spec.a', '.spec.b'))])
  const read = (spec: object) =>
    Object.fromEntries(Object.entries(selectableFields).map(([field, of]) => [field, of(cron(spec) as never)]))
  expect(read({ a: 'x', b: 'b' })).toMatchObject({ 'spec.a': 'x', 'spec.b': 'b', 'spec.c': 'c' })
  expect(read({})).toMatchObject({ 'spec.a': '', 'spec.b': '' })
  const offered = version('v1', { c: text }, { storage: true, ...selectable('.spec.c') })
  const both = kind([v2(selectable('.spec.c')), offered]).selectableFields ?? {}
  expect(both['spec.c']?.(cron({}) as never)).toBe('')
})

it('nothing new is created while the definition goes', () => {
  const create = (isTerminating: boolean) =>
    kind([v1()], {}, {}, isTerminating).strategy.prepareForCreate?.(cron({}) as never, testContext)
  expect(() => create(false)).not.toThrow()
  expect(() => create(true)).toThrow('create not allowed while custom resource definition is terminating')
})
