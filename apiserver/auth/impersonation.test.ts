import { describe, expect, test } from 'vitest'
import { alwaysAllow, alwaysDeny } from './authorizer.ts'
import { impersonate } from './impersonation.ts'
import { allowing, user } from './testing/questions.ts'

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
