import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const path = '/api/v1/namespaces/default/configmaps/settings'
const edit = (...more: string[]) =>
  server.gantry(['edit', 'configmap/settings', ...more], { env: { KUBE_EDITOR: 'sed -i s/blue/green/' } })
const remembered = () =>
  server.objects.get(path)?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']

beforeEach(async () => {
  server = await serve()
  server.objects.set(path, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'blue' },
  })
})
afterEach(() => server.stop())

test('what is edited is remembered with --save-config, and only then', async () => {
  expect((await edit('--output-patch')).out).toBe('Patch: {"data":{"color":"green"}}\nconfigmap/settings edited\n')
  expect(remembered()).toBeUndefined()
  Object.assign(server.objects.get(path) ?? {}, { data: { color: 'blue' } })
  await edit('--save-config')
  expect(JSON.parse(remembered() ?? '')).toMatchObject({ data: { color: 'green' }, metadata: { annotations: {} } })
})

test('what is left as it was is not remembered', async () => {
  Object.assign(server.objects.get(path) ?? {}, { data: { color: 'red' } })
  expect((await edit('--save-config')).err).toBe('Edit cancelled, no changes made.\n')
  expect(remembered()).toBeUndefined()
})
