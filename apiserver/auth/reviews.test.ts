import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { createAuthenticator } from './authenticator.ts'
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
