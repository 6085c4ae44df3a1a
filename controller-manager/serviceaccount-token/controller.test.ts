import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, importSPKI, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { Secret, ServiceAccount } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { secrets, serviceAccounts } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { depsFor } from '../testing/build.ts'
import { newServiceAccountTokenController } from './controller.ts'
import { isTokenOf, planToken } from './plan.ts'

const directory = mkdtempSync(join(tmpdir(), 'gantry-sa-'))
const keyFile = join(directory, 'sa.key')
const { privateKey, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
writeFileSync(keyFile, privateKey)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let clock: FakeClock
let api: MemoryApi
let stop: AbortController

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  stop = new AbortController()
  const informers = new InformerFactory(api, { clock })
  const { deps } = depsFor(api, informers, clock)
  const options = { ...deps.options, serviceAccountPrivateKeyFile: keyFile, apiServerCa: 'the CA' }
  const controllers = newServiceAccountTokenController({ ...deps, options })
  await informers.start(stop.signal)
  for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
})
afterEach(() => stop.abort())

const account = (references: string[] = []) =>
  api.create<ServiceAccount>(serviceAccounts, {
    metadata: { name: 'robot', namespace: 'default' },
    secrets: references.map((name) => ({ name })),
  })
const secret = () =>
  api.create<Secret>(secrets, {
    metadata: { name: 's', namespace: 'default', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
    type: 'kubernetes.io/service-account-token',
  })
const standing = () => api.objects<Secret>(secrets)[0]
const text = (key: string) => Buffer.from(standing()?.data?.[key] ?? '', 'base64').toString()
/** Signing takes real time, on other threads. */
async function settled(holds: () => unknown) {
  for (let i = 0; i < 500 && !holds(); i++) {
    await clock.advance(10)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a secret gets a token of its account, the CA and the namespace', async () => {
  const { metadata } = await account()
  await secret()
  await settled(() => standing()?.data?.token)
  expect(text('ca.crt')).toBe('the CA')
  expect(text('namespace')).toBe('default')
  const { payload } = await jwtVerify(text('token'), await importSPKI(publicKey, 'ES256'))
  expect(payload).toEqual({
    iss: 'kubernetes/serviceaccount',
    sub: 'system:serviceaccount:default:robot',
    'kubernetes.io/serviceaccount/namespace': 'default',
    'kubernetes.io/serviceaccount/secret.name': 's',
    'kubernetes.io/serviceaccount/service-account.name': 'robot',
    'kubernetes.io/serviceaccount/service-account.uid': metadata.uid,
  })
  expect(standing()?.metadata.annotations).toMatchObject({ 'kubernetes.io/service-account.uid': metadata.uid })
})

test('a token that is there stays, and what else is missing is filled in', async () => {
  await account()
  await secret()
  await settled(() => standing()?.data?.token)
  const before = text('token')
  await api.patch<Secret>(
    secrets,
    { namespace: 'default', name: 's' },
    { type: 'merge', body: { data: { 'ca.crt': null } } },
  )
  await settled(() => standing()?.data?.['ca.crt'])
  expect(text('token')).toBe(before)
  expect(decodeJwt(before).sub).toBe('system:serviceaccount:default:robot')
})

test('a secret of an account that is not there is removed, and those of one that goes', async () => {
  await secret()
  await clock.advance(100)
  expect(standing()).toBeUndefined()
  await account()
  await secret()
  await settled(() => standing()?.data?.token)
  await api.delete(serviceAccounts, { namespace: 'default', name: 'robot' })
  await clock.advance(100)
  expect(standing()).toBeUndefined()
})

test('a secret that goes is taken off its account', async () => {
  await account(['s', 'other'])
  await secret()
  await settled(() => standing()?.data?.token)
  await api.delete(secrets, { namespace: 'default', name: 's' })
  await clock.advance(100)
  expect(api.objects<ServiceAccount>(serviceAccounts)[0]?.secrets).toEqual([{ name: 'other' }])
})

test('a namesake of an account that has gone owns none of its tokens', () => {
  const token = {
    metadata: {
      name: 's',
      namespace: 'default',
      annotations: { 'kubernetes.io/service-account.name': 'robot', 'kubernetes.io/service-account.uid': 'u1' },
    },
    type: 'kubernetes.io/service-account-token',
  }
  expect(isTokenOf(token, { name: 'robot', uid: 'u1' })).toBe(true)
  expect(isTokenOf(token, { name: 'robot', uid: 'u2' })).toBe(false)
  expect(planToken(token, undefined, '')).toEqual({ do: 'delete' })
})
