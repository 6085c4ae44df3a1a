import type { LabelSelector, PodTemplateSpec } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'

export const templateHashLabel = 'pod-template-hash'

/** No vowels and nothing that looks like another letter: upstream's alphabet for names that must not form words. */
const letters = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * A short name for a pod template: the same for the same content, whatever the order of its fields. FNV-1a of 32 bits, so two
 * templates may share one; a higher `collisionCount` then gives another.
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  let hash = fnv1a(0x811c9dc5, Buffer.from(canonical(template)))
  if (collisionCount !== undefined) {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32LE(collisionCount)
    hash = fnv1a(hash, bytes)
  }
  return [...String(hash)].map((digit) => letters[digit.charCodeAt(0) % letters.length]).join('')
}

/** Whether both make the same pods. The label that tells replica sets apart does not count. */
export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean =>
  semanticEqual(withoutHash(a ?? {}), withoutHash(b ?? {}))

/** The template without the label that tells replica sets apart. */
export function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const labels = template.metadata?.labels
  if (labels?.[templateHashLabel] === undefined) return template
  const { [templateHashLabel]: _, ...others } = labels
  return { ...template, metadata: { ...template.metadata, labels: others } }
}

/** The template with that label. */
export const withHash = (template: PodTemplateSpec, hash: string): PodTemplateSpec => ({
  ...template,
  metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [templateHashLabel]: hash } },
})

/** The selector that finds only pods with that label. */
export const selectorWithHash = (selector: LabelSelector, hash: string): LabelSelector => ({
  ...selector,
  matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash },
})

/** JSON with sorted keys, and without what is empty: that an empty list is spelled out makes no other template. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value)
    .filter(([, field]) => !semanticEqual(field, undefined))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`
}

function fnv1a(start: number, bytes: Uint8Array): number {
  let hash = start
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
