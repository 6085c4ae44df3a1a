import type { KubeObject } from './object.ts'

/** Of several objects marked as default the one made last; of those made in the same second the first by name. */
export function newestDefault(objects: readonly KubeObject[], annotations: readonly string[]): string | undefined {
  const defaults = objects.filter(({ metadata }) => annotations.some((key) => metadata.annotations?.[key] === 'true'))
  defaults.sort(({ metadata: a }, { metadata: b }) => {
    const [at = '', bt = ''] = [a.creationTimestamp, b.creationTimestamp]
    if (at !== bt) return at < bt ? 1 : -1
    return (a.name ?? '') < (b.name ?? '') ? -1 : 1
  })
  return defaults[0]?.metadata.name
}
