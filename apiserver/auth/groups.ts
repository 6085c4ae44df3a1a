/** Users and groups that mean something to the server itself, by upstream's names. */
export const anonymousUser = 'system:anonymous'
export const mastersGroup = 'system:masters'
export const authenticatedGroup = 'system:authenticated'
export const unauthenticatedGroup = 'system:unauthenticated'
export const nodesGroup = 'system:nodes'
export const serviceAccountsGroup = 'system:serviceaccounts'

const serviceAccountPrefix = 'system:serviceaccount:'
const nodePrefix = 'system:node:'

export const serviceAccountUser = (namespace: string, name: string): string =>
  `${serviceAccountPrefix}${namespace}:${name}`

/** Groups of every service account of a namespace, `system:authenticated` not among them. */
export const serviceAccountGroups = (namespace: string): string[] => [
  serviceAccountsGroup,
  `${serviceAccountsGroup}:${namespace}`,
]

/** The reverse of {@link serviceAccountUser}; undefined for any other name. */
export function parseServiceAccountUser(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(serviceAccountPrefix)) return undefined
  const [namespace, name, ...rest] = user.slice(serviceAccountPrefix.length).split(':')
  if (!namespace || !name || rest.length > 0) return undefined
  return { namespace, name }
}

/** The node that a user is: `system:node:NAME` in the group `system:nodes`. Name '' for a node without one. */
export function nodeOf(user: { name: string; groups: readonly string[] }): string | undefined {
  if (!user.name.startsWith(nodePrefix) || !user.groups.includes(nodesGroup)) return undefined
  return user.name.slice(nodePrefix.length)
}
