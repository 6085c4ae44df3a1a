import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const files = (...names: string[]) =>
  names.map((name) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: {app: web}}\n`).join('---\n')
const diff = (...more: string[]) => server.gantry(['diff', '-f', server.file('now.yaml', files('kept')), ...more])
/** The files in which something differs. */
const removed = (out: string) => Array.from(out.matchAll(/^--- \S*\/(\S+)/gm), ([, name]) => name)

beforeEach(async () => {
  server = await serve()
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: hidden, labels: {app: web}}\ndata: {a: YQ==}\n'
  const all = `${files('kept', 'gone')}---\n${secret}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n`
  await server.gantry(['apply', '-f', server.file('before.yaml', all)])
  server.objects.set('/api/v1/namespaces/default/configmaps/strange', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'strange', namespace: 'default', uid: 'strange' },
  })
})
afterEach(() => server.stop())

test('what was applied before and is not now is shown as gone', async () => {
  expect(await diff()).toEqual({ code: 0, out: '', err: '' })
  const { code, out } = await diff('--prune')
  expect([code, removed(out)]).toEqual([1, ['v1.ConfigMap.default.gone', 'v1.Secret.default.hidden']])
  expect(out).toContain('-  name: gone\n')
  expect(out).toContain("-  a: '***'\n")
})

test('only of the kinds of the list, and with the labels', async () => {
  const of = async (...flags: string[]) => removed((await diff('--prune', ...flags)).out)
  expect(await of('--prune-allowlist=core/v1/ConfigMap')).toEqual(['v1.ConfigMap.default.gone'])
  expect(await of('--prune-allowlist=core/v1/Namespace')).toEqual(['v1.Namespace.shop'])
  expect(await of('-l', 'app=web')).toEqual(['v1.ConfigMap.default.gone', 'v1.Secret.default.hidden'])
  expect((await diff('--prune', '--prune-allowlist=ConfigMap')).err).toContain('invalid GroupVersionKind format')
})
