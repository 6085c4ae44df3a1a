import { describe, expect, it, test } from 'vitest'
import type { Secret } from '../../api/generated/types.ts'
import { secrets } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { claim } from '../testing/volumes.ts'
import { claimTokens, readSecret, secretReference } from './secrets.ts'

const prefix = 'csi.storage.k8s.io/'
const tokens = claimTokens('pvc-1', claim({ annotations: { team: 'red', 'pvc.name': 'x' } }))
/** `<pvc.name>` as classes write it. */
const template = (text: string) => text.replaceAll('<', '\u0024{').replaceAll('>', '}')
const named = (name: string, namespace: string, role = 'node-stage-') => ({
  [`${prefix}${role}secret-name`]: template(name),
  [`${prefix}${role}secret-namespace`]: template(namespace),
})

describe('the secret of a class', () => {
  test.each([
    ['as it stands', 'admin', 'storage', { name: 'admin', namespace: 'storage' }],
    ['by the claim', '<pvc.name>-key', '<pvc.namespace>', { name: 'data-key', namespace: 'default' }],
    ['by the volume', 'of-<pv.name>', 'ns-<pv.name>', { name: 'of-pvc-1', namespace: 'ns-pvc-1' }],
    ['by an annotation', "<pvc.annotations['team']>", 'teams', { name: 'red', namespace: 'teams' }],
  ])('is named %s', (_, name, namespace, expected) => {
    expect(secretReference(named(name, namespace), 'node-stage', tokens)).toEqual(expected)
  })

  it('is for one kind of call, or for all that have none of their own', () => {
    expect(secretReference(named('a', 'b'), 'node-publish', tokens)).toBeUndefined()
    const all = { ...named('all', 'b', ''), ...named('one', 'b') }
    expect(secretReference(all, 'node-publish', tokens)).toEqual({ name: 'all', namespace: 'b' })
    expect(secretReference(all, 'node-stage', tokens)).toEqual({ name: 'one', namespace: 'b' })
  })

  test.each([
    ['a namespace that the user of a claim can choose', 'a', '<pvc.name>', 'invalid tokens: ["pvc.name"]'],
    ['a namespace by an annotation', 'a', "<pvc.annotations['team']>", 'invalid tokens'],
    ['a token that is none', '<pvc.uid>', 'b', 'invalid tokens: ["pvc.uid"]'],
    [
      'a name that is none',
      '<pv.name>/..',
      'b',
      '"<pv.name>/.." resolved to "pvc-1/.." which is not a valid secret name',
    ],
    ['a namespace that is none', 'a', 'b.c', '"b.c" is not a valid namespace name'],
    ['half a name', 'a', '', 'Both must be specified'],
  ])('is not %s', (_, name, namespace, message) => {
    expect(() => secretReference(named(name, namespace), 'node-stage', tokens)).toThrow(template(message))
  })
})

it('a driver is handed what the secret holds, and one that is not there is said', async () => {
  const api = new MemoryApi()
  const data = { key: Buffer.from('se cret').toString('base64') }
  await api.create<Secret>(secrets, { metadata: { name: 'a', namespace: 'b' }, data })
  const { signal } = new AbortController()
  expect(await readSecret(api, { name: 'a', namespace: 'b' }, signal)).toEqual({ secrets: { key: 'se cret' } })
  expect(await readSecret(api, undefined, signal)).toEqual({})
  await expect(readSecret(api, { name: 'c', namespace: 'b' }, signal)).rejects.toThrow(
    'error getting secret c in namespace b',
  )
})
