import { createHash } from 'node:crypto'
import { apiVersionOf } from '../../api/machinery/object.ts'
import { hasPart, type Resource, type SubresourceInfo } from '../../api/machinery/resource.ts'
import { compareVersions } from '../../api/machinery/version-order.ts'
import type { NamedResource, ServedGroup } from '../handlers/served-group.ts'

/** What the server serves, in every form a client may ask for. Documents are made once and kept. */
export interface Discovery {
  /** /api; `serverAddress` is where the client has reached the server, host and port. */
  api(serverAddress: string): Buffer
  /** /apis */
  apis(): Buffer
  /** /apis/GROUP */
  group(group: string): Buffer | undefined
  /** /apis/GROUP/VERSION, or /api/VERSION for the core group. */
  resourceList(group: string, version: string): Buffer | undefined
  /** The whole of /api or /apis in one document. */
  aggregated(root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Buffer
  /** What is served has changed. */
  invalidate(): void
}

/** One kind in one version. */
interface Served {
  resource: Resource
  group: string
  version: string
}

const statusVerbs = ['get', 'patch', 'update']

/** Upstream's first groups: clients that find a kind in several take the first. All others come as they are registered. */
const firstGroups = ['', 'apiregistration.k8s.io', 'apps', 'events.k8s.io']

/** `others` are groups whose resources are no kinds. */
export function createDiscovery(
  resources: () => readonly Resource[],
  others: () => readonly ServedGroup[] = () => [],
): Discovery {
  const documents = new Map<string, Buffer | undefined>()
  const kept = (name: string, make: () => object | undefined): Buffer | undefined => {
    if (!documents.has(name)) {
      const value = make()
      documents.set(name, value && Buffer.from(JSON.stringify(value)))
    }
    return documents.get(name)
  }
  const groups = () => byGroup(resources())
  const allGroups = (): [string, readonly string[]][] => [
    ...[...groups()].map(([name, versions]): [string, string[]] => [name, [...versions.keys()]]),
    ...byName(others()),
  ]
  return {
    api: (serverAddress) =>
      Buffer.from(
        JSON.stringify({
          kind: 'APIVersions',
          versions: ['v1'],
          serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
        }),
      ),
    apis: () =>
      kept('apis', () => ({
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: allGroups()
          .filter(([name]) => name !== '')
          .map(([name, versions]) => groupOf(name, versions)),
      })) as Buffer,
    group: (name) =>
      kept(`group ${name}`, () => {
        const [, versions] = (name !== '' && allGroups().find(([known]) => known === name)) || []
        return versions && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, versions) }
      }),
    resourceList: (group, version) =>
      kept(`list ${group}/${version}`, () => {
        const served = groups().get(group)?.get(version)
        const named = others().find((other) => other.group === group && other.version === version)
        const entries =
          served?.flatMap(legacyEntries) ?? named?.resources.map((resource) => ({ singularName: '', ...resource }))
        return (
          entries && {
            kind: 'APIResourceList',
            ...(group === '' ? {} : { apiVersion: 'v1' }),
            groupVersion: apiVersionOf(group, version),
            resources: entries.sort((a, b) => (a.name < b.name ? -1 : 1)),
          }
        )
      }),
    aggregated: (root, version) =>
      kept(`${root} ${version}`, () => ({
        kind: 'APIGroupDiscoveryList',
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: [
          ...[...groups()]
            .filter(([name]) => (name === '') === (root === 'api'))
            .map(([name, versions]) => ({
              metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
              versions: [...versions].map(([version, served]) => ({
                version,
                resources: served.filter(({ resource }) => !isPart(resource)).map(aggregatedEntry),
                freshness: 'Current',
              })),
            })),
          ...(root === 'apis' ? [...byName(others()).keys()] : []).map((name) => ({
            metadata: { name, creationTimestamp: null },
            versions: others()
              .filter(({ group }) => group === name)
              .map(({ version, resources: named }) => ({
                version,
                resources: aggregatedNames(name, version, named),
                freshness: 'Current',
              })),
          })),
        ],
      })) as Buffer,
    invalidate: () => documents.clear(),
  }
}

/** Groups in upstream's order, versions in the order in which clients prefer them. */
function byGroup(resources: readonly Resource[]): Map<string, Map<string, Served[]>> {
  const groups = new Map<string, Map<string, Served[]>>(firstGroups.map((name) => [name, new Map()]))
  const add = (served: Served) => {
    let versions = groups.get(served.group)
    if (!versions) {
      versions = new Map()
      groups.set(served.group, versions)
    }
    const list = versions.get(served.version)
    if (list) list.push(served)
    else versions.set(served.version, [served])
  }
  for (const resource of resources) {
    if (!resource.isStoredOnly) add({ resource, group: resource.group, version: resource.version })
    for (const { group, version } of resource.versions) add({ resource, group, version })
  }
  for (const [name, versions] of groups) {
    if (versions.size === 0) groups.delete(name)
    else if (versions.size > 1) {
      groups.set(name, new Map([...versions].sort(([one], [other]) => compareVersions(one, other))))
    }
  }
  for (const versions of groups.values()) {
    for (const served of versions.values()) served.sort((a, b) => (a.resource.plural < b.resource.plural ? -1 : 1))
  }
  return groups
}

/** Versions by the name of their group. */
function byName(groups: readonly ServedGroup[]): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const { group, version } of groups) names.set(group, [...(names.get(group) ?? []), version])
  return names
}

function groupOf(name: string, versions: readonly string[]): object {
  const list = versions.map((version) => ({ groupVersion: apiVersionOf(name, version), version }))
  return { name, versions: list, preferredVersion: list[0] }
}

/** A kind that is served only below another one is listed there. */
const isPart = (resource: Resource): boolean => resource.plural.includes('/')

function subresourcesOf({ resource, group, version }: Served): SubresourceInfo[] {
  const all = new Map(resource.subresources.map((info) => [info.name, info]))
  if (hasPart(resource, version, 'status') && !all.has('status')) {
    all.set('status', { name: 'status', kind: resource.kind, group, version, verbs: statusVerbs })
  }
  if (hasPart(resource, version, 'scale') && !all.has('scale')) {
    all.set('scale', { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: statusVerbs })
  }
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function legacyEntries(served: Served): { name: string }[] {
  const { resource, group } = served
  const own = {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: [...resource.verbs].sort(),
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(resource.verbs.includes('create') && resource.verbs.includes('get')
      ? { storageVersionHash: storageVersionHash(resource) }
      : {}),
  }
  const parts = subresourcesOf(served).map((info) => ({
    name: `${resource.plural}/${info.name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(info.group !== undefined && info.group !== group ? { group: info.group } : {}),
    ...(info.version !== undefined && (info.group ?? group) !== group ? { version: info.version } : {}),
    kind: info.kind,
    verbs: info.verbs,
  }))
  return [own, ...parts]
}

function aggregatedEntry(served: Served): object {
  const { resource, group, version } = served
  const subresources = subresourcesOf(served).map((info) => ({
    subresource: info.name,
    responseKind: { group: info.group ?? group, version: info.version ?? version, kind: info.kind },
    verbs: info.verbs,
  }))
  return {
    resource: resource.plural,
    responseKind: { group, version, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: [...resource.verbs].sort(),
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}

/** What is one of an object stands below the object, which is named though it has no verbs here, as upstream does it. */
function aggregatedNames(group: string, version: string, named: readonly NamedResource[]): object[] {
  const kindOf = (kind: string) => ({ group, version, kind })
  const scopeOf = (namespaced: boolean) => (namespaced ? 'Namespaced' : 'Cluster')
  const below = new Map<string, NamedResource[]>()
  const plain: object[] = []
  for (const one of named) {
    const [parent = '', part] = one.name.split('/')
    if (part !== undefined) below.set(parent, [...(below.get(parent) ?? []), { ...one, name: part }])
    else {
      const { name: resource, namespaced, kind, verbs, singularName = '', shortNames, categories } = one
      plain.push({
        resource,
        responseKind: kindOf(kind),
        scope: scopeOf(namespaced),
        singularResource: singularName,
        verbs,
        ...(shortNames ? { shortNames } : {}),
        ...(categories ? { categories } : {}),
      })
    }
  }
  return [
    ...plain,
    ...[...below].map(([resource, parts]) => ({
      resource,
      responseKind: { group: '', version: '', kind: '' },
      scope: scopeOf(parts[0]?.namespaced ?? true),
      singularResource: '',
      verbs: [],
      subresources: parts.map(({ name, kind, verbs }) => ({ subresource: name, responseKind: kindOf(kind), verbs })),
    })),
  ]
}

/** Upstream's: the start of a hash over what is stored, so that clients see when that changes. */
function storageVersionHash({ group, version, kind }: Resource): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}
