import type { AnyObject } from '../api/machinery/object.ts'
import type { Client } from '../client/client.ts'
import type { ResourceRef } from '../client/types.ts'
import { CliError } from './errors.ts'
import { nearest } from './nearest.ts'

/** A kind that a server serves, with the names by which users call it. */
export interface ServedKind extends ResourceRef<AnyObject> {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
  readonly subresources: readonly string[]
}

interface Discovered {
  items?: {
    metadata: { name?: string }
    versions: {
      version: string
      resources?: {
        resource: string
        singularResource?: string
        scope: 'Namespaced' | 'Cluster'
        verbs?: string[]
        shortNames?: string[]
        categories?: string[]
        responseKind?: { kind: string }
        subresources?: { subresource: string }[]
      }[]
    }[]
  }[]
}

const accept =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

/** Asks the server what it serves. */
export async function discoverKinds(client: Client, signal: AbortSignal): Promise<Kinds> {
  const [core, groups] = await Promise.all(
    ['/api', '/apis'].map((path) => client.json<Discovered>('GET', path, { headers: { accept }, signal })),
  )
  return new Kinds(servedKinds([...(core?.items ?? []), ...(groups?.items ?? [])]))
}

/** Kinds in the order in which their names are looked up: core first, then as the server lists its groups. */
export function servedKinds(groups: NonNullable<Discovered['items']>): ServedKind[] {
  return groups.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((served) => ({
        group: metadata.name ?? '',
        version,
        plural: served.resource,
        singular: served.singularResource || (served.responseKind?.kind ?? '').toLowerCase(),
        kind: served.responseKind?.kind ?? '',
        namespaced: served.scope === 'Namespaced',
        shortNames: served.shortNames ?? [],
        categories: served.categories ?? [],
        verbs: served.verbs ?? [],
        subresources: (served.subresources ?? []).map(({ subresource }) => subresource),
      })),
    ),
  )
}

/** A manifest is of a kind that is not served, or not in this version: the field that is wrong. */
export class UnknownKind extends CliError {
  readonly field: 'kind' | 'apiVersion'

  constructor(message: string, field: 'kind' | 'apiVersion') {
    super(message)
    this.field = field
  }
}

/** What a server serves, by any of its names. */
export class Kinds {
  readonly all: readonly ServedKind[]

  constructor(all: readonly ServedKind[]) {
    this.all = all
  }

  /** `po`, `pods`, `Pod`, `deployments.apps`, `deployments.v1.apps`. Throws what to write instead. */
  named(text: string): ServedKind {
    const found = this.#find(text)
    if (found) return found
    const words = this.all.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames])
    const meant = nearest(text.toLowerCase(), words)
    throw new CliError(
      `the server doesn't have a resource type "${text}"${meant ? `. Did you mean "${meant}"?` : '. `kubectl api-resources` lists them'}`,
    )
  }

  /** The same, and all of a category: `all`. Only what can be listed. */
  namedMany(text: string): ServedKind[] {
    if (text === 'all' || !this.#find(text)) {
      const seen = new Set<string>()
      const members = this.all.filter(({ group, plural, categories, verbs }) => {
        if (!categories.includes(text) || !verbs.includes('list') || seen.has(`${plural}.${group}`)) return false
        seen.add(`${plural}.${group}`)
        return true
      })
      if (members.length > 0) return members
    }
    return [this.named(text)]
  }

  /** The kind of a manifest. */
  of(apiVersion: string, kind: string): ServedKind {
    const [version, group] = apiVersion.includes('/') ? apiVersion.split('/').reverse() : [apiVersion, '']
    const found = this.all.find((k) => k.kind === kind && k.version === version && k.group === group)
    if (found) return found
    const elsewhere = this.all.find((k) => k.kind === kind)
    const near = nearest(kind, new Set(this.all.map((k) => k.kind)))
    const hint = elsewhere
      ? `. It is served as ${elsewhere.group ? `${elsewhere.group}/` : ''}${elsewhere.version}`
      : near
        ? `. Did you mean "${near}"?`
        : '. Ensure CRDs are installed first'
    throw new UnknownKind(
      `no matches for kind "${kind}" in version "${apiVersion}"${hint}`,
      elsewhere ? 'apiVersion' : 'kind',
    )
  }

  #find(text: string): ServedKind | undefined {
    const [name = '', ...rest] = text.toLowerCase().split('.')
    const called = this.all.filter(
      (k) => k.plural === name || k.singular === name || k.shortNames.includes(name) || k.kind.toLowerCase() === name,
    )
    // A plural or singular wins over another kind's short name.
    called.sort((a, b) => Number(a.shortNames.includes(name)) - Number(b.shortNames.includes(name)))
    if (rest.length === 0) return called[0]
    const group = rest.join('.')
    const tail = rest.slice(1).join('.')
    return (
      called.find((k) => k.group === group) ??
      called.find((k) => k.version === rest[0] && k.group === tail) ??
      called.find((k) => k.group.startsWith(`${group}.`))
    )
  }
}

/** `deployments.apps`. */
export const resourceName = ({ plural, group }: ResourceRef): string => (group === '' ? plural : `${plural}.${group}`)

/** `deployment.apps`, as it stands before `/NAME` in what verbs report. */
export const kindName = ({ kind, group }: ResourceRef): string =>
  group === '' ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`
