import { describe, expect, test } from 'vitest'
import { createAuthority } from '../../api/certificates/issue.ts'
import { only, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('certificates', () => {
  const csr = (signerName: string, more: object = {}) => ({
    metadata: { name: 'r' },
    spec: { signerName, request: '', ...more },
    status: {},
  })
  const path = 'certificates.k8s.io/certificatesigningrequests'

  test('approving and signing need the right on the signer or its domain', async () => {
    const old = csr('acme.io/web')
    const approve = () =>
      refusal(
        only(world, 'CertificateApproval'),
        requestIn(world, `UPDATE ${path}/approval`, csr('acme.io/web'), { old: old as never }),
      )
    expect(await approve()).toBe(
      '403 certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with signerName "acme.io/web"',
    )
    world.allowed = ['approve signers acme.io/*']
    expect(await approve()).toBeUndefined()
    const signed = { ...csr('acme.io/web'), status: { certificate: 'x' } }
    const sign = (object: object) =>
      refusal(
        only(world, 'CertificateSigning'),
        requestIn(world, `UPDATE ${path}/status`, object, { old: old as never }),
      )
    expect(await sign(csr('acme.io/web'))).toBeUndefined()
    expect(await sign(signed)).toMatch(/not permitted to sign/)
    world.allowed = ['sign signers acme.io/web']
    expect(await sign(signed)).toBeUndefined()
  })

  test('a request that cannot be read is refused', async () => {
    const { certPem } = await createAuthority({ commonName: 'x', days: 1, nowMs: 0 })
    const object = csr('kubernetes.io/kube-apiserver-client', { request: Buffer.from(certPem).toString('base64') })
    expect(
      await refusal(only(world, 'CertificateSubjectRestriction'), requestIn(world, `CREATE ${path}`, object)),
    ).toMatch(/failed to parse CSR: PEM block type/)
  })
})
