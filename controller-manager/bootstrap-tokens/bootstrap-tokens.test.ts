import { compactVerify } from 'jose'
import { afterEach, expect, test } from 'vitest'
import type { ConfigMap, Secret } from '../../api/generated/types.ts'
import { configMaps, secrets } from '../../client/resources.ts'
import { at } from '../testing/build.ts'
import { type Running, run } from '../testing/run.ts'
import { newTokenCleanerController } from './cleaner.ts'
import { newBootstrapSignerController } from './signer.ts'
import { detachedSignature } from './tokens.ts'

let running: Running
afterEach(() => running?.stop())

const token = (id: string, data: Record<string, string> = {}) =>
  running.api.create<Secret>(secrets, {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(
      Object.entries({ 'token-id': id, 'token-secret': 'secret', 'usage-bootstrap-signing': 'true', ...data }).map(
        ([key, value]) => [key, Buffer.from(value).toString('base64')],
      ),
    ),
  })
const left = () => running.api.objects<Secret>(secrets).map(({ metadata }) => metadata.name)
const info = () => running.api.objects<ConfigMap>(configMaps)[0]?.data

test('a bootstrap token is removed when it has expired, and one that cannot be read at once', async () => {
  running = await run(newTokenCleanerController)
  await token('aaaaaa', { expiration: at(60) })
  await token('bbbbbb')
  await token('cccccc', { expiration: 'soon' })
  await running.clock.advance(59_000)
  expect(left()).toEqual(['bootstrap-token-aaaaaa', 'bootstrap-token-bbbbbb'])
  await running.clock.advance(2000)
  expect(left()).toEqual(['bootstrap-token-bbbbbb'])
})

test('cluster-info is signed by the tokens that may, anew when it changes, and no longer by one that goes', async () => {
  running = await run(newBootstrapSignerController)
  const { api, clock } = running
  const made = await api.create<ConfigMap>(configMaps, {
    metadata: { name: 'cluster-info', namespace: 'kube-public' },
    data: { kubeconfig: 'one' },
  })
  await token('aaaaaa')
  await token('bbbbbb', { 'usage-bootstrap-signing': 'false' })
  await token('cccccc', { expiration: at(-1) })
  await clock.advance(100)
  expect(info()).toEqual({ kubeconfig: 'one', 'jws-kubeconfig-aaaaaa': detachedSignature('one', 'aaaaaa', 'secret') })
  await api.patch(configMaps, made.metadata, { type: 'merge', body: { data: { kubeconfig: 'two' } } })
  await clock.advance(100)
  expect(info()?.['jws-kubeconfig-aaaaaa']).toBe(detachedSignature('two', 'aaaaaa', 'secret'))
  await api.delete(secrets, { namespace: 'kube-system', name: 'bootstrap-token-aaaaaa' })
  await clock.advance(100)
  expect(info()).toEqual({ kubeconfig: 'two' })
})

test('the signature is a JWS without its content', async () => {
  const [head, none, signature] = detachedSignature('content', 'abcdef', 'secret').split('.')
  expect(none).toBe('')
  const whole = `${head}.${Buffer.from('content').toString('base64url')}.${signature}`
  const { protectedHeader } = await compactVerify(whole, Buffer.from('secret'))
  expect(protectedHeader).toEqual({ alg: 'HS256', kid: 'abcdef' })
})
