import type { IncomingHttpHeaders } from 'node:http'
import { badRequestError } from '../../api/machinery/errors.ts'
import { forbiddenRequest } from './forbidden.ts'
import {
  anonymousUser,
  authenticatedGroup,
  parseServiceAccountUser,
  serviceAccountGroups,
  unauthenticatedGroup,
} from './groups.ts'
import type { AuthorizationAttributes, Authorizer, UserInfo } from './types.ts'

const authenticationGroup = 'authentication.k8s.io'
const extraPrefix = 'impersonate-extra-'

/**
 * The user whom the Impersonate-* headers name, if `user` may act as that user and as each of the groups, uid and
 * extras named; `user` itself without such headers. Removes the headers. Throws 403 and, for groups, uid or extras
 * without a user, 400.
 *
 * Node joins repeated headers with a comma; group names and extras hold none, as clients send one header for each.
 */
export async function impersonate(
  user: UserInfo,
  headers: IncomingHttpHeaders,
  authorizer: Authorizer,
): Promise<UserInfo> {
  const wanted = readHeaders(headers)
  if (!wanted) return user
  const account = parseServiceAccountUser(wanted.name)
  const questions: Partial<AuthorizationAttributes>[] = [
    account ? { resource: 'serviceaccounts', ...account } : { resource: 'users', name: wanted.name },
    ...wanted.groups.map((name) => ({ resource: 'groups', name })),
    ...Object.entries(wanted.extra).flatMap(([subresource, values]) =>
      values.map((name) => ({ group: authenticationGroup, resource: 'userextras', subresource, name })),
    ),
    ...(wanted.uid === '' ? [] : [{ group: authenticationGroup, resource: 'uids', name: wanted.uid }]),
  ]
  for (const question of questions) {
    const attributes: AuthorizationAttributes = {
      verb: 'impersonate',
      group: '',
      resource: '',
      subresource: '',
      name: '',
      namespace: '',
      path: '',
      ...question,
      user,
    }
    const decision = await authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenRequest(attributes, decision.reason)
  }
  for (const header of Object.keys(headers)) if (header.startsWith('impersonate-')) delete headers[header]
  const groups = wanted.groups.length > 0 ? wanted.groups : account ? serviceAccountGroups(account.namespace) : []
  return {
    name: wanted.name,
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    groups: withStanding(wanted.name, groups),
    ...(Object.keys(wanted.extra).length > 0 ? { extra: wanted.extra } : {}),
  }
}

/** Adds system:authenticated or system:unauthenticated where the impersonator has not said which. */
function withStanding(name: string, groups: string[]): string[] {
  if (name === anonymousUser) {
    return groups.includes(unauthenticatedGroup) ? groups : [...groups, unauthenticatedGroup]
  }
  return groups.includes(authenticatedGroup) || groups.includes(unauthenticatedGroup)
    ? groups
    : [...groups, authenticatedGroup]
}

interface Wanted {
  name: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
}

function readHeaders(headers: IncomingHttpHeaders): Wanted | undefined {
  let wanted: Wanted | undefined
  for (const header in headers) {
    if (!header.startsWith('impersonate-')) continue
    wanted ??= { name: '', uid: '', groups: [], extra: {} }
    const value = headers[header]
    const values = (Array.isArray(value) ? value : (value ?? '').split(',')).map((item) => item.trim())
    if (header === 'impersonate-user') wanted.name = String(value ?? '')
    else if (header === 'impersonate-uid') wanted.uid = String(value ?? '')
    else if (header === 'impersonate-group') wanted.groups.push(...values)
    else if (header.startsWith(extraPrefix)) wanted.extra[decodeKey(header.slice(extraPrefix.length))] = values
  }
  if (wanted && wanted.name === '') {
    if (wanted.uid === '' && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0) return undefined
    throw badRequestError(`requested ${describe(wanted)} without impersonating a user`)
  }
  return wanted
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    // Kept as it came: a malformed key still has to be asked about.
    return key
  }
}

const describe = ({ uid, groups, extra }: Wanted): string =>
  JSON.stringify([
    ...groups.map((name) => ({ kind: 'Group', name })),
    ...Object.entries(extra).flatMap(([key, values]) => values.map((name) => ({ kind: 'UserExtra', key, name }))),
    ...(uid === '' ? [] : [{ kind: 'UID', name: uid }]),
  ])
