import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ClusterTrustBundleProjection } from '../../api/generated/types.ts'
import { boundPod } from '../testing/builders.ts'
import { VolumeRig } from '../testing/volumes.ts'
import { projected } from './projected.ts'
import { clusterTrustBundles, trustBundleFile } from './trust-bundles.ts'

let rig: VolumeRig

beforeEach(() => {
  rig = new VolumeRig()
})

afterEach(() => rig.close())

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`
const bundle = (name: string, trustBundle: string, signerName = '', labels = {}) =>
  rig.api.create(clusterTrustBundles, { metadata: { name, labels }, spec: { signerName, trustBundle } } as never)

const read = async (source: Omit<ClusterTrustBundleProjection, 'path'>, pod = boundPod()) => {
  const spec = { name: 'ca', volume: { name: 'ca', projected: {} }, mode: 'Filesystem', readOnly: false } as const
  const { files, refreshAt } = await trustBundleFile(
    { path: 'ca.pem', ...source },
    0o644,
    rig.contextFor(projected, spec, pod),
  )
  const file = files.get('ca.pem')
  return { text: Buffer.from(file?.data ?? []).toString(), mode: file?.mode, uid: file?.uid, refreshAt }
}

it('is the bundle named, each certificate once and nothing between them', async () => {
  await bundle('root', `# ours\n${pem('BBBB')}words\n${pem('AAAA')}${pem('BBBB')}`)
  expect(await read({ name: 'root' })).toEqual({
    text: `${pem('AAAA')}${pem('BBBB')}`,
    mode: 0o644,
    uid: undefined,
    refreshAt: rig.clock.now() + 60_000,
  })
})

it('is all that a signer has signed and the selector takes', async () => {
  await bundle('a', pem('AAAA'), 'example.com/x', { live: 'yes' })
  await bundle('b', pem('BBBB'), 'example.com/x', { live: 'no' })
  await bundle('c', pem('CCCC'), 'example.com/y', { live: 'yes' })
  const signerName = 'example.com/x'
  expect((await read({ signerName, labelSelector: { matchLabels: { live: 'yes' } } })).text).toBe(pem('AAAA'))
  expect((await read({ signerName, labelSelector: {} })).text).toBe(`${pem('AAAA')}${pem('BBBB')}`)
  await expect(read({ signerName })).rejects.toThrow(
    'combination of signerName and labelSelector matched zero ClusterTrustBundles',
  )
  expect((await read({ signerName, optional: true })).text).toBe('')
})

it('must be there unless it is optional', async () => {
  await expect(read({ name: 'none' })).rejects.toThrow('while getting ClusterTrustBundle: ')
  expect((await read({ name: 'none', optional: true })).text).toBe('')
  await expect(read({})).rejects.toThrow('requires either name or signerName to be set')
})

it('belongs to the only user of the pod', async () => {
  await bundle('root', pem('AAAA'))
  const pod = boundPod({ spec: { securityContext: { runAsUser: 1000 } } })
  expect(await read({ name: 'root' }, pod)).toMatchObject({ mode: 0o600, uid: 1000 })
})
