import { describe, expect, test } from 'vitest'
import { alwaysAllow, alwaysDeny, authorizerForModes, chainAuthorizers } from './authorizer.ts'
import { allowing, ask, user } from './testing/questions.ts'

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
