import type { ResourceQuota } from '../../generated/types.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { addQuantity, compareQuantity, subQuantity } from '../../machinery/quantity.ts'
import type { Quantities } from '../pod-total.ts'
import type { QuotaEvaluator, QuotaWrite } from './evaluator.ts'
import { scopesOf } from './scopes.ts'

/** What a write means for one quota. */
export type Charge =
  /** It is none of this quota's business. */
  { do: 'nothing' } | { do: 'use'; used: Quantities } | { do: 'refuse'; why: string }

/** Decides whether a quota allows a write, and what is used of it then. Refusals are in upstream's words. */
export function chargeQuota(quota: ResourceQuota, evaluator: QuotaEvaluator, write: QuotaWrite, nowMs: number): Charge {
  const { hard = {}, used = {} } = quota.status ?? {}
  const name = quota.metadata?.name
  const limited = evaluator.matching(Object.keys(hard))
  if (limited.length === 0 || !isInScopes(quota, evaluator, write.object)) return { do: 'nothing' }
  const fault = evaluator.constraintFault?.(write.object, limited)
  if (fault !== undefined) return { do: 'refuse', why: `failed quota: ${name}: ${fault}` }
  if (limited.some((resource) => used[resource] === undefined)) {
    return { do: 'refuse', why: `status unknown for quota: ${name}, resources: ${limited.sort().join(',')}` }
  }
  const requested = usageAdded(quota, evaluator, write, nowMs)
  const names = Object.keys(requested)
    .filter((resource) => hard[resource] !== undefined)
    .sort()
  if (names.length === 0) return { do: 'nothing' }
  const next = { ...used }
  for (const resource of names) next[resource] = addQuantity(used[resource], requested[resource] as string)
  const exceeded = names.filter((resource) => compareQuantity(next[resource] as string, hard[resource] as string) > 0)
  // What has happened already is counted, whatever it comes to.
  if (exceeded.length === 0 || write.subresource === 'status') return { do: 'use', used: next }
  const print = (list: Quantities) => exceeded.map((resource) => `${resource}=${list[resource] ?? '0'}`).join(',')
  return {
    do: 'refuse',
    why: `exceeded quota: ${name}, requested: ${print(requested)}, used: ${print(used)}, limited: ${print(hard)}`,
  }
}

/** Whether the object counts for the quota, by the quota's scopes. */
export function isInScopes({ spec }: ResourceQuota, { isInScope }: QuotaEvaluator, object: AnyObject): boolean {
  return scopesOf(spec ?? {}).every((scope) => isInScope?.(object, scope) ?? false)
}

/** What the write uses beyond what the object used before. What it uses less is given back by the controller. */
function usageAdded(quota: ResourceQuota, evaluator: QuotaEvaluator, write: QuotaWrite, nowMs: number): Quantities {
  const { object, old } = write
  const now = evaluator.usage(object, nowMs)
  const before =
    write.operation === 'UPDATE' && old && isInScopes(quota, evaluator, old) ? evaluator.usage(old, nowMs) : {}
  const added: Quantities = {}
  for (const [name, amount] of Object.entries(now)) {
    const more = subQuantity(amount, before[name] ?? '0')
    if (compareQuantity(more, '0') > 0) added[name] = more
  }
  return added
}
