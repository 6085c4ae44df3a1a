import { CliError } from '../errors.ts'
import {
  annotations,
  namespaces,
  ownLabels,
  replicaCounts,
  selectingLabels,
  templateLabels,
  volumeImages,
} from './field-specs.ts'
import { changeFields, concerns, type FieldSpec } from './fields.ts'
import type { Image, Kustomization } from './kustomization.ts'
import { everyIdentity, identityOf, isClusterWide, type Resource, remember } from './resource.ts'

type Values = Record<string, unknown>

/** Puts everything into a namespace, but for what is in none. */
export function setNamespace(resources: readonly Resource[], { namespace }: Kustomization): void {
  if (!namespace) return
  for (const resource of resources) {
    const { object } = resource
    remember(resource)
    if (!isClusterWide(object.kind)) object.metadata = { ...object.metadata, namespace }
    for (const spec of namespaces) changeFields(object, spec, () => namespace)
    if (/^(?:Cluster)?RoleBinding$/.test(object.kind))
      for (const subject of (object.subjects ?? []) as Values[])
        if (subject.name === 'default') subject.namespace = namespace
  }
}

const keepTheirName = new Set(['CustomResourceDefinition', 'APIService', 'Namespace'])

/** Puts words before and behind names. */
export function setNames(
  resources: readonly Resource[],
  { namePrefix: prefix = '', nameSuffix: suffix = '' }: Kustomization,
): void {
  if (prefix === '' && suffix === '') return
  for (const resource of resources) {
    const { object } = resource
    if (keepTheirName.has(object.kind)) continue
    remember(resource)
    object.metadata = { ...object.metadata, name: `${prefix}${object.metadata.name ?? ''}${suffix}` }
    if (prefix !== '') resource.prefixes.push(prefix)
    if (suffix !== '') resource.suffixes.push(suffix)
  }
}

/** Labels and annotations, and whatever selects by labels where that is wanted. */
export function setLabels(resources: readonly Resource[], kustomization: Kustomization): void {
  const { labels = [], commonLabels, commonAnnotations } = kustomization
  for (const { pairs = {}, includeSelectors, includeTemplates, fields = [] } of [
    ...labels,
    ...(commonLabels ? [{ pairs: commonLabels, includeSelectors: true }] : []),
  ] as NonNullable<Kustomization['labels']>)
    put(resources, pairs, [
      ...(includeSelectors ? selectingLabels : includeTemplates ? templateLabels : ownLabels),
      ...fields,
    ])
  if (commonAnnotations) put(resources, commonAnnotations, annotations)
}

function put(resources: readonly Resource[], pairs: Record<string, string>, specs: readonly FieldSpec[]): void {
  for (const { object } of resources)
    for (const spec of specs) changeFields(object, spec, (there) => ({ ...(there as Values | undefined), ...pairs }))
}

/** How many replicas the workloads of a name have. */
export function setReplicas(resources: readonly Resource[], { replicas = [] }: Kustomization): void {
  for (const { name, count } of replicas) {
    const meant = resources.filter(
      (resource) =>
        everyIdentity(resource).some((identity) => identity.name === name) &&
        replicaCounts.some((spec) => concerns(spec, resource.object)),
    )
    if (meant.length === 0)
      throw new CliError(
        `resource with name ${name} does not match a config with the following GVK [${replicaCounts.map(({ kind }) => kind).join(' ')}]`,
      )
    for (const { object } of meant) for (const spec of replicaCounts) changeFields(object, spec, () => count)
  }
}

/** Other images, in the place of those of a name. */
export function setImages(resources: readonly Resource[], { images = [], imageTags = [] }: Kustomization): void {
  for (const image of [...images, ...imageTags]) {
    for (const { object } of resources) {
      if (object.kind === 'CustomResourceDefinition') continue
      inContainers(object, (now) => replaced(now, image))
      for (const spec of volumeImages) changeFields(object, spec, (now) => replaced(now, image))
    }
  }
}

/** Wherever an object has containers. */
function inContainers(value: unknown, change: (image: unknown) => unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, field] of Object.entries(value)) {
    if ((name === 'containers' || name === 'initContainers') && Array.isArray(field))
      for (const container of field as Values[])
        if (container && typeof container.image === 'string') container.image = change(container.image)
    inContainers(field, change)
  }
}

function replaced(now: unknown, { name, newName, newTag, digest, tagSuffix }: Image): unknown {
  if (typeof now !== 'string') return now
  const [, own = '', oldTag = '', oldDigest = ''] = /^(.*?)(?::([\w.{}-]*))?(?:@(sha256:[\w.{}-]*))?$/.exec(now) ?? []
  if (own !== name) return now
  // A tag that is named makes a digest meaningless, and the other way round.
  const tag = newTag ? newTag : digest ? '' : oldTag + (tagSuffix ?? '')
  const sum = digest || (newTag || tagSuffix ? '' : oldDigest)
  return `${newName || own}${tag ? `:${tag}` : ''}${sum ? `@${sum}` : ''}`
}

/** The order in which kustomize shows objects: what others need comes first. */
export function inOrder(resources: readonly Resource[], { sortOptions }: Kustomization): Resource[] {
  if (sortOptions?.order === 'fifo') return [...resources]
  const { orderFirst = first, orderLast = last } = sortOptions?.legacySortOptions ?? {}
  const rank = (kind: string) => {
    if (orderFirst.includes(kind)) return orderFirst.indexOf(kind) - orderFirst.length
    return orderLast.includes(kind) ? 1 + orderLast.indexOf(kind) : 0
  }
  const texts = (resource: Resource) => {
    const { group, version, kind, name, namespace } = identityOf(resource.object)
    return [`${group || '~G'}_${version || '~V'}_${kind}`, `${namespace || '~X'}|${name || '~N'}`] as const
  }
  const compared = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
  return resources.toSorted((one, other) => {
    const [kind, name] = texts(one)
    const [otherKind, otherName] = texts(other)
    return rank(one.object.kind) - rank(other.object.kind) || compared(kind, otherKind) || compared(name, otherName)
  })
}

const first =
  `Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole
  RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume
  PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget`.split(/\s+/)
const last = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']
