import { isDeepStrictEqual } from 'node:util'
import type { CertificateSigningRequest } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { Authorizer, UserInfo } from '../auth/types.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionPlugin } from './types.ts'

const group = 'certificates.k8s.io'
const requestsOf = ({ lookup }: AdmissionContext) => lookup(group, 'certificatesigningrequests')

/** Whoever approves or denies a request must hold `approve` on its signer. */
export function createCertificateApproval(context: AdmissionContext): AdmissionPlugin {
  const requests = requestsOf(context)
  return {
    name: 'CertificateApproval',
    handles: ({ resource, operation, subresource }) =>
      resource === requests && operation === 'UPDATE' && subresource === 'approval',
    async validate(attributes) {
      const signer = (attributes.old as unknown as Stored<CertificateSigningRequest>).spec.signerName
      if (await maySpeakFor(context.authorizer, attributes.user, 'approve', signer)) return
      const why = `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`
      throw refuse(attributes, why)
    },
  }
}

/** Whoever puts a certificate or a condition on a request must hold `sign` on its signer. */
export function createCertificateSigning(context: AdmissionContext): AdmissionPlugin {
  const requests = requestsOf(context)
  return {
    name: 'CertificateSigning',
    handles: ({ resource, operation, subresource }) =>
      resource === requests && operation === 'UPDATE' && subresource === 'status',
    async validate(attributes) {
      const request = attributes.object as unknown as Stored<CertificateSigningRequest>
      const old = attributes.old as unknown as Stored<CertificateSigningRequest>
      const isSame =
        request.status?.certificate === old.status?.certificate &&
        isDeepStrictEqual(request.status?.conditions ?? [], old.status?.conditions ?? [])
      if (isSame) return
      const signer = old.spec.signerName
      if (await maySpeakFor(context.authorizer, attributes.user, 'sign', signer)) return
      throw refuse(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
    },
  }
}

const clientSigner = 'kubernetes.io/kube-apiserver-client'

/** Nobody becomes a member of system:masters by a signed certificate. */
export function createCertificateSubjectRestriction(context: AdmissionContext): AdmissionPlugin {
  const requests = requestsOf(context)
  return {
    name: 'CertificateSubjectRestriction',
    handles: ({ resource, operation, subresource }) =>
      resource === requests && operation === 'CREATE' && subresource === '',
    async validate(attributes) {
      const { spec } = attributes.object as unknown as Stored<CertificateSigningRequest>
      if (spec.signerName !== clientSigner) return
      const { organizations } = await readRequest(spec.request).catch((error: Error) => {
        throw refuse(attributes, `failed to parse CSR: ${error.message}`)
      })
      if (organizations.includes('system:masters')) {
        throw refuse(attributes, `use of ${clientSigner} signer with system:masters group is not allowed`)
      }
    },
  }
}

/** What a request's bytes (base64 of PEM) ask for. */
export async function readRequest(request: string) {
  // Rarely needed, and slow to load.
  const { parseCsr } = await import('../../api/certificates/issue.ts')
  return parseCsr(Buffer.from(request, 'base64').toString())
}

/** The right may be held for one signer or, as `domain/*`, for all of a domain. */
async function maySpeakFor(authorizer: Authorizer, user: UserInfo, verb: string, signer: string): Promise<boolean> {
  for (const name of [signer, `${signer.split('/')[0]}/*`]) {
    const question = { user, verb, group, resource: 'signers', subresource: '', name, namespace: '', path: '' }
    if ((await authorizer.authorize(question)).allowed) return true
  }
  return false
}
