import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const path = '/api/v1/namespaces/default/configmaps/settings'
const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
const remembered = () => server.objects.get(path)?.metadata.annotations?.[annotation]
const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: blue}\n'

/** An object that remembers `text`, whatever it is. */
const keep = (text?: string) =>
  server.objects.set(path, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default', ...(text ? { annotations: { [annotation]: text } } : {}) },
    data: { color: 'red' },
  })

beforeEach(async () => {
  server = await serve()
})
afterEach(() => server.stop())

test('what was asked for the last time is shown, and not what is there', async () => {
  await server.gantry(['apply', '-f', server.file('a.yaml', manifest)])
  Object.assign(server.objects.get(path) ?? {}, { data: { color: 'red' } })
  expect(await server.gantry('apply view-last-applied configmap settings')).toEqual({
    code: 0,
    err: '',
    out: `apiVersion: v1
data:
  color: blue
kind: ConfigMap
metadata:
  annotations: {}
  name: settings
  namespace: default
`,
  })
  const { out } = await server.gantry('apply view-last-applied cm/settings -o json')
  expect(out).toMatch(/^{\n {2}"apiVersion": "v1",\n[\s\S]*}\n$/)
  expect((await server.gantry('apply view-last-applied cm/settings -o name')).err).toContain('must be one of yaml|json')
})

test('what remembers nothing has nothing to be shown or edited', async () => {
  keep()
  const { code, err } = await server.gantry('apply view-last-applied cm/settings')
  expect([code, err]).toEqual([1, expect.stringContaining('no last-applied-configuration annotation found')])
  expect((await server.gantry('apply edit-last-applied cm/settings')).err).toContain('no last-applied-configuration')
})

test('a file is taken for what was asked for, and nothing else is changed', async () => {
  keep()
  const file = server.file('a.yaml', manifest)
  const refused = await server.gantry(['apply', 'set-last-applied', '-f', file])
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('run the command with --create-annotation')])
  const words = ['apply', 'set-last-applied', '-f', file, '--create-annotation']
  expect((await server.gantry([...words, '--dry-run=server'])).out).toBe(
    'configmap/settings configured (server dry run)\n',
  )
  expect(remembered()).toBeUndefined()
  expect((await server.gantry(words)).out).toBe('configmap/settings configured\n')
  expect(JSON.parse(remembered() ?? '').data).toEqual({ color: 'blue' })
  expect(server.objects.get(path)).toHaveProperty('data', { color: 'red' })
  expect((await server.gantry(words)).out).toBe('set-last-applied settings: no changes required.\n')
})

test('what was asked for is edited, and the object stays as it is', async () => {
  keep(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { color: 'blue' } }))
  const editor = (script: string) =>
    server.gantry('apply edit-last-applied configmap/settings', { env: { KUBE_EDITOR: `sed -i ${script}` } })
  expect((await editor('s/blue/green/')).out).toBe('configmap/settings edited\n')
  expect(JSON.parse(remembered() ?? '').data).toEqual({ color: 'green' })
  expect(server.objects.get(path)).toHaveProperty('data', { color: 'red' })
  expect(server.asked.at(-1)?.query.fieldManager).toBe('kubectl-client-side-apply')
  expect((await editor('s/blue/red/')).err).toBe('Edit cancelled, no changes made.\n')
  expect(await editor('d')).toMatchObject({ code: 1, err: 'error: Edit cancelled, saved file was empty.\n' })
})

test('apply alone still applies, and names what is below it', async () => {
  expect((await server.gantry('apply')).err).toBe('error: must specify one of -f and -k\n')
  expect((await server.gantry('apply --help')).out).toContain('view-last-applied')
  expect((await server.gantry('apply view-last-aplied')).err).toContain('Did you mean')
})
