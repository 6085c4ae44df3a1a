import { formatFieldError } from './field-errors.ts'
import type { KubeObject } from './object.ts'
import type { RequestContext, Resource } from './resource.ts'

/** For tests of kinds: what the generic registry does around their rules, without a registry. */

export const testContext: RequestContext = {
  nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  user: { name: 'alice', groups: ['system:authenticated'] },
  subresource: '',
  dryRun: false,
}

/** A copy with the kind's defaults filled in. */
export function defaulted<T extends KubeObject>(kind: Resource<T>, object: object): T {
  const copy = structuredClone(object) as T
  copy.metadata ??= {}
  kind.defaults?.(copy)
  return copy
}

/** What is wrong with the object, one line a fault; `old` makes it an update. */
export function faults(kind: Resource, object: object, old?: object): string[] {
  const before = old && defaulted(kind, old)
  return (kind.validate?.(defaulted(kind, object), before, testContext) ?? []).map(formatFieldError)
}

/** The same for a write of the status. */
export function statusFaults(kind: Resource, object: object, old: object): string[] {
  return (kind.validateStatus?.(defaulted(kind, object), defaulted(kind, old), testContext) ?? []).map(formatFieldError)
}

/** The cells of an object's row by column name. */
export function cells(kind: Resource, object: object): Record<string, string | number | boolean | null> {
  const complete = defaulted(kind, object)
  return Object.fromEntries((kind.columns ?? []).map(({ name, value }) => [name, value(complete, testContext.nowMs)]))
}
