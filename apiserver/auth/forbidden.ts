import { forbiddenError, type StatusError } from '../../api/machinery/errors.ts'
import type { AuthorizationAttributes } from './types.ts'

/** The 403 for a request that no authorizer allowed, in upstream's words. */
export function forbiddenRequest(attributes: AuthorizationAttributes, reason: string): StatusError {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  const message =
    path === ''
      ? `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`
      : `${who} path ${JSON.stringify(path)}`
  const safe = withoutMarkup(message)
  return forbiddenError({ group, resource }, name, reason === '' ? safe : `${safe}: ${reason}`)
}

/** A refusal that a browser shows must not read as HTML. */
const withoutMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
