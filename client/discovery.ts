import type { ServedResource } from './types.ts'

/** The aggregated form of discovery, as far as it is read here. */
export interface GroupList {
  items?: {
    metadata: { name?: string }
    versions: {
      version: string
      freshness?: string
      resources?: {
        resource: string
        scope: 'Namespaced' | 'Cluster'
        verbs?: string[]
        responseKind?: { group?: string; version?: string; kind: string }
      }[]
    }[]
  }[]
}

/** Each kind in the version its group prefers; groups that could not be asked are named. */
export function servedBy(groups: NonNullable<GroupList['items']>): {
  resources: ServedResource[]
  incomplete: string[]
} {
  const resources = new Map<string, ServedResource>()
  const incomplete: string[] = []
  for (const { metadata, versions } of groups) {
    const group = metadata.name ?? ''
    for (const { version, freshness, resources: served = [] } of versions) {
      if (freshness === 'Stale') incomplete.push(`${group}/${version}`)
      for (const { resource: plural, scope, verbs = [], responseKind } of served) {
        const name = `${group}/${plural}`
        // The first version that has it is the preferred one.
        if (resources.has(name)) continue
        resources.set(name, {
          group,
          version,
          plural,
          kind: responseKind?.kind ?? '',
          namespaced: scope === 'Namespaced',
          verbs,
        })
      }
    }
  }
  return { resources: [...resources.values()], incomplete }
}
