import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { createAuthenticator } from './authenticator.ts'
import { alwaysDeny } from './authorizer.ts'
import { createReviews } from './reviews.ts'
import { allowing, user } from './testing/questions.ts'
import { createTokenFileAuthenticator } from './tokens/token-file.ts'

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

  describe('of a list that a selector narrows', () => {
    const ofNode = createReviews({
      authorizer: {
        ...alwaysDeny,
        authorize: ({ fieldSelector }) => ({ allowed: fieldSelector === 'spec.nodeName=n1', reason: '' }),
      },
      authenticator: createAuthenticator({ tokens: [], apiAudiences: [], anonymous: true }),
      apiAudiences: [],
    })
    const may = async (fieldSelector: object) => {
      const spec = { user: 'bob', resourceAttributes: { verb: 'list', resource: 'pods', fieldSelector } }
      const review = { metadata: {}, spec } as unknown as AnyObject
      const context = { user: user('jane'), namespace: '', nowMs: 0 }
      return (await ofNode.get('authorization.k8s.io/subjectaccessreviews')?.(review, context))?.status
    }
    const own = { key: 'spec.nodeName', operator: 'In', values: ['n1'] }
    const path = 'spec.resourceAttributes.fieldSelector'

    test('ask for what it selects', async () => {
      expect(await may({ requirements: [own] })).toEqual({ allowed: true })
      expect(await may({ rawSelector: 'spec.nodeName=n1' })).toEqual({ allowed: true })
      expect(await may({ requirements: [{ ...own, operator: 'NotIn' }] })).toEqual({ allowed: false })
      expect(await may({ requirements: [{ ...own, values: ['n1,a=b'] }] })).toEqual({ allowed: false })
    })

    test('leave out what no authorizer understands, and say so', async () => {
      const some = { key: 'spec.nodeName', operator: 'Exists' }
      expect(await may({ requirements: [own, some] })).toEqual({
        allowed: true,
        evaluationError: `${path} partially ignored due to parse error`,
      })
      const ignored = { allowed: false, evaluationError: `${path} ignored due to parse error` }
      expect(await may({ requirements: [some] })).toEqual(ignored)
      expect(await may({ rawSelector: 'spec.nodeName' })).toEqual(ignored)
    })

    test('refuse one that is empty, said twice or without values', async () => {
      await expect(may({})).rejects.toThrow(`${path}.requirements: Required value: when ${path} is specified`)
      await expect(may({ rawSelector: 'a=b', requirements: [own] })).rejects.toThrow(
        `${path}.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
      )
      await expect(may({ requirements: [{ ...own, values: [] }] })).rejects.toThrow(
        `${path}.requirements[0].values: Required value: must be specified`,
      )
    })
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
