import { alwaysDeny } from '../authorizer.ts'
import type { AuthorizationAttributes, Authorizer, UserInfo } from '../types.ts'

export const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups })

/** What jane would ask in the namespace web: `ask('get', 'pods/log', { name: 'p' })`. */
export const ask = (
  verb: string,
  resource: string,
  more: Partial<AuthorizationAttributes> = {},
): AuthorizationAttributes => {
  const [plural = '', subresource = ''] = resource.split('/')
  return {
    user: user('jane'),
    verb,
    group: '',
    resource: plural,
    subresource,
    name: '',
    namespace: 'web',
    path: '',
    ...more,
  }
}

/** Allows `verb resource[/subresource] name` for those listed. */
export const allowing = (...allowed: string[]): Authorizer => ({
  ...alwaysDeny,
  authorize: ({ verb, resource, subresource, name }) => ({
    allowed: allowed.includes(`${verb} ${resource}${subresource === '' ? '' : `/${subresource}`} ${name}`),
    reason: 'because',
  }),
})
