import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { StatusError } from '../api/machinery/errors.ts'
import { Client } from '../client/client.ts'
import { serviceAccounts } from '../client/resources.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import { accountsOf, tokenOf } from './accounts.ts'
import { controllers } from './manager.ts'

const manager = new Client({ server: 'https://127.0.0.1:1', token: 'manager' })
const entryOf = (name: string) => {
  const entry = controllers.find((candidate) => candidate.name === name)
  if (!entry) throw new Error(`there is no ${name}`)
  return entry
}

describe('what a controller is known by', () => {
  test('is the manager, unless each has an account', () => {
    const accounts = accountsOf(manager, false)
    for (const entry of controllers) expect(accounts.of(entry)).toBe(manager)
  })

  test('is an account that controllers may share, or the manager where there is none', () => {
    const accounts = accountsOf(manager, true)
    const of = (name: string) => accounts.of(entryOf(name)) as Client
    expect(of('serviceaccount-token-controller')).toBe(manager)
    expect(of('node-ipam-controller')).toBe(of('node-lifecycle-controller'))
    expect(of('deployment-controller')).not.toBe(of('replicaset-controller'))
    const { token, userAgent, login } = of('deployment-controller').config
    expect([token, userAgent, login]).toEqual([
      undefined,
      expect.stringMatching(/\/deployment-controller$/),
      expect.any(Function),
    ])
  })

  test('has a role of its own in the policy that every server starts with', () => {
    const policy = ['controllers', 'users']
      .map((name) => readFileSync(new URL(`../apiserver/auth/rbac/policy-${name}.ts`, import.meta.url), 'utf8'))
      .join('')
    const missing = controllers
      .map(({ name, account = name }) => account)
      .filter((account) => account !== '' && !new RegExp(`['/:]?\\b${account}'`).test(policy))
    expect(missing).toEqual([])
  })
})

describe('the token of an account', () => {
  const answering = (token = 'secret') => {
    const api = new MemoryApi()
    api.posts.set('serviceaccounts/token', ({ namespace, name }) => {
      if (!api.objects(serviceAccounts).some(({ metadata }) => metadata.name === name))
        throw new StatusError(404, 'NotFound', `serviceaccounts "${name}" not found`)
      return { status: { token: `${token} of ${namespace}/${name}`, expirationTimestamp: '2026-01-01T01:00:00Z' } }
    })
    return api
  }
  const now = () => Date.parse('2026-01-01T00:00:00Z')

  test('is asked for, and used for four fifths of its life', async () => {
    const api = answering()
    await api.create(serviceAccounts, { metadata: { namespace: 'kube-system', name: 'job-controller' } })
    expect(await tokenOf(api, 'job-controller', now)).toEqual({
      token: 'secret of kube-system/job-controller',
      expiresAt: now() + 48 * 60_000,
    })
  })

  test('is given when the account had to be made first', async () => {
    const api = answering()
    expect((await tokenOf(api, 'job-controller', now)).token).toBe('secret of kube-system/job-controller')
    expect(api.objects(serviceAccounts).map(({ metadata }) => metadata.name)).toEqual(['job-controller'])
  })

  test('is missed where the server gives none', async () => {
    const api = answering()
    api.posts.set('serviceaccounts/token', () => ({}))
    await expect(tokenOf(api, 'job-controller', now)).rejects.toThrow('gave no token to the service account')
  })
})
