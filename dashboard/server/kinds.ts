import type { KubeObject } from '../../api/machinery/object.ts'

/** A kind as paths name it. */
export interface Kind {
  group: string
  version: string
  plural: string
  kind: string
  namespaced: boolean
}

const kind = (group: string, version: string, plural: string, name: string, namespaced = true): Kind => ({
  group,
  version,
  plural,
  kind: name,
  namespaced,
})

/** The kinds that the page knows more of than their names. */
export const kinds = {
  pods: kind('', 'v1', 'pods', 'Pod'),
  nodes: kind('', 'v1', 'nodes', 'Node', false),
  namespaces: kind('', 'v1', 'namespaces', 'Namespace', false),
  events: kind('', 'v1', 'events', 'Event'),
  services: kind('', 'v1', 'services', 'Service'),
  deployments: kind('apps', 'v1', 'deployments', 'Deployment'),
  replicaSets: kind('apps', 'v1', 'replicasets', 'ReplicaSet'),
  statefulSets: kind('apps', 'v1', 'statefulsets', 'StatefulSet'),
  daemonSets: kind('apps', 'v1', 'daemonsets', 'DaemonSet'),
  jobs: kind('batch', 'v1', 'jobs', 'Job'),
  cronJobs: kind('batch', 'v1', 'cronjobs', 'CronJob'),
} as const

/** The path of a kind's list or, with a name, of one object. */
export function pathOf({ group, version, plural, namespaced }: Kind, namespace = '', name = ''): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const scope = namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${plural}${name === '' ? '' : `/${encodeURIComponent(name)}`}`
}

/** Where the page shows an object. */
export const linkTo = (of: Kind, namespace: string, name: string, tab = ''): string =>
  `#/object/${[of.group || 'core', of.version, of.plural, namespace || '-', name, ...(tab ? [tab] : [])].map(encodeURIComponent).join('/')}`

/** The kind an object says it is, among those the page knows. */
export const knownKind = (apiVersion: string, name: string): Kind | undefined =>
  Object.values(kinds).find(
    (known) =>
      known.kind === name && (known.group === '' ? known.version : `${known.group}/${known.version}`) === apiVersion,
  )

/** `namespace/name`: what an object is kept under. */
export const keyOf = ({ metadata }: Pick<KubeObject, 'metadata'>): string =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? '')
