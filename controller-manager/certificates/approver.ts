import type { ParsedCsr } from '../../api/certificates/issue.ts'
import type { CertificateSigningRequest, SubjectAccessReview } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { certificateSigningRequests, subjectAccessReviews } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { hasCondition, kubeletClientSigner, signers } from './signers.ts'

/** A right by which a request is approved without a person, and what is noted then. */
interface Approval {
  subresource: 'selfnodeclient' | 'nodeclient'
  message: string
}

/** Which rights of its maker would have the request approved, in the order they are asked for. */
export function approvalsFor({ spec }: CertificateSigningRequest, csr: ParsedCsr): Approval[] {
  if (spec.signerName !== kubeletClientSigner) return []
  if (signers[kubeletClientSigner](csr, spec.usages ?? []) !== undefined) return []
  const self: Approval = {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  }
  const node: Approval = {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  }
  return spec.username === csr.commonName ? [self, node] : [node]
}

/** Approves the client certificates of nodes, where whoever asks for one may have it. */
export function newCsrApprovingController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'certificate' })
  const requests = informers.for<CertificateSigningRequest>(certificateSigningRequests)
  const look = (request: Live<CertificateSigningRequest>) => {
    if (request.spec.signerName === kubeletClientSigner) queue.add(request.metadata.name)
  }
  requests.on({ add: look, update: (_, after) => look(after) })

  async function isAllowed({ spec }: CertificateSigningRequest, { subresource }: Approval, signal: AbortSignal) {
    const { username = '', uid, groups, extra } = spec
    const review: SubjectAccessReview = {
      spec: {
        user: username,
        ...(uid ? { uid } : {}),
        ...(groups ? { groups } : {}),
        ...(extra ? { extra } : {}),
        resourceAttributes: {
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          verb: 'create',
          version: '*',
          subresource,
        },
      },
    }
    return (await api.create(subjectAccessReviews, review, { signal })).status?.allowed === true
  }

  return {
    name: 'csrapproving',
    workers: 5,
    queue,
    async reconcile(name, signal) {
      const request = requests.lister.get(undefined, name)
      if (!request || request.status?.certificate || hasCondition(request, 'Denied')) return
      if (hasCondition(request, 'Approved')) return
      // Slow to load, and most clusters never need it.
      const { parseCsr } = await import('../../api/certificates/issue.ts')
      const wanted = approvalsFor(request, await parseCsr(Buffer.from(request.spec.request, 'base64').toString()))
      for (const approval of wanted) {
        if (!(await isAllowed(request, approval, signal))) continue
        const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message: approval.message }
        const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] }
        try {
          await api.update(certificateSigningRequests, { ...request, status }, { subresource: 'approval', signal })
        } catch (error) {
          if (!isConflict(error) && !isNotFound(error)) throw error
        }
        return
      }
      if (wanted.length === 0) return
      const tried = wanted.map(({ subresource }) => subresource)
      // Somebody may still be given the right.
      throw new Error(`recognized csr ${name} as [${tried.join(' ')}] but subject access review was not approved`)
    },
  }
}
