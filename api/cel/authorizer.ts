import type { Environment } from '@marcbachmann/cel-js'

/** What an expression asks to be allowed, a step at a time. */
export interface AskedAccess {
  /** Absent: about a resource. */
  path?: string
  group?: string
  resource?: string
  subresource?: string
  namespace?: string
  name?: string
  verb: string
}

/** Whether somebody may do something: the user of the request, or a service account by its namespace and name. */
export type MayDo = (
  access: AskedAccess,
  serviceAccount?: { namespace: string; name: string },
) => Promise<{ allowed: boolean; reason: string; error?: string }>

type ServiceAccount = { namespace: string; name: string }

class Authorizer {
  readonly mayDo: MayDo
  readonly account: ServiceAccount | undefined
  readonly requestResource: ResourceCheck
  constructor(mayDo: MayDo, own: Omit<AskedAccess, 'verb'>, account?: ServiceAccount) {
    this.mayDo = mayDo
    this.account = account
    this.requestResource = new ResourceCheck(this, own)
  }
}

class PathCheck {
  readonly of: Authorizer
  readonly access: Omit<AskedAccess, 'verb'>
  constructor(of: Authorizer, access: Omit<AskedAccess, 'verb'>) {
    this.of = of
    this.access = access
  }
}
class GroupCheck extends PathCheck {}
class ResourceCheck extends PathCheck {}

class Decision {
  readonly allowed: boolean
  readonly reason: string
  readonly error: string
  constructor(allowed: boolean, reason: string, error: string) {
    this.allowed = allowed
    this.reason = reason
    this.error = error
  }
}

/** The variable `authorizer`: who made the request, and what it is about. */
export const newAuthorizer = (mayDo: MayDo, own: Omit<AskedAccess, 'verb'>): unknown => new Authorizer(mayDo, own)

async function decide({ of, access }: PathCheck, verb: string): Promise<Decision> {
  const { allowed, reason, error = '' } = await of.mayDo({ ...access, verb }, of.account)
  return new Decision(allowed, reason, error)
}

const named =
  (field: 'subresource' | 'namespace' | 'name') =>
  ({ of, access }: ResourceCheck, value: string): ResourceCheck =>
    new ResourceCheck(of, { ...access, [field]: value })

/** Upstream's authorizer library: `authorizer.group('apps').resource('deployments').check('create').allowed()`. */
export function addAuthorizer(environment: Environment): void {
  environment
    .registerType('ResourceCheck', { ctor: ResourceCheck, fields: {} })
    .registerType('GroupCheck', { ctor: GroupCheck, fields: {} })
    .registerType('PathCheck', { ctor: PathCheck, fields: {} })
    .registerType('Decision', { ctor: Decision, fields: {} })
    .registerType('Authorizer', { ctor: Authorizer, fields: { requestResource: 'ResourceCheck' } })
    .registerFunction('Authorizer.path(string): PathCheck', (of: Authorizer, path: string) => {
      if (path === '') throw new Error('path must not be empty')
      return new PathCheck(of, { path })
    })
    .registerFunction(
      'Authorizer.group(string): GroupCheck',
      (of: Authorizer, group: string) => new GroupCheck(of, { group }),
    )
    .registerFunction(
      'Authorizer.serviceAccount(string, string): Authorizer',
      ({ mayDo, requestResource }: Authorizer, namespace: string, name: string) =>
        new Authorizer(mayDo, requestResource.access, { namespace, name }),
    )
    .registerFunction(
      'GroupCheck.resource(string): ResourceCheck',
      ({ of, access }: GroupCheck, resource: string) => new ResourceCheck(of, { ...access, resource }),
    )
    .registerFunction('ResourceCheck.subresource(string): ResourceCheck', named('subresource'))
    .registerFunction('ResourceCheck.namespace(string): ResourceCheck', named('namespace'))
    .registerFunction('ResourceCheck.name(string): ResourceCheck', named('name'))
    .registerFunction('ResourceCheck.check(string): Decision', decide)
    .registerFunction('PathCheck.check(string): Decision', decide)
    .registerFunction('Decision.allowed(): bool', ({ allowed, error }: Decision) => allowed && error === '')
    .registerFunction('Decision.reason(): string', ({ reason }: Decision) => reason)
    .registerFunction('Decision.errored(): bool', ({ error }: Decision) => error !== '')
    .registerFunction('Decision.error(): string', ({ error }: Decision) => error)
}
