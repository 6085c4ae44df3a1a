import type { LabelSelector, NamedRuleWithOperations, Namespace } from '../../api/generated/types.ts'
import { notFoundError } from '../../api/machinery/errors.ts'
import { labelSelectorMatches } from '../../api/machinery/labels.ts'
import { apiVersionOf, type Stored } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { AdmissionAttributes } from '../admission/types.ts'
import type { ServerClient } from '../registry/reader.ts'

/** Which writes a webhook or a policy is asked about. */
export interface Criteria {
  rules: readonly NamedRuleWithOperations[]
  /** Taken out of what the rules take in; only policies have them. */
  excluded?: readonly NamedRuleWithOperations[]
  /** `Exact`: only requests in a version that a rule names; else the same kind in another version will do. */
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
}

export interface GroupVersion {
  group: string
  version: string
}

/**
 * Configurations of admission itself are exempt: otherwise a broken one could not be mended.
 */
export const isExempt = ({ group, plural }: Pick<Resource, 'group' | 'plural'>): boolean =>
  group === 'admissionregistration.k8s.io' && exempt.has(plural)
const exempt = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

/** The version in which the rules want the object of this write; undefined: they do not mean it. */
export function matchedVersion(criteria: Criteria, attributes: AdmissionAttributes): GroupVersion | undefined {
  const asked = requestVersion(attributes)
  const versions =
    criteria.matchPolicy === 'Exact'
      ? [asked]
      : [asked, ...versionsOf(attributes.resource).filter((other) => !sameVersion(other, asked))]
  if (criteria.excluded && firstMatch(criteria.excluded, versions, attributes)) return undefined
  return firstMatch(criteria.rules, versions, attributes)
}

/** The version the request speaks. */
export const requestVersion = ({ resource, apiVersion }: AdmissionAttributes): GroupVersion =>
  versionsOf(resource).find(({ group, version }) => apiVersionOf(group, version) === apiVersion) ??
  groupVersionOf(resource)

const groupVersionOf = ({ group, version }: GroupVersion): GroupVersion => ({ group, version })
const versionsOf = (resource: Resource): GroupVersion[] => [resource, ...resource.versions].map(groupVersionOf)
const sameVersion = (a: GroupVersion, b: GroupVersion): boolean => a.group === b.group && a.version === b.version

const firstMatch = (
  rules: readonly NamedRuleWithOperations[],
  versions: readonly GroupVersion[],
  attributes: AdmissionAttributes,
): GroupVersion | undefined => versions.find((version) => rules.some((rule) => ruleMatches(rule, version, attributes)))

function ruleMatches(
  rule: NamedRuleWithOperations,
  { group, version }: GroupVersion,
  { operation, resource, subresource, name }: AdmissionAttributes,
): boolean {
  const { scope = '*', resourceNames = [] } = rule
  return (
    takes(rule.operations, operation) &&
    takes(rule.apiGroups, group) &&
    takes(rule.apiVersions, version) &&
    (scope === '*' || (scope === 'Namespaced') === resource.namespaced) &&
    (rule.resources ?? []).some((pattern) => resourceMatches(pattern, resource.plural, subresource)) &&
    (resourceNames.length === 0 || resourceNames.includes(name))
  )
}

const takes = (patterns: readonly string[] = [], value: string): boolean =>
  patterns.includes('*') || patterns.includes(value)

/** `pods`, `pods/status`, `pods/*`, `*`, `*` with `/scale`; without a slash, subresources are not meant. */
function resourceMatches(pattern: string, plural: string, subresource: string): boolean {
  const [resource = '', sub = ''] = pattern.split('/')
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource)
}

/** Whether one of the object's versions, the new or the old one, has the labels. */
export function objectMatches(selector: LabelSelector = {}, { object, old }: AdmissionAttributes): boolean {
  if (isEmpty(selector)) return true
  return [object, old].some((each) => each?.metadata && labelSelectorMatches(selector, each.metadata.labels ?? {}))
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0

/** Finds namespaces for those who match and judge writes. */
export interface Namespaces {
  /** Throws 404. */
  get(name: string): Stored<Namespace> | Promise<Stored<Namespace>>
}

export function namespacesOf(client: ServerClient, lookup: (group: string, plural: string) => Resource): Namespaces {
  const resource = lookup('', 'namespaces')
  return {
    get: (name) => client.cached<Stored<Namespace>>(resource, '', name) ?? getFresh(name),
  }
  async function getFresh(name: string): Promise<Stored<Namespace>> {
    const found = await client.get<Stored<Namespace>>(resource, '', name)
    if (!found) throw notFoundError({ group: '', resource: 'namespaces' }, name)
    return found
  }
}

/** Whether the namespace of the write has the labels; what lies in no namespace always has. Throws 404. */
export async function namespaceMatches(
  selector: LabelSelector = {},
  attributes: AdmissionAttributes,
  namespaces: Namespaces,
): Promise<boolean> {
  if (isEmpty(selector)) return true
  const namespace = await namespaceFor(attributes, namespaces)
  return !namespace || labelSelectorMatches(selector, namespace.metadata.labels ?? {})
}

/** The namespace that a write concerns; the one that is being written as it will be. Throws 404. */
export async function namespaceFor(
  { resource, namespace, name, object, operation }: AdmissionAttributes,
  namespaces: Namespaces,
): Promise<Stored<Namespace> | undefined> {
  if (resource.group === '' && resource.plural === 'namespaces') {
    if (object && (operation === 'CREATE' || operation === 'UPDATE')) return object as unknown as Stored<Namespace>
    return namespaces.get(name)
  }
  return resource.namespaced && namespace !== '' ? namespaces.get(namespace) : undefined
}
