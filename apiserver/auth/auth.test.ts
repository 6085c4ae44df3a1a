import { beforeEach, describe, expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { createAuthenticator } from './authenticator.ts'
import { alwaysAllow, alwaysDeny, authorizerForModes, chainAuthorizers } from './authorizer.ts'
import { impersonate } from './impersonation.ts'
import { Lru } from './lru.ts'
import { createNodeAuthorizer } from './node/node-authorizer.ts'
import { NodeGraph } from './node/node-graph.ts'
import { createReviews } from './reviews.ts'
import { MemoryClient } from './testing/memory-client.ts'
import { createTokenFileAuthenticator } from './tokens/token-file.ts'
import type { AuthorizationAttributes, Authorizer, UserInfo } from './types.ts'

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups })
const ask = (verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => {
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
const allowing = (...allowed: string[]): Authorizer => ({
  ...alwaysDeny,
  authorize: ({ verb, resource, subresource, name }) => ({
    allowed: allowed.includes(`${verb} ${resource}${subresource === '' ? '' : `/${subresource}`} ${name}`),
    reason: 'because',
  }),
})

describe('modes', () => {
  test('the first that allows decides; masters are always allowed', async () => {
    const chain = chainAuthorizers([
      allowing('get pods a'),
      { ...alwaysDeny, authorize: async () => ({ allowed: false, reason: 'late' }) },
    ])
    expect(await chain.authorize(ask('get', 'pods', { name: 'a' }))).toEqual({ allowed: true, reason: 'because' })
    expect(await chain.authorize(ask('get', 'pods', { name: 'b' }))).toEqual({
      allowed: false,
      reason: 'because\nlate',
    })
    expect(chain.authorize(ask('x', 'y', { user: user('root', 'system:masters') }))).toMatchObject({ allowed: true })
  })

  test('are named as upstream names them', () => {
    const makers = { node: () => alwaysDeny, rbac: () => alwaysAllow }
    expect(authorizerForModes(['Node', 'RBAC'], makers).authorize(ask('get', 'pods'))).toMatchObject({ allowed: true })
    expect(authorizerForModes(['AlwaysDeny'], makers).authorize(ask('get', 'pods'))).toEqual({
      allowed: false,
      reason: 'Everything is forbidden.',
    })
    expect(() => authorizerForModes(['Magic'], makers)).toThrow('"Magic"')
  })
})

describe('impersonation', () => {
  const jane = user('jane', 'dev')
  test('without headers one is oneself', async () => {
    expect(await impersonate(jane, { accept: '*/*' }, alwaysDeny)).toBe(jane)
  })

  test('every part asked for needs the verb impersonate', async () => {
    const headers = {
      'impersonate-user': 'bob',
      'impersonate-group': 'ops, net',
      'impersonate-extra-acme.io%2fscope': 'all',
      'impersonate-uid': '7',
    }
    const all = ['users bob', 'groups ops', 'groups net', 'userextras/acme.io/scope all', 'uids 7'].map(
      (part) => `impersonate ${part}`,
    )
    expect(await impersonate(jane, { ...headers }, allowing(...all))).toEqual({
      name: 'bob',
      uid: '7',
      groups: ['ops', 'net', 'system:authenticated'],
      extra: { 'acme.io/scope': ['all'] },
    })
    for (const missing of all) {
      await expect(
        impersonate(jane, { ...headers }, allowing(...all.filter((part) => part !== missing))),
      ).rejects.toMatchObject({ code: 403 })
    }
    await expect(impersonate(jane, { 'impersonate-user': 'bob' }, alwaysDeny)).rejects.toThrow(
      'users "bob" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope: Everything is forbidden.',
    )
  })

  test('the headers are gone afterwards', async () => {
    const headers: Record<string, string> = { 'impersonate-user': 'bob', accept: '*/*' }
    await impersonate(jane, headers, alwaysAllow)
    expect(headers).toEqual({ accept: '*/*' })
  })

  test.each<[string, string[]]>([
    ['system:serviceaccount:web:app', ['system:serviceaccounts', 'system:serviceaccounts:web', 'system:authenticated']],
    ['system:anonymous', ['system:unauthenticated']],
    ['bob', ['system:authenticated']],
  ])('%s belongs where it always does', async (name, groups) => {
    expect((await impersonate(jane, { 'impersonate-user': name }, alwaysAllow)).groups).toEqual(groups)
  })

  test('groups without a user make no sense', async () => {
    await expect(impersonate(jane, { 'impersonate-group': 'ops' }, alwaysAllow)).rejects.toMatchObject({ code: 400 })
  })
})

describe('node authorizer', () => {
  let client: MemoryClient
  let nodes: Authorizer
  beforeEach(() => {
    client = new MemoryClient()
    nodes = createNodeAuthorizer(new NodeGraph(client, client.lookup))
    client.put('', 'pods', {
      metadata: { name: 'p', namespace: 'web', uid: '1' },
      spec: {
        nodeName: 'n1',
        serviceAccountName: 'app',
        imagePullSecrets: [{ name: 'pull' }],
        containers: [{ name: 'c', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'a' } } }] }],
        volumes: [
          { name: 'v', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'e', ephemeral: {} },
          { name: 'k', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } },
        ],
      },
    })
    client.put('', 'persistentvolumes', {
      metadata: { name: 'pv' },
      spec: {
        claimRef: { namespace: 'web', name: 'claim' },
        csi: {
          nodeStageSecretRef: { name: 'stage', namespace: 'csi' },
          controllerPublishSecretRef: { name: 'ctl', namespace: 'csi' },
        },
      },
    })
    client.put('storage.k8s.io', 'volumeattachments', { metadata: { name: 'va' }, spec: { nodeName: 'n1' } })
  })
  const by = (node: string, question: AuthorizationAttributes) =>
    nodes.authorize({ ...question, user: user(`system:node:${node}`, 'system:nodes') })

  test.each<[boolean, string, string, Partial<AuthorizationAttributes>?]>([
    [true, 'get', 'secrets', { name: 'pull' }],
    [true, 'watch', 'secrets', { name: 'env' }],
    [true, 'get', 'secrets', { name: 'stage', namespace: 'csi' }],
    [false, 'get', 'secrets', { name: 'ctl', namespace: 'csi' }],
    [false, 'get', 'secrets', { name: 'other' }],
    [false, 'list', 'secrets'],
    [false, 'update', 'secrets', { name: 'pull' }],
    [true, 'get', 'configmaps', { name: 'kube-root-ca.crt' }],
    [true, 'get', 'persistentvolumeclaims', { name: 'claim' }],
    [true, 'get', 'persistentvolumeclaims', { name: 'p-e' }],
    [true, 'patch', 'persistentvolumeclaims/status', { name: 'claim' }],
    [true, 'get', 'persistentvolumes', { name: 'pv', namespace: '' }],
    [true, 'get', 'volumeattachments', { group: 'storage.k8s.io', name: 'va', namespace: '' }],
    [true, 'create', 'serviceaccounts/token', { name: 'app' }],
    [false, 'create', 'serviceaccounts/token', { name: 'admin' }],
    [true, 'get', 'pods', { name: 'p' }],
    [true, 'list', 'pods', { namespace: '', fieldSelector: 'spec.nodeName=n1' }],
    [false, 'list', 'pods', { namespace: '', fieldSelector: 'spec.nodeName=n2' }],
    [false, 'list', 'pods', { namespace: '' }],
    [true, 'patch', 'pods/status', { name: 'p' }],
    [true, 'get', 'nodes', { name: 'n1', namespace: '' }],
    [false, 'get', 'nodes', { name: 'n2', namespace: '' }],
    [true, 'patch', 'nodes/status', { name: 'n1', namespace: '' }],
    [true, 'update', 'leases', { group: 'coordination.k8s.io', name: 'n1', namespace: 'kube-node-lease' }],
    [false, 'update', 'leases', { group: 'coordination.k8s.io', name: 'n1', namespace: 'kube-system' }],
    [true, 'list', 'services', { namespace: '' }],
    [false, 'list', 'deployments', { group: 'apps', namespace: '' }],
  ])('%s: %s %s %j', async (allowed, verb, resource, more) => {
    expect((await by('n1', ask(verb, resource, more))).allowed).toBe(allowed)
  })

  test('another node gets nothing, nor does this one once the pod is gone', async () => {
    const secret = ask('get', 'secrets', { name: 'pull' })
    expect(await by('n2', secret)).toEqual({
      allowed: false,
      reason: "no relationship found between node 'n2' and this object",
    })
    client.remove('', 'pods', 'web', 'p')
    expect((await by('n1', secret)).allowed).toBe(false)
    expect((await by('n1', ask('get', 'secrets', { name: 'stage', namespace: 'csi' }))).allowed).toBe(false)
  })

  test('a mirror pod opens nothing', async () => {
    client.put('', 'pods', {
      metadata: { name: 'm', namespace: 'web', uid: '2', annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { nodeName: 'n2', imagePullSecrets: [{ name: 'pull' }], containers: [] },
    })
    expect((await by('n2', ask('get', 'secrets', { name: 'pull' }))).allowed).toBe(false)
  })

  test('who is no node is no business of it', async () => {
    expect(await nodes.authorize({ ...ask('get', 'nodes', { name: 'n1' }), user: user('system:node:n1') })).toEqual({
      allowed: false,
      reason: '',
    })
  })
})

describe('reviews', () => {
  const reviews = createReviews({
    authorizer: allowing('get pods a'),
    authenticator: createAuthenticator({
      tokens: [createTokenFileAuthenticator('t,jane,1,dev', 'f')],
      apiAudiences: ['api'],
      anonymous: true,
    }),
    apiAudiences: ['api'],
  })
  const review = (name: string, object: object, namespace = '') => {
    const handler = reviews.get(name)
    if (!handler) throw new Error(name)
    return handler({ metadata: {}, ...object } as AnyObject, {
      user: { ...user('jane', 'dev'), uid: '1' },
      namespace,
      nowMs: 0,
    })
  }
  const resourceAttributes = { verb: 'get', resource: 'pods', name: 'a', namespace: 'web' }

  test('tell whether one may', async () => {
    const self = 'authorization.k8s.io/selfsubjectaccessreviews'
    expect((await review(self, { spec: { resourceAttributes } })).status).toEqual({ allowed: true, reason: 'because' })
    expect((await review(self, { spec: { resourceAttributes: { ...resourceAttributes, name: 'b' } } })).status).toEqual(
      { allowed: false, reason: 'because' },
    )
    await expect(review(self, { spec: {} })).rejects.toThrow(
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    )
  })

  test('tell whether another may', async () => {
    const subject = 'authorization.k8s.io/subjectaccessreviews'
    expect((await review(subject, { spec: { user: 'bob', resourceAttributes } })).status).toMatchObject({
      allowed: true,
    })
    await expect(review(subject, { spec: { resourceAttributes } })).rejects.toThrow(
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    )
    await expect(
      review(
        'authorization.k8s.io/localsubjectaccessreviews',
        { metadata: { namespace: 'db' }, spec: { user: 'bob', resourceAttributes } },
        'db',
      ),
    ).rejects.toThrow('must match metadata.namespace')
  })

  test('tell who one is, and whose a token is', async () => {
    expect((await review('authentication.k8s.io/selfsubjectreviews', {})).status).toEqual({
      userInfo: { username: 'jane', uid: '1', groups: ['dev'] },
    })
    const tokens = 'authentication.k8s.io/tokenreviews'
    expect((await review(tokens, { spec: { token: 't' } })).status).toEqual({
      authenticated: true,
      user: { username: 'jane', uid: '1', groups: ['dev', 'system:authenticated'] },
      audiences: ['api'],
    })
    expect((await review(tokens, { spec: { token: 'x' } })).status).toEqual({ user: {}, error: 'invalid bearer token' })
    await expect(review(tokens, { spec: {} })).rejects.toMatchObject({ code: 400 })
  })

  test('list what one may do', async () => {
    expect(
      (await review('authorization.k8s.io/selfsubjectrulesreviews', { spec: { namespace: 'web' } })).status,
    ).toEqual({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: false,
    })
  })
})

test('an LRU forgets what was used longest ago', () => {
  const lru = new Lru<number, string>(2)
  lru.set(1, 'a')
  lru.set(2, 'b')
  lru.get(1)
  lru.set(3, 'c')
  expect([lru.get(1), lru.get(2), lru.get(3), lru.size]).toEqual(['a', undefined, 'c', 2])
})
