import { beforeEach, describe, expect, test } from 'vitest'
import type { PolicyRule } from '../../../api/generated/types.ts'
import { aggregateRules } from '../../../api/rbac/aggregate.ts'
import { missingRules } from '../../../api/rbac/coverage.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { MemoryClient } from '../testing/memory-client.ts'
import type { AuthorizationAttributes, UserInfo } from '../types.ts'
import { RbacAuthorizer } from './authorizer.ts'
import { bootstrapObjects } from './bootstrap.ts'
import { createEscalationCheck } from './escalation.ts'
import { rbacGroup } from './policy-index.ts'
import { describeRules, ruleAllows } from './rules.ts'

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups })
const jane = user('jane', 'dev', 'system:authenticated')

const ask = (verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => {
  const [plural = '', subresource = ''] = resource.split('/')
  return { user: jane, verb, group: '', resource: plural, subresource, name: '', namespace: 'web', path: '', ...more }
}
const role = (name: string, rules: PolicyRule[], namespace?: string) => ({
  metadata: { name, ...(namespace ? { namespace } : {}) },
  rules,
})
const binding = (name: string, to: string, subject: object, namespace?: string) => ({
  metadata: { name, ...(namespace ? { namespace } : {}) },
  roleRef: { apiGroup: rbacGroup, kind: to.split(' ')[0], name: to.split(' ')[1] },
  subjects: [subject],
})
const pods = (...verbs: string[]): PolicyRule => ({ apiGroups: [''], resources: ['pods'], verbs })

let client: MemoryClient
let rbac: RbacAuthorizer
beforeEach(() => {
  client = new MemoryClient()
  rbac = new RbacAuthorizer(client, client.lookup)
})

describe('rules', () => {
  const rule: PolicyRule = {
    apiGroups: ['', 'apps'],
    resources: ['pods', 'pods/log', '*/scale'],
    verbs: ['get', 'list'],
  }
  test.each<[boolean, PolicyRule, AuthorizationAttributes]>([
    [true, rule, ask('get', 'pods')],
    [false, rule, ask('create', 'pods')],
    [true, rule, ask('get', 'pods/log')],
    [false, rule, ask('get', 'pods/exec')],
    [true, rule, ask('get', 'deployments/scale', { group: 'apps' })],
    [false, rule, ask('get', 'deployments', { group: 'apps' })],
    [false, rule, ask('get', 'pods', { group: 'batch' })],
    [true, { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, ask('x', 'y/z', { group: 'g' })],
    [true, { ...pods('get'), resourceNames: ['a'] }, ask('get', 'pods', { name: 'a' })],
    [false, { ...pods('get'), resourceNames: ['a'] }, ask('get', 'pods', { name: 'b' })],
    [false, { ...pods('create'), resourceNames: ['a'] }, ask('create', 'pods')],
    [true, { nonResourceURLs: ['/healthz/*'], verbs: ['get'] }, ask('get', '', { path: '/healthz/etcd' })],
    [false, { nonResourceURLs: ['/healthz/*'], verbs: ['get'] }, ask('get', '', { path: '/healthz' })],
    [false, { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, ask('get', '', { path: '/metrics' })],
  ])('%s: %j for %j', (allowed, given, attributes) => {
    expect(ruleAllows(given, attributes)).toBe(allowed)
  })

  test('what is missing is told by verb, resource and name', () => {
    const missing = missingRules(
      [pods('get')],
      [pods('get', 'list', 'watch'), { ...pods('get'), resourceNames: ['a'] }],
    )
    expect(describeRules(missing)).toEqual(['{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}'])
    expect(missingRules([{ ...pods('get'), resourceNames: ['a'] }], [pods('get')])).toHaveLength(1)
  })
})

describe('authorizer', () => {
  test('allows by a role binding in its namespace only, and says why', () => {
    client.put(rbacGroup, 'roles', role('reader', [pods('get')], 'web'))
    client.put(rbacGroup, 'rolebindings', binding('readers', 'Role reader', { kind: 'User', name: 'jane' }, 'web'))
    expect(rbac.authorize(ask('get', 'pods'))).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "readers/web" of Role "reader" to User "jane"',
    })
    expect(rbac.authorize(ask('get', 'pods', { namespace: 'db' }))).toEqual({ allowed: false, reason: '' })
    expect(rbac.authorize(ask('get', 'pods', { namespace: '' })).allowed).toBe(false)
  })

  test('allows by a cluster role binding to a group, everywhere', () => {
    client.put(rbacGroup, 'clusterroles', role('reader', [pods('get')]))
    client.put(rbacGroup, 'clusterrolebindings', binding('devs', 'ClusterRole reader', { kind: 'Group', name: 'dev' }))
    expect(rbac.authorize(ask('get', 'pods', { namespace: '' })).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "devs" of ClusterRole "reader" to Group "dev"',
    )
    expect(rbac.authorize(ask('get', 'pods', { user: user('bob') })).allowed).toBe(false)
  })

  test('a service account without a namespace is one of the binding', () => {
    client.put(rbacGroup, 'clusterroles', role('reader', [pods('get')]))
    client.put(
      rbacGroup,
      'rolebindings',
      binding('b', 'ClusterRole reader', { kind: 'ServiceAccount', name: 'app' }, 'web'),
    )
    const app = user('system:serviceaccount:web:app')
    expect(rbac.authorize(ask('get', 'pods', { user: app })).reason).toBe(
      'RBAC: allowed by RoleBinding "b/web" of ClusterRole "reader" to ServiceAccount "app/web"',
    )
    expect(rbac.authorize(ask('get', 'pods', { user: user('system:serviceaccount:db:app') })).allowed).toBe(false)
  })

  test('answers change as soon as roles and bindings do', () => {
    const who = { kind: 'User', name: 'jane' }
    expect(rbac.authorize(ask('get', 'pods')).allowed).toBe(false)
    client.put(rbacGroup, 'rolebindings', binding('b', 'Role reader', who, 'web'))
    expect(rbac.authorize(ask('get', 'pods'))).toEqual({
      allowed: false,
      reason: 'RBAC: role.rbac.authorization.k8s.io "reader" not found',
    })
    client.put(rbacGroup, 'roles', role('reader', [pods('get')], 'web'))
    expect(rbac.authorize(ask('get', 'pods')).allowed).toBe(true)
    client.put(rbacGroup, 'rolebindings', binding('b', 'Role reader', { kind: 'User', name: 'bob' }, 'web'))
    expect(rbac.authorize(ask('get', 'pods')).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'pods', { user: user('bob') })).allowed).toBe(true)
    client.remove(rbacGroup, 'rolebindings', 'web', 'b')
    expect(rbac.authorize(ask('get', 'pods', { user: user('bob') })).allowed).toBe(false)
  })

  test('a rule for some names leaves the others alone', () => {
    client.put(rbacGroup, 'roles', role('one', [{ ...pods('get', 'create'), resourceNames: ['a'] }], 'web'))
    client.put(rbacGroup, 'rolebindings', binding('b', 'Role one', { kind: 'User', name: 'jane' }, 'web'))
    expect(rbac.authorize(ask('get', 'pods', { name: 'b' })).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'pods', { name: 'a' })).allowed).toBe(true)
    expect(rbac.authorize(ask('create', 'pods')).allowed).toBe(false)
  })

  test('an answer about a path or about odd words is never one about something else', () => {
    client.put(rbacGroup, 'clusterroles', role('paths', [{ nonResourceURLs: ['*'], verbs: ['*'] }]))
    client.put(rbacGroup, 'clusterroles', role('odd', [{ apiGroups: ['a'], resources: ['*'], verbs: ['getpo'] }]))
    for (const name of ['paths', 'odd']) {
      client.put(rbacGroup, 'clusterrolebindings', binding(name, `ClusterRole ${name}`, { kind: 'User', name: 'jane' }))
    }
    const odd: [string, string, string, string][] = [
      ['get', '', 'pods', ''],
      ['getpo', 'a', 'ds', ''],
      ['get', '', 'pods', 'web'],
    ]
    for (const path of ['/pods/', '//pods', '/pods/ web', 'pods']) {
      expect(rbac.authorize(ask('get', '', { path, namespace: '' })).allowed).toBe(true)
    }
    expect(
      odd.map(
        ([verb, group, resource, namespace]) => rbac.authorize(ask(verb, resource, { group, namespace })).allowed,
      ),
    ).toEqual([false, true, false])
  })

  test('lists what a user may do', () => {
    client.put(rbacGroup, 'clusterroles', role('r', [pods('get'), { nonResourceURLs: ['/metrics'], verbs: ['get'] }]))
    client.put(rbacGroup, 'clusterrolebindings', binding('b', 'ClusterRole r', { kind: 'User', name: 'jane' }))
    client.put(rbacGroup, 'clusterrolebindings', binding('c', 'ClusterRole gone', { kind: 'User', name: 'jane' }))
    expect(rbac.rulesFor(jane, 'web')).toEqual({
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: [] }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
      incomplete: false,
      evaluationError: 'clusterrole.rbac.authorization.k8s.io "gone" not found',
    })
  })
})

describe('bootstrap policy', () => {
  const install = () => {
    for (const { resource, object } of bootstrapObjects(client.lookup)) {
      client.put(resource.group, resource.plural, structuredClone(object))
    }
  }

  test.each<[string, boolean, UserInfo, AuthorizationAttributes]>([
    ['admins do anything', true, user('root', 'system:masters'), ask('nuke', 'planets', { group: 'x', namespace: '' })],
    ['the scheduler binds pods', true, user('system:kube-scheduler'), ask('create', 'pods/binding')],
    ['the scheduler reads no secrets', false, user('system:kube-scheduler'), ask('get', 'secrets')],
    [
      'anyone reads the version',
      true,
      user('system:anonymous', 'system:unauthenticated'),
      ask('get', '', { path: '/version' }),
    ],
    [
      'strangers do not discover',
      false,
      user('system:anonymous', 'system:unauthenticated'),
      ask('get', '', { path: '/api' }),
    ],
    ['users discover', true, jane, ask('get', '', { path: '/apis/apps' })],
    [
      'users ask about themselves',
      true,
      jane,
      ask('create', 'selfsubjectaccessreviews', { group: 'authorization.k8s.io', namespace: '' }),
    ],
    [
      'a controller has its role',
      true,
      user('system:serviceaccount:kube-system:deployment-controller'),
      ask('update', 'deployments/status', { group: 'apps' }),
    ],
    ['nodes go through the node authorizer', false, user('system:node:n', 'system:nodes'), ask('get', 'secrets')],
    [
      'controllers hold their lease',
      true,
      user('system:kube-controller-manager'),
      ask('update', 'leases', {
        group: 'coordination.k8s.io',
        namespace: 'kube-system',
        name: 'kube-controller-manager',
      }),
    ],
  ])('%s', (_, allowed, who, attributes) => {
    install()
    expect(rbac.authorize({ ...attributes, user: who }).allowed).toBe(allowed)
  })

  test.each([
    ['view', 'list', true],
    ['view', 'create', false],
    ['edit', 'create', true],
  ])('who may %s may %s snapshots of claims: %s', (held, verb, allowed) => {
    install()
    const all = binding('theirs', `ClusterRole ${held}`, { kind: 'User', name: 'jane' }, 'web')
    client.put(rbacGroup, 'rolebindings', all)
    const asked = ask(verb, 'volumesnapshots', { group: 'snapshot.storage.k8s.io' })
    expect(rbac.authorize(asked).allowed).toBe(allowed)
  })

  test('admin holds what edit holds, and edit what view holds, as the aggregation would have it', () => {
    const roles = bootstrapObjects(client.lookup)
      .filter(({ resource }) => resource.plural === 'clusterroles')
      .map(({ object }) => object as unknown as Parameters<typeof aggregateRules>[0])
    for (const name of ['view', 'edit', 'admin']) {
      const one = roles.find(({ metadata }) => metadata?.name === name)
      if (!one) throw new Error(`no role ${name}`)
      expect(one.rules?.length, name).toBeGreaterThan(5)
      expect(one.rules).toEqual(aggregateRules(one, roles))
    }
  })

  test('what stands is left alone unless something is missing', () => {
    for (const { object, reconcile } of bootstrapObjects(client.lookup)) {
      expect(reconcile(structuredClone(object)), object.metadata.name).toBeUndefined()
    }
  })

  test('missing rules and subjects come back, additions stay, and a protected role is not touched', () => {
    const wanted = bootstrapObjects(client.lookup)
    const find = (plural: string, name: string) => {
      const found = wanted.find(({ resource, object }) => resource.plural === plural && object.metadata.name === name)
      if (!found) throw new Error(name)
      return {
        ...found,
        standing: structuredClone(found.object) as never as {
          metadata: { annotations: Record<string, string> }
          rules: PolicyRule[]
          subjects: object[]
        },
      }
    }
    const dns = find('clusterroles', 'system:kube-dns')
    dns.standing.rules = [pods('get')]
    expect(dns.reconcile(dns.standing as never)?.rules).toEqual([
      pods('get'),
      ...['endpoints', 'services'].flatMap((resource) =>
        ['list', 'watch'].map((verb) => ({ apiGroups: [''], resources: [resource], verbs: [verb] })),
      ),
    ])
    const scheduler = find('clusterrolebindings', 'system:kube-scheduler')
    scheduler.standing.subjects = [{ kind: 'User', name: 'mine' }]
    expect(scheduler.reconcile(scheduler.standing as never)?.subjects).toHaveLength(2)
    const own = find('clusterroles', 'system:kube-dns')
    own.standing.rules = []
    own.standing.metadata.annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
    expect(own.reconcile(own.standing as never)).toBeUndefined()
  })
})

describe('escalation', () => {
  const write = (plural: string, object: object, old?: object): AdmissionAttributes => ({
    operation: old ? 'UPDATE' : 'CREATE',
    resource: client.lookup(rbacGroup, plural),
    subresource: '',
    namespace: plural.startsWith('cluster') ? '' : 'web',
    name: 'x',
    object: object as never,
    ...(old ? { old: old as never } : {}),
    user: jane,
    dryRun: false,
    warn: () => {},
  })
  const hold = (...rules: PolicyRule[]) => {
    client.put(rbacGroup, 'clusterroles', role('held', rules))
    client.put(rbacGroup, 'clusterrolebindings', binding('held', 'ClusterRole held', { kind: 'User', name: 'jane' }))
  }
  const check = async (attributes: AdmissionAttributes) => {
    const plugin = createEscalationCheck(rbac, rbac)
    expect(plugin.handles(attributes)).toBe(true)
    await plugin.validate?.(attributes)
  }

  test('a role may grant what its writer holds and nothing more', async () => {
    hold(pods('get'))
    await check(write('roles', role('x', [pods('get')], 'web')))
    await expect(check(write('roles', role('x', [pods('get', 'delete')], 'web')))).rejects.toThrow(
      'roles.rbac.authorization.k8s.io "x" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
    )
  })

  test('the verb escalate allows any role', async () => {
    hold({ apiGroups: [rbacGroup], resources: ['roles'], verbs: ['escalate'] })
    await check(write('roles', role('x', [pods('delete')], 'web')))
  })

  test('a binding needs the rules of its role, or the verb bind', async () => {
    client.put(rbacGroup, 'clusterroles', role('deleter', [pods('delete')]))
    const object = binding('x', 'ClusterRole deleter', { kind: 'User', name: 'bob' }, 'web')
    await expect(check(write('rolebindings', object))).rejects.toMatchObject({ code: 403 })
    hold({ apiGroups: [rbacGroup], resources: ['clusterroles'], resourceNames: ['deleter'], verbs: ['bind'] })
    await check(write('rolebindings', object))
    await expect(
      check(write('rolebindings', binding('x', 'Role none', { kind: 'User', name: 'bob' }, 'web'))),
    ).rejects.toMatchObject({ code: 404, message: 'roles.rbac.authorization.k8s.io "none" not found' })
  })

  test('an aggregation needs everything; the garbage collector needs nothing', async () => {
    hold(pods('*'))
    const gathering = { ...role('x', []), aggregationRule: { clusterRoleSelectors: [{}] } }
    await expect(check(write('clusterroles', gathering))).rejects.toThrow(
      'must have cluster-admin privileges to use the aggregationRule',
    )
    const owned = { ...gathering, metadata: { name: 'x', ownerReferences: [{ uid: '1' }] } }
    await check(write('clusterroles', gathering, owned))
  })
})
