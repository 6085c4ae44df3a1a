import { claimEvaluator } from './claims.ts'
import { deviceEvaluator } from './devices.ts'
import { countEvaluator, type QuotaEvaluator } from './evaluator.ts'
import { podEvaluator } from './pods.ts'
import { serviceEvaluator } from './services.ts'

/** Kinds that use more of a quota than their number, or that are counted under an older name too. */
const special = new Map<string, QuotaEvaluator>([
  ['/pods', podEvaluator],
  ['/persistentvolumeclaims', claimEvaluator],
  ['/services', serviceEvaluator],
  ['resource.k8s.io/resourceclaims', deviceEvaluator],
  ...['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'].map((plural): [string, QuotaEvaluator] => [
    `/${plural}`,
    countEvaluator('', plural, plural),
  ]),
])

/** They come and go by themselves, and nobody could plan for them. */
const uncounted = new Set(['/events', 'events.k8s.io/events'])

/** How objects of a kind count; undefined: not at all. */
export function quotaEvaluator(group: string, plural: string): QuotaEvaluator | undefined {
  const name = `${group}/${plural}`
  if (uncounted.has(name)) return undefined
  return special.get(name) ?? countEvaluator(group, plural)
}

/** The kinds that use any of the named resources: `[group, plural]`. */
export function kindsCounted(names: readonly string[]): [group: string, plural: string][] {
  const kinds = [...special].flatMap(([kind, { matching }]) => (matching(names).length > 0 ? [kind] : []))
  for (const name of names) {
    const counted = /^count\/([^./]+)(?:\.(.+))?$/.exec(name)
    if (counted) kinds.push(`${counted[2] ?? ''}/${counted[1]}`)
  }
  return [...new Set(kinds)].map((kind) => kind.split('/') as [string, string])
}
