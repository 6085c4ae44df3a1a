import type { Command } from 'commander'
import { CliError } from '../errors.ts'
import { collectList } from '../flags.ts'
import type { Kinds } from '../kinds.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { addCreateFlags, type CreateFlags, createOne, creating, oneName, pairs } from './creating.ts'

interface RoleFlags extends CreateFlags {
  verb?: string[]
  resource?: string[]
  resourceName?: string[]
  nonResourceUrl?: string[]
  aggregationRule?: string[]
}

interface Rule {
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
  nonResourceURLs?: string[]
  verbs: string[]
}

const roleVerb = (kind: 'Role' | 'ClusterRole'): Verb<RoleFlags> & { summary: string } => ({
  summary: kind === 'Role' ? 'a role in a namespace' : 'a role in the whole cluster',
  usage: 'NAME --verb=VERB --resource=RESOURCE[.GROUP][/SUBRESOURCE] [--resource-name=NAME]',
  examples: [`gantry create ${kind.toLowerCase()} reader --verb=get,list,watch --resource=pods,deployments.apps`],
  define(command: Command) {
    command
      .option('--verb <verbs>', 'what may be done', collectList)
      .option('--resource <resources>', 'with what', collectList)
      .option('--resource-name <names>', 'only with those of these names', collectList)
    if (kind === 'ClusterRole')
      command
        .option('--non-resource-url <paths>', 'paths of the server that may be read', collectList)
        .option('--aggregation-rule <labels>', 'the rules of all roles with these labels', collectList)
    addCreateFlags(command)
  },
  async run(session, args, flags) {
    const name = oneName(args, kind === 'Role' ? 'role' : 'cluster role')
    const aggregated = flags.aggregationRule
      ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: pairs(flags.aggregationRule) }] } }
      : {}
    const rules = flags.aggregationRule ? [] : await rulesOf(session, flags)
    await createOne(
      session,
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, rules, ...aggregated },
      flags,
    )
    return 0
  },
})

async function rulesOf(session: Session, flags: RoleFlags): Promise<Rule[]> {
  const { verb = [], resource = [], resourceName = [], nonResourceUrl = [] } = flags
  const verbs = [...new Set(verb)]
  if (verbs.length === 0) throw new CliError('at least one verb must be specified')
  if (resource.length === 0 && nonResourceUrl.length === 0)
    throw new CliError(
      flags.nonResourceUrl
        ? 'one of resource or nonResourceURL must be specified'
        : 'at least one resource must be specified',
    )
  const kinds = await session.kinds()
  const byGroup = new Map<string, string[]>()
  for (const word of resource) {
    const { group, name } = resourceOf(word, kinds)
    byGroup.set(group, [...new Set([...(byGroup.get(group) ?? []), name])])
  }
  return [
    ...Array.from(byGroup, ([group, resources]) => ({
      apiGroups: [group],
      resources,
      ...(resourceName.length > 0 ? { resourceNames: resourceName } : {}),
      verbs: verbs.includes('*') ? ['*'] : verbs,
    })),
    ...(nonResourceUrl.length > 0 ? [{ nonResourceURLs: nonResourceUrl, verbs }] : []),
  ]
}

/** `deployments.apps/scale`, `pods`, `*`. Throws for what is not served. */
function resourceOf(word: string, kinds: Kinds): { group: string; name: string } {
  const [text = '', subresource] = word.split('/')
  const below = subresource === undefined ? '' : `/${subresource}`
  if (text === '*') return { group: '*', name: `*${below}` }
  const { group, plural } = kinds.named(text)
  return { group, name: `${plural}${below}` }
}

interface BindingFlags {
  role?: string
  clusterrole?: string
  user?: string[]
  group?: string[]
  serviceaccount?: string[]
}

const bindingVerb = (kind: 'RoleBinding' | 'ClusterRoleBinding') =>
  creating<BindingFlags>({
    summary: kind === 'RoleBinding' ? 'who has a role in a namespace' : 'who has a role in the whole cluster',
    usage: `NAME --clusterrole=NAME${kind === 'RoleBinding' ? '|--role=NAME' : ''} [--user=NAME] [--group=NAME] [--serviceaccount=NAMESPACE:NAME]`,
    examples: [`gantry create ${kind.toLowerCase()} readers --clusterrole=view --serviceaccount=shop:robot`],
    define(command) {
      if (kind === 'RoleBinding') command.option('--role <name>', 'the role, of the same namespace')
      command
        .option('--clusterrole <name>', 'the role, of the cluster')
        .option('--user <names>', 'users who have it', collectList)
        .option('--group <names>', 'groups that have it', collectList)
        .option('--serviceaccount <namespace:name>', 'service accounts that have it', collectList)
    },
    make(args, { role, clusterrole, user = [], group = [], serviceaccount = [] }) {
      const name = oneName(args, 'binding')
      if (Boolean(role) === Boolean(clusterrole))
        throw new CliError(
          kind === 'RoleBinding'
            ? 'exactly one of clusterrole or role must be specified'
            : 'clusterrole must be specified',
        )
      const apiGroup = 'rbac.authorization.k8s.io'
      const subjects = [
        ...user.map((who) => ({ kind: 'User', apiGroup, name: who })),
        ...group.map((who) => ({ kind: 'Group', apiGroup, name: who })),
        ...serviceaccount.map((text) => {
          const [namespace, account, more] = text.split(':')
          if (!namespace || !account || more !== undefined)
            throw new CliError('serviceaccount must be <namespace>:<name>')
          return { kind: 'ServiceAccount', name: account, namespace }
        }),
      ]
      return {
        apiVersion: `${apiGroup}/v1`,
        kind,
        metadata: { name },
        roleRef: { apiGroup, kind: role ? 'Role' : 'ClusterRole', name: role ?? clusterrole },
        ...(subjects.length > 0 ? { subjects } : {}),
      }
    },
  })

export const role = roleVerb('Role')
export const clusterrole = roleVerb('ClusterRole')
export const rolebinding = bindingVerb('RoleBinding')
export const clusterrolebinding = bindingVerb('ClusterRoleBinding')
