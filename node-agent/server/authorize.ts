import type { NodeAttributes, User } from './types.ts'

/** Asks the API server: a SubjectAccessReview. */
export type Review = (spec: {
  user: string
  groups: readonly string[]
  uid?: string
  resourceAttributes: {
    group: string
    version: string
    resource: string
    subresource: string
    verb: string
    name: string
  }
}) => Promise<boolean>

const allowedMs = 5 * 60_000
const deniedMs = 30_000
const longestCache = 1024

/**
 * Permits what the cluster's rules permit, asked by `review` and remembered for as long as upstream does. `system:masters`
 * needs no asking, so that logs and exec work while the API server's answers are slow.
 */
export function nodeAuthorizer(
  nodeName: string,
  review: Review,
  now: () => number = Date.now,
): (user: User, attributes: NodeAttributes) => Promise<boolean> {
  const answers = new Map<string, { allowed: boolean; untilMs: number }>()
  return async (user, { verb, subresource }) => {
    if (user.groups.includes('system:masters')) return true
    const key = JSON.stringify([user.name, user.groups, verb, subresource])
    const known = answers.get(key)
    if (known && known.untilMs > now()) return known.allowed
    const allowed = await review({
      user: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      resourceAttributes: { group: '', version: 'v1', resource: 'nodes', subresource, verb, name: nodeName },
    })
    if (answers.size >= longestCache) answers.clear()
    answers.set(key, { allowed, untilMs: now() + (allowed ? allowedMs : deniedMs) })
    return allowed
  }
}
