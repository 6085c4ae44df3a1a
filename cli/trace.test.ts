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

const patch = ['patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"a":"b"}}']

test('nothing is told of requests before somebody wants to know', async () => {
  expect((await server.gantry('get configmap settings -o name')).err).toBe('')
  expect((await server.gantry('get configmap settings -o name -v 5')).err).toBe('')
})

test('each request is told when it is answered, and not where others read', async () => {
  const { out, err } = await server.gantry('get configmap settings -o name -v=6')
  expect(out).toBe('configmap/settings\n')
  expect(err).toMatch(new RegExp(`^GET ${server.url}${path} 200 OK in \\d+ ms\n$`, 'm'))
  const missing = await server.gantry('get configmap none -v 6')
  expect(missing.err).toMatch(/configmaps\/none\S* 404 Not Found in /)
})

test('headers are shown, but for who one is', async () => {
  const { err } = await server.gantry([...patch, '-v7', '--token=secret'])
  expect(err).toContain('> accept: application/json')
  expect(err).toContain('< date: ')
  expect(err).toContain('> authorization: <masked>')
  expect(err).not.toContain('secret')
  expect(err).not.toContain('{"data"')
})

test('what is sent is shown', async () => {
  expect((await server.gantry([...patch, '--v=8'])).err).toContain('{"data":{"a":"b"}}\n')
})

test('a server that does not answer is told with why', async () => {
  const { err } = await server.gantry('get pods -v=6 --server=http://127.0.0.1:1')
  expect(err).toContain('GET http://127.0.0.1:1/')
  expect(err).toContain('ECONNREFUSED')
})

test('what is no number is refused', async () => {
  const { code, err } = await server.gantry('get pods -v=loud')
  expect([code, err]).toEqual([
    1,
    'error: invalid argument "loud" for "-v": write a number: 6 shows requests, 7 headers, 8 bodies\n',
  ])
})
