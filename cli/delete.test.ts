import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Serving, serve } from './testing/serving.ts'

let server: Serving
const path = '/api/v1/namespaces/default/configmaps/settings'

beforeEach(async () => {
  server = await serve()
  server.objects.set(path, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
  })
})
afterEach(() => server.stop())

const question =
  'You are about to delete the following 1 resource(s):\nconfigmap/settings\nDo you want to continue? (y/N): '

test.each(['n\n', 'yes\n', 'y y\n', '\n', ''])('nothing goes before it is agreed to: %j', async (input) => {
  const { code, out } = await server.gantry('delete configmap settings -i', { input })
  expect([code, out]).toEqual([0, `${question}deletion is cancelled\n`])
  expect(server.objects.has(path)).toBe(true)
})

test.each(['y\n', 'Y', ' y \n'])('what is agreed to goes: %j', async (input) => {
  const { code, out } = await server.gantry('delete configmap settings -i', { input })
  expect([code, out]).toEqual([0, `${question}configmap "settings" deleted from default namespace\n`])
  expect(server.objects.has(path)).toBe(false)
})

test('there is nothing to agree to where nothing is meant, and in a raw request', async () => {
  expect((await server.gantry('delete secrets --all -i')).out).toBe('No resources found\n')
  expect((await server.gantry(['delete', '--raw', path, '-i'])).err).toBe(
    'error: --interactive can not be used with --raw\n',
  )
})

test('what a finalizer keeps is told when the time is up, with how to let it go', async () => {
  const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default', uid: 'u' } }
  const deletionTimestamp = '2026-01-01T00:00:00Z'
  const held = { ...kept, metadata: { ...kept.metadata, finalizers: ['example.com/hold'], deletionTimestamp } }
  server.answers.set(path, () => JSON.stringify(held))
  const { code, err } = await server.gantry('delete configmap settings --timeout=50ms')
  expect(code).toBe(1)
  expect(err).toContain(
    'error: timed out waiting for the condition on configmaps/settings\nIt is kept by the finalizer',
  )
  expect(err).toContain('example.com/hold: whoever set it should take it away')
  expect(err).toContain(`gantry patch configmap settings -n default --type=merge -p '{"metadata":{"finalizers":null}}'`)
})

test('what is kept says so in its description', async () => {
  const metadata = { name: 'settings', namespace: 'default', deletionTimestamp: '2026-01-01T00:00:00Z' }
  const keep = (finalizers: string[]) =>
    server.objects.set(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, finalizers } })
  const described = async () => (await server.gantry('describe configmap settings')).out
  keep(['example.com/hold', 'example.com/other'])
  expect(await described()).toContain('Hint: it is kept by the finalizers example.com/hold, example.com/other: whoever')
  keep(['foregroundDeletion'])
  expect(await described()).toContain('Hint: it goes once all that it owns has gone: `gantry tree configmap settings')
  keep([])
  expect(await described()).not.toContain('Hint')
})
