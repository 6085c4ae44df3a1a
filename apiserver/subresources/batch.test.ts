import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ask, type RunningServer, runServer } from '../testing/running-server.ts'

const core = '/api/v1/namespaces/default'
let server: RunningServer
beforeAll(async () => {
  server = await runServer([], (directory) => {
    writeFileSync(join(directory, 'tokens.csv'), 'secret,alice,1\n')
    return [`--token-auth-file=${join(directory, 'tokens.csv')}`]
  })
})
afterAll(() => server.stop())

const batch = (items: unknown, ask?: Ask) => server.create('/apis/gantry.dev/v1/batches', { items } as object, ask)
const configMap = (name: string, more: object = {}) => ({
  path: `${core}/configmaps`,
  object: { metadata: { name }, ...more },
})

describe('a batch', () => {
  it('creates each by itself, and refuses each by itself', async () => {
    await server.create(`${core}/configmaps`, { metadata: { name: 'there' } })
    const { code, body } = await batch([
      configMap('one', { data: { a: 'b' } }),
      configMap('there'),
      configMap('No_Name'),
      { path: '/apis/apps/v1/namespaces/nowhere/deployments', object: { metadata: { name: 'x' } } },
      { path: `${core}/secrets`, object: { kind: 'ConfigMap', metadata: { name: 'x' } } },
      { path: '/no/kind', object: {} },
      { path: `${core}/configmaps/one`, object: {} },
      { path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', object: { spec: {} } },
      { object: {} },
      null,
    ])
    expect(code).toBe(200)
    expect(body.results.map((result: { code: number }) => result.code)).toEqual([
      201, 409, 422, 404, 400, 400, 400, 400, 400, 400,
    ])
    expect(body.results[0].metadata).toMatchObject({ name: 'one', namespace: 'default', uid: expect.any(String) })
    expect(body.results[1].status).toMatchObject({ kind: 'Status', reason: 'AlreadyExists' })
    expect((await server.get(`${core}/configmaps/one`)).body.data).toEqual({ a: 'b' })
  })

  it('binds pods', async () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] }
    await server.create(`${core}/pods`, { metadata: { name: 'web' }, spec })
    const binding = { metadata: { name: 'web' }, target: { kind: 'Node', name: 'n1' } }
    const item = { path: `${core}/pods/web/binding`, object: binding }
    const { body } = await batch([item, item])
    expect(body.results.map((result: { code: number }) => result.code).sort()).toEqual([201, 409])
    expect((await server.get(`${core}/pods/web`)).body.spec.nodeName).toBe('n1')
  })

  it('asks for the right to each', async () => {
    const alice = { as: server.nobody, headers: { authorization: 'Bearer secret' } }
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }]
    await server.create(`${rbac}/roles`, { metadata: { name: 'maker' }, rules })
    await server.create(`${rbac}/rolebindings`, {
      metadata: { name: 'maker' },
      subjects: [{ kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' }],
      roleRef: { kind: 'Role', name: 'maker', apiGroup: 'rbac.authorization.k8s.io' },
    })
    const { code, body } = await batch(
      [configMap('hers'), { path: `${core}/secrets`, object: { metadata: { name: 'not-hers' } } }],
      alice,
    )
    expect([code, body.results.map((result: { code: number }) => result.code)]).toEqual([200, [201, 403]])
    expect(body.results[1].status.message).toContain('User "alice" cannot create resource "secrets"')
    expect((await batch([configMap('x')], { as: server.nobody })).code).toBe(403)
  })

  it('is neither empty nor endless', async () => {
    expect((await batch([])).code).toBe(400)
    expect((await batch('all')).code).toBe(400)
    const many = Array.from({ length: 101 }, (_, i) => configMap(`m${i}`))
    expect([(await batch(many)).body.message]).toEqual(['items: Too many: 101: must have at most 100 items'])
  })
})
