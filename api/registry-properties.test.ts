import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatFieldError } from './machinery/field-errors.ts'
import { objectsOf } from './machinery/kind-arbitrary.ts'
import { testContext as context } from './machinery/kind-testing.ts'
import type { AnyObject } from './machinery/object.ts'
import type { Resource } from './machinery/resource.ts'
import { builtinKinds } from './registry.ts'

// The core group and its neighbours have properties of their own beside them.
const elsewhere = ['', 'apps', 'batch', 'networking.k8s.io', 'discovery.k8s.io', 'gantry.dev']
const kinds = builtinKinds.filter(({ group }) => !elsewhere.includes(group))
const runs = { numRuns: 60 }

/** What the registry does to a new object before it is validated. */
function prepared(kind: Resource, object: AnyObject): AnyObject {
  kind.defaults?.(object)
  kind.strategy.prepareForCreate?.(object, context)
  return object
}

describe.each(kinds.map((kind) => [kind.kind, kind] as const))('%s, whatever is sent,', (_, kind) => {
  it('has defaults that change nothing the second time', () => {
    fc.assert(
      fc.property(objectsOf(kind), (object) => {
        kind.defaults?.(object)
        const once = structuredClone(object)
        kind.defaults?.(object)
        expect(object).toEqual(once)
      }),
      runs,
    )
  })

  it('is validated, warned about, printed and converted without a crash', () => {
    fc.assert(
      fc.property(objectsOf(kind), objectsOf(kind), (object, old) => {
        prepared(kind, old)
        kind.defaults?.(object)
        kind.strategy.prepareForUpdate?.(object, old, context)
        const errors = [
          ...(kind.validate?.(object, old, context) ?? []),
          ...(kind.validate?.(old, undefined, context) ?? []),
          ...(kind.validateStatus?.(object, old, context) ?? []),
        ]
        // Upstream's own words say it in some places.
        const words = (text: string) => text.replace('true or undefined', '').replace('must be undefined', '')
        for (const error of errors) expect(words(formatFieldError(error))).not.toContain('undefined')
        for (const warning of kind.warnings?.(object, old) ?? []) expect(warning).not.toContain('undefined')
        for (const column of kind.columns ?? []) expect(column.value(object, 0)).not.toBeUndefined()
        for (const select of Object.values(kind.selectableFields ?? {})) expect(select(object)).toBeTypeOf('string')
        for (const version of kind.versions) version.toStorage(version.fromStorage(object))
        kind.strategy.prepareForStatusUpdate?.(object, old, context)
      }),
      runs,
    )
  })

  it('may be written again as it is once it is there', () => {
    fc.assert(
      fc.property(objectsOf(kind), (object) => {
        prepared(kind, object)
        if ((kind.validate?.(object, undefined, context) ?? []).length > 0) return
        const again = structuredClone(object)
        kind.defaults?.(again)
        kind.strategy.prepareForUpdate?.(again, object, context)
        expect((kind.validate?.(again, object, context) ?? []).map(formatFieldError)).toEqual([])
      }),
      runs,
    )
  })
})
