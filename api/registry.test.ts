import { describe, expect, it } from 'vitest'
import { decodeObject } from './machinery/decode.ts'
import type { AnyObject } from './machinery/object.ts'
import type { RequestContext, Resource } from './machinery/resource.ts'
import { builtinKinds, builtinResources } from './registry.ts'

const context: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const empty = (kind: Resource) =>
  decodeObject(kind.schema, { metadata: { name: 'x' } }, { mode: 'Ignore' }).object as AnyObject
const named = builtinKinds.map((kind) => [`${kind.plural}.${kind.group}`, kind] as const)

describe('the kinds of the API', () => {
  it('have paths of their own', () => {
    for (const path of ['plural', 'storagePrefix'] as const) {
      const all = builtinKinds.map((kind) => `${path === 'plural' ? kind.group : ''}/${kind[path]}`)
      expect(all.filter((entry, i) => all.indexOf(entry) < i)).toEqual([])
    }
  })

  it.each(named)('%s takes an object without content and does not throw', (_, kind) => {
    const object = empty(kind)
    kind.defaults?.(object)
    const once = structuredClone(object)
    kind.defaults?.(object)
    expect(object).toEqual(once)
    // Stored objects have their defaults too.
    const old = () => structuredClone(once)
    expect(Array.isArray(kind.validate?.(object, undefined, context) ?? [])).toBe(true)
    expect(Array.isArray(kind.validateStatus?.(object, old(), context) ?? [])).toBe(true)
    kind.strategy.prepareForCreate?.(object, context)
    kind.strategy.prepareForUpdate?.(object, old(), context)
    kind.strategy.prepareForStatusUpdate?.(object, old(), context)
    kind.warnings?.(object, undefined)
    for (const select of Object.values(kind.selectableFields ?? {})) expect(typeof select(old())).toBe('string')
    for (const version of kind.versions) version.toStorage(version.fromStorage(object))
  })

  it.each(named)('%s has a schema, and where it is stored columns that begin with the name', (_, kind) => {
    expect(kind.schema.properties?.has('metadata')).toBe(true)
    // What can be watched is stored.
    if (!kind.verbs.includes('watch')) return
    const [first] = kind.columns ?? []
    expect(first).toBeDefined()
    const object = empty(kind)
    kind.defaults?.(object)
    for (const column of kind.columns ?? []) {
      expect(['string', 'number', 'boolean'], `column ${column.name}`).toContain(typeof column.value(object, 0))
    }
  })

  it('lets a server say how long events live', () => {
    const lives = builtinResources({ eventTtlSeconds: 60 }).flatMap(({ ttlSeconds }) => ttlSeconds ?? [])
    expect(new Set(lives)).toEqual(new Set([60]))
  })

  it.each([
    ['endpoints', { subsets: [{ addresses: [{ ip: '127.1.2.3' }], ports: [{ port: 80, protocol: 'TCP' }] }] }],
    ['endpointslices', { addressType: 'IPv4', endpoints: [{ addresses: ['127.1.2.3'] }], ports: [] }],
  ])('lets %s lead to the loopback only where a server says so', (plural, content) => {
    const object = { metadata: { name: 'web', namespace: 'default' }, ...content } as unknown as AnyObject
    const faults = (allowLoopbackEndpoints: boolean) =>
      builtinResources({ allowLoopbackEndpoints })
        .find((kind) => kind.plural === plural)
        ?.validate?.(object, undefined, context)
        .map(({ message }) => message)
    expect(faults(false)).toEqual([expect.stringContaining('may not be in the loopback range')])
    expect(faults(true)).toEqual([])
  })
})
