import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningServer } from '../../testing/running-server.ts'

const api = '/apis/gantry.dev/v1'
const as = (user: string) => ({ headers: { 'impersonate-user': user } })

interface Item {
  revision: string
  operation: string
  user?: string
  manager?: string
  changes: object[]
  object?: { data?: object }
}

/** What the API server tells of the past, whatever store is behind it. */
export function describeHistory(name: string, start: () => Promise<RunningServer>): void {
  describe(name, () => {
    let server: RunningServer
    beforeAll(async () => {
      server = await start()
      for (const namespace of ['past', 'other'])
        await server.create('/api/v1/namespaces', { metadata: { name: namespace } })
      for (const [user, role] of [
        ['viewer', 'view'],
        ['editor', 'edit'],
      ]) {
        await server.create('/apis/rbac.authorization.k8s.io/v1/namespaces/past/rolebindings', {
          metadata: { name: user },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
        })
      }
    }, 60_000)
    afterAll(() => server?.stop())

    const maps = '/api/v1/namespaces/past/configmaps'
    const made = async (map: string, data: object) =>
      (await server.create(maps, { metadata: { name: map }, data })).body.metadata.resourceVersion as string
    const set = async (map: string, data: object, query = '', user = 'kubernetes-admin') =>
      (await server.patch(`${maps}/${map}${query}`, { data }, user === 'kubernetes-admin' ? {} : as(user))).body
        .metadata.resourceVersion as string
    const histories = async (query: string, ask = {}) =>
      server.get(`${api}/namespaces/past/histories?resource=configmaps&${query}`, ask)

    test('every version of an object, who wrote it and what changed', async () => {
      const first = await made('web', { a: '1' })
      const second = await set('web', { a: '2', b: '1' }, '?fieldManager=tests', 'editor')
      await server.remove(`${maps}/web`)
      const again = await made('web', { a: '3' })
      const { code, body } = await histories('name=web')
      expect(code).toBe(200)
      expect(body).toMatchObject({ kind: 'History', apiVersion: 'gantry.dev/v1', more: false })
      const items = body.items as Item[]
      expect(items.map(({ revision, operation }) => [revision, operation])).toEqual([
        [again, 'created'],
        [expect.any(String), 'deleted'],
        [second, 'updated'],
        [first, 'created'],
      ])
      expect(items[2]).toMatchObject({ user: 'editor', manager: 'tests', object: { data: { a: '2', b: '1' } } })
      expect(items[2]?.changes).toEqual([
        { path: 'data.a', from: '1', to: '2' },
        { path: 'data.b', to: '1' },
      ])
      expect(items[1]).toMatchObject({ user: 'kubernetes-admin', changes: [] })
      expect(items[1]?.object).toBeUndefined()
      const page = await histories(`name=web&limit=1&before=${again}&values=false`)
      expect(page.body).toMatchObject({ more: true, items: [{ operation: 'deleted' }] })
      const rest = await histories(`name=web&limit=1&before=${page.body.items[0].revision}&values=false`)
      // The older one is not shown, and yet what changed since is known.
      expect(rest.body.items[0]).toMatchObject({ revision: second, changes: [{ path: 'data.a' }, { path: 'data.b' }] })
      expect(rest.body.items[0].object).toBeUndefined()
    })

    test('objects as they were, by revision and by time, in any form', async () => {
      const first = await made('then', { a: '1' })
      await new Promise((resolve) => setTimeout(resolve, 1100))
      await set('then', { a: '2' })
      const past = (query: string, headers = {}) =>
        server.get(`${api}/namespaces/past/pastobjects?resource=configmaps&${query}`, { headers })
      const one = await past(`name=then&at=${first}`)
      expect(one.body).toMatchObject({ kind: 'ConfigMap', data: { a: '1' }, metadata: { resourceVersion: first } })
      expect((await past('name=then&at=1s')).body.data).toEqual({ a: '1' })
      expect((await past('name=then&at=0s')).body.data).toEqual({ a: '2' })
      expect((await past(`name=then&at=${Number(first) - 1}`)).code).toBe(404)
      const list = await past(`at=${first}&fieldSelector=metadata.name=then`)
      expect(list.body).toMatchObject({ kind: 'ConfigMapList', metadata: { resourceVersion: first } })
      expect(list.body.items).toHaveLength(1)
      const table = await past(`at=${first}`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
      expect(table.body.kind).toBe('Table')
      expect(table.body.rows.map(({ cells }: { cells: string[] }) => cells[0])).toContain('then')
    })

    test('how far it reaches, and what a point of it means', async () => {
      const { body } = await server.get(`${api}/moments?at=0s`)
      expect(body.kind).toBe('MomentList')
      expect(Number(body.oldest.revision)).toBeLessThanOrEqual(Number(body.items[0].revision))
      expect(body.items[0].revision).toBe(body.newest.revision)
      expect(Date.parse(body.newest.time)).toBeGreaterThan(Date.now() - 60_000)
    })

    test('what was written from one moment to another, by whom', async () => {
      const before = await made('stream', { a: '1' })
      const changed = await set('stream', { a: '2' }, '', 'editor')
      await server.remove(`${maps}/stream`)
      const end = await made('stream-end', {})
      const changes = async (query: string, path = `${api}/namespaces/past/changes`) => {
        const { text } = await server.get(`${path}?from=${before}&to=${end}&${query}`)
        return text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      }
      const lines = await changes('resource=configmaps')
      expect(lines.map(({ type, object }) => [type, object?.metadata.name])).toEqual([
        ['MODIFIED', 'stream'],
        ['DELETED', 'stream'],
        ['ADDED', 'stream-end'],
        ['END', undefined],
      ])
      expect(lines[0]).toMatchObject({
        revision: changed,
        user: 'editor',
        resource: 'configmaps',
        object: { data: { a: '2' } },
      })
      expect(lines[1].object.data).toEqual({ a: '2' })
      const initial = await changes('initial=true&objects=false', `${api}/changes`)
      const told = initial.filter(({ object }) => object?.metadata.name === 'stream')
      expect(told.map(({ type }) => type)).toEqual(['INITIAL', 'MODIFIED', 'DELETED'])
      expect(told[0].object).not.toHaveProperty('data')
      expect(initial.some(({ resource }) => resource === 'clusterroles.rbac.authorization.k8s.io')).toBe(true)
    })

    test('to those who may read the objects now, and nobody else', async () => {
      await made('guarded', {})
      await server.create('/api/v1/namespaces/past/secrets', { metadata: { name: 'key' }, stringData: { a: 'hidden' } })
      const secret = `${api}/namespaces/past/histories?resource=secrets&name=key`
      expect((await histories('name=guarded', as('stranger'))).code).toBe(403)
      expect((await histories('name=guarded', as('viewer'))).code).toBe(200)
      expect((await server.get(secret, as('viewer'))).body).toMatchObject({ code: 403, details: { kind: 'secrets' } })
      expect((await server.get(secret, as('editor'))).code).toBe(200)
      const past = `${api}/namespaces/past/pastobjects?resource=secrets&at=0s`
      expect((await server.get(past, as('viewer'))).code).toBe(403)
      const changes = (user: string) => server.get(`${api}/namespaces/past/changes?from=10m`, as(user))
      expect((await changes('viewer')).text).not.toContain('"resource":"secrets"')
      expect((await changes('editor')).text).toContain('"resource":"secrets"')
      expect((await server.get(`${api}/namespaces/other/changes?from=10m`, as('viewer'))).code).toBe(403)
      expect((await server.get(`${api}/changes?from=10m`, as('viewer'))).code).toBe(403)
    })

    test('to those who were given a namespace, not what was in an earlier one of its name', async () => {
      const before = await made('older', {})
      const { body: namespace } = await server.get('/api/v1/namespaces/past')
      const visible = `${api}/namespaces/past/pastobjects?resource=configmaps&at=`
      expect((await server.get(`${visible}${before}`, as('viewer'))).code).toBe(200)
      const early = Number(namespace.metadata.resourceVersion) - 1
      const refused = await server.get(`${visible}${early}`, as('viewer'))
      expect(refused.body).toMatchObject({ code: 403, message: expect.stringContaining('was made at revision') })
      expect((await server.get(`${visible}${early}`)).code).toBe(200)
    })

    test('in words that say what is wrong with a question', async () => {
      for (const [query, words] of [
        ['resource=configmaps', 'name: Required value'],
        ['name=web', 'resource: Required value'],
        ['resource=wheels&name=web', 'no such kind is stored here'],
        ['resource=nodes&name=web', 'is not in a namespace'],
      ]) {
        const { code, body } = await server.get(`${api}/namespaces/past/histories?${query}`)
        expect([code, body.message]).toEqual([400, expect.stringContaining(words as string)])
      }
      for (const kind of ['histories', 'pastobjects', 'changes']) {
        const bare = await server.get(`${api}/${kind}`)
        expect([bare.code, bare.body.items]).toEqual([200, []])
        expect(bare.headers.warning).toContain('say of what, such as ?')
      }
      const at = (text: string) => server.get(`${api}/namespaces/past/pastobjects?resource=configmaps&at=${text}`)
      expect((await at('yesterday')).body.message).toContain('must be a revision, a time ago such as 10m')
      expect((await at('999999999')).body.message).toContain('has not been reached')
    })

    test('as far back as it is kept, and says where it begins', async () => {
      const first = await made('compacted', { a: '1' })
      const second = await set('compacted', { a: '2' })
      await set('compacted', { a: '3' })
      await server.store.compact(Number(second))
      const past = await server.get(`${api}/namespaces/past/pastobjects?resource=configmaps&at=${first}`)
      expect(past.body).toMatchObject({ code: 410, reason: 'Expired' })
      expect(past.body.message).toContain(`begins with revision ${second}`)
      const { body } = await histories('name=compacted')
      expect(body.items.map(({ object }: Item) => object?.data)).toEqual([{ a: '3' }, { a: '2' }])
    })
  })
}
