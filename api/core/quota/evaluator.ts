import type { ScopedResourceSelectorRequirement } from '../../generated/types.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { Quantities } from '../pod-total.ts'

/** A write that may change what is used of a namespace's quotas. */
export interface QuotaWrite {
  operation: 'CREATE' | 'UPDATE'
  subresource: string
  object: AnyObject
  /** The object as it stands, on UPDATE. */
  old?: AnyObject
}

/** What the objects of one kind use of quotas. */
export interface QuotaEvaluator {
  /** Whether such a write changes what is used. */
  handles(write: QuotaWrite): boolean
  /** Those of the names that limit objects of this kind. */
  matching(names: readonly string[]): string[]
  usage(object: AnyObject, nowMs: number): Quantities
  /** Without it, the kind is within no scope. */
  isInScope?(object: AnyObject, scope: ScopedResourceSelectorRequirement): boolean
  /** Why the object cannot be counted, given the names that are limited. */
  constraintFault?(object: AnyObject, limited: readonly string[]): string | undefined
}

/** The name by which objects of any kind are counted: `count/deployments.apps`. */
export const objectCountName = (group: string, plural: string): string =>
  group === '' ? `count/${plural}` : `count/${plural}.${group}`

/** Counts objects, under the name all kinds have and under an older one where there is one. */
export function countEvaluator(group: string, plural: string, alias?: string): QuotaEvaluator {
  const names = [objectCountName(group, plural), ...(alias === undefined ? [] : [alias])]
  return {
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === '',
    matching: (given) => given.filter((name) => names.includes(name)),
    usage: () => Object.fromEntries(names.map((name) => [name, '1'])),
  }
}
