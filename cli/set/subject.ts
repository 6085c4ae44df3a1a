import { isDeepStrictEqual } from 'node:util'
import type { RbacV1Subject as Holder } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'
import { collectList } from '../flags.ts'
import type { NamedObject } from '../objects.ts'
import { addSelectorFlag, type SetFlags, setting } from './setting.ts'

interface HolderFlags extends SetFlags {
  user?: string[]
  group?: string[]
  serviceaccount?: string[]
}

export const subject = setting<HolderFlags>({
  summary: 'give a role to more users, groups or service accounts',
  usage: '(-f FILE | TYPE NAME) [--user=NAME] [--group=NAME] [--serviceaccount=NAMESPACE:NAME]',
  examples: ['gantry set subject rolebinding readers --user=jane --serviceaccount=shop:robot'],
  done: 'subjects updated',
  define: (command) =>
    void addSelectorFlag(command)
      .option('--user <names>', 'users', collectList)
      .option('--group <names>', 'groups', collectList)
      .option('--serviceaccount <namespace:name>', 'service accounts', collectList),
  parse(session, words, flags) {
    const holders = holdersOf(flags, () => session.namespace)
    if (holders.length === 0) throw new CliError('you must specify at least one value of user, group or serviceaccount')
    return { words, change: (object) => withHolders(object, holders) }
  },
})

const apiGroup = 'rbac.authorization.k8s.io'
const unique = (names: readonly string[] = []) => [...new Set(names)].sort()

function holdersOf({ user, group, serviceaccount }: HolderFlags, namespace: () => string): Holder[] {
  return [
    ...unique(user).map((name) => ({ kind: 'User', apiGroup, name })),
    ...unique(group).map((name) => ({ kind: 'Group', apiGroup, name })),
    ...unique(serviceaccount).map((text) => {
      const [place = '', name = '', ...more] = text.split(':')
      if (name === '' || more.length > 0) throw new CliError('serviceaccount must be <namespace>:<name>')
      return { kind: 'ServiceAccount', namespace: place || namespace(), name }
    }),
  ]
}

/** The binding with these, too. Throws for what is none. */
export function withHolders(object: NamedObject, holders: readonly Holder[]): NamedObject {
  if (object.kind !== 'RoleBinding' && object.kind !== 'ClusterRoleBinding')
    throw new CliError('setting subjects is only supported for RoleBinding/ClusterRoleBinding')
  const before = (object.subjects as Holder[] | undefined) ?? []
  const added = holders.filter((holder) => !before.some((one) => isDeepStrictEqual(one, holder)))
  return { ...object, subjects: [...before, ...added] }
}
