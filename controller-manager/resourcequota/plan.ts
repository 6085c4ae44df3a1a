import { isInScopes } from '../../api/core/quota/charge.ts'
import type { QuotaEvaluator } from '../../api/core/quota/evaluator.ts'
import type { ResourceQuota, ResourceQuotaStatus } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { addQuantity, compareQuantity } from '../../api/machinery/quantity.ts'
import type { Live } from '../../client/types.ts'

type Quantities = Record<string, string>

/** The objects of one kind in the quota's namespace. */
export interface Counted {
  evaluator: QuotaEvaluator
  objects: readonly AnyObject[]
}

/** The status that the objects there are call for; undefined when it is what stands. */
export function planQuotaStatus(
  quota: Live<ResourceQuota>,
  kinds: readonly Counted[],
  nowMs: number,
): ResourceQuotaStatus | undefined {
  const hard = quota.spec?.hard ?? {}
  const standing = quota.status ?? {}
  const used: Quantities = {}
  // Of what cannot be counted now, the last count stays.
  for (const name of Object.keys(hard)) if (standing.used?.[name] !== undefined) used[name] = standing.used[name]
  for (const { evaluator, objects } of kinds) Object.assign(used, usage(quota, evaluator, objects, nowMs))
  if (standing.hard && standing.used && sameAmounts(hard, standing.hard) && sameAmounts(used, standing.used)) {
    return undefined
  }
  return { hard, used }
}

/** What objects of a kind use of the quota, under each name it limits. */
function usage(
  quota: Live<ResourceQuota>,
  evaluator: QuotaEvaluator,
  objects: readonly AnyObject[],
  nowMs: number,
): Quantities {
  const names = evaluator.matching(Object.keys(quota.spec?.hard ?? {}))
  const used: Quantities = Object.fromEntries(names.map((name) => [name, '0']))
  for (const object of objects) {
    if (!isInScopes(quota, evaluator, object)) continue
    const own = evaluator.usage(object, nowMs)
    for (const name of names) if (own[name] !== undefined) used[name] = addQuantity(used[name], own[name])
  }
  return used
}

/** Whether a change of an object changes what it uses of the quota. */
export function changesUsage(
  quota: Live<ResourceQuota>,
  evaluator: QuotaEvaluator,
  before: AnyObject,
  after: AnyObject,
  nowMs: number,
): boolean {
  const of = (object: AnyObject) => (isInScopes(quota, evaluator, object) ? evaluator.usage(object, nowMs) : {})
  return !sameAmounts(of(before), of(after))
}

function sameAmounts(a: Quantities, b: Quantities): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && compareQuantity(a[name] as string, b[name]) === 0)
  )
}
