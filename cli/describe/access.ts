import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  ServiceAccount,
} from '../../api/generated/types.ts'
import { describes } from './describer.ts'
import { annotationsField, bracketed, field, identity, labelsField, section, tabled } from './lines.ts'

/** A service account, with the secrets its pods pull images by. */
export const serviceAccount = describes<ServiceAccount>((object) => {
  const secrets = (object.imagePullSecrets ?? []).map(({ name = '' }) => name)
  const title = 'Image pull secrets:'
  return [
    ...identity(object),
    ...(secrets.length === 0 ? ['<none>'] : secrets).map(
      (name, i) => `${i === 0 ? title : ' '.repeat(title.length)}\t${name}`,
    ),
  ]
})

/** A role, one line for each thing it is about. */
export const role = describes<Role | ClusterRole>(
  ({ metadata, rules }) => [
    field('Name', metadata.name),
    ...labelsField('Labels', metadata.labels),
    ...annotationsField('Annotations', metadata.annotations),
    ...section(
      'PolicyRule',
      tabled(
        ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'],
        compactRules(rules ?? []).map(({ what, urls, names, verbs }) => [
          what,
          bracketed(urls),
          bracketed(names),
          bracketed(verbs),
        ]),
      ),
    ),
  ],
  { events: false },
)

interface CompactRule {
  what: string
  urls: string[]
  names: string[]
  verbs: string[]
}

/** One rule for each resource, with all verbs that any rule gives for it, and one for each verb of a URL. */
export function compactRules(rules: readonly PolicyRule[]): CompactRule[] {
  const found = new Map<string, CompactRule & { of: string }>()
  const urls: (CompactRule & { of: string })[] = []
  const add = (group: string, resource: string, name: string | undefined, verb: string) => {
    const key = JSON.stringify([group, resource, name])
    const names = name === undefined ? [] : [name]
    const of = `APIGroups:[${group}],Resources:[${resource}],ResourceNames:[${names}],NonResourceURLs:[]`
    const rule = found.get(key) ?? { what: qualified(resource, group), urls: [], names, verbs: [], of }
    if (!rule.verbs.includes(verb)) rule.verbs.push(verb)
    found.set(key, rule)
  }
  for (const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } of rules) {
    for (const group of apiGroups)
      for (const resource of resources)
        for (const verb of verbs)
          if (resourceNames.length === 0) add(group, resource, undefined, verb)
          else for (const name of resourceNames) add(group, resource, name, verb)
    for (const url of nonResourceURLs)
      for (const verb of verbs) {
        const of = `APIGroups:[],Resources:[],ResourceNames:[],NonResourceURLs:[${url}]`
        urls.push({ what: '', urls: [url], names: [], verbs: [verb], of })
      }
  }
  // Upstream orders them by how they look written out, and there the verbs come first.
  const order = ({ verbs, of }: { verbs: string[]; of: string }) => `Verbs:[${verbs.join(' ')}],${of}`
  return [...urls, ...found.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** `deployments.apps/scale`. */
function qualified(resource: string, group: string): string {
  const [name = '', ...sub] = resource.split('/')
  return [group === '' ? name : `${name}.${group}`, ...(sub.length > 0 ? [sub.join('/')] : [])].join('/')
}

/** Who has a role. */
export const roleBinding = describes<RoleBinding | ClusterRoleBinding>(
  ({ metadata, roleRef, subjects }) => [
    field('Name', metadata.name),
    ...labelsField('Labels', metadata.labels),
    ...annotationsField('Annotations', metadata.annotations),
    ...section('Role', [field('Kind', roleRef.kind), field('Name', roleRef.name)]),
    ...section(
      'Subjects',
      tabled(
        ['Kind', 'Name', 'Namespace'],
        (subjects ?? []).map(({ kind, name, namespace = '' }) => [kind, name, namespace]),
      ),
    ),
  ],
  { events: false },
)
