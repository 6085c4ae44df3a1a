import { readFileSync } from 'node:fs'
import type { CertifiedKey, ParsedCsr } from '../../api/certificates/issue.ts'
import type { CertificateSigningRequest, CertificateSigningRequestStatus } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { certificateSigningRequests } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { AuthorityFiles, ControllerDeps } from '../types.ts'
import { hasCondition, type SignerName, signedSeconds, signers } from './signers.ts'

type Plan = { do: 'nothing' } | { do: 'sign'; usages: readonly string[]; seconds: number } | { do: 'fail'; why: string }

/** Whether an approved request is signed, and for how long at most. */
export function planSigning(request: CertificateSigningRequest, csr: ParsedCsr, mostSeconds: number): Plan {
  const { signerName, usages = [], expirationSeconds } = request.spec
  if (!isSigner(signerName)) return { do: 'nothing' }
  const why = signers[signerName](csr, usages)
  if (why !== undefined) return { do: 'fail', why }
  return { do: 'sign', usages, seconds: signedSeconds(expirationSeconds, mostSeconds) }
}

const isSigner = (name: string): name is SignerName => Object.hasOwn(signers, name)

/** Signs the requests that have been approved, each signer with the authority it was given. */
export function newCsrSigningController({ api, clock, informers, log, options }: ControllerDeps): Controller[] {
  const { authorities, durationSeconds } = options.clusterSigning
  if (Object.keys(authorities).length === 0) {
    log.info('no certificate is signed: --cluster-signing-cert-file and --cluster-signing-key-file name no authority')
    return []
  }
  const queue = new WorkQueue({ clock, name: 'certificate' })
  const requests = informers.for<CertificateSigningRequest>(certificateSigningRequests)
  const isDue = (request: CertificateSigningRequest) =>
    authorities[request.spec.signerName] !== undefined &&
    hasCondition(request, 'Approved') &&
    !hasCondition(request, 'Failed') &&
    !request.status?.certificate
  const look = (request: Live<CertificateSigningRequest>) => {
    if (isDue(request)) queue.add(request.metadata.name)
  }
  requests.on({ add: look, update: (_, after) => look(after) })
  const read = authorityReader()

  async function statusOf(
    request: Live<CertificateSigningRequest>,
  ): Promise<CertificateSigningRequestStatus | undefined> {
    const csrPem = Buffer.from(request.spec.request, 'base64').toString()
    // Slow to load, and most clusters never need it.
    const { parseCsr, signCsr } = await import('../../api/certificates/issue.ts')
    const plan = planSigning(request, await parseCsr(csrPem), durationSeconds)
    if (plan.do === 'nothing') return undefined
    if (plan.do === 'fail') {
      const failed = {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: plan.why,
        lastUpdateTime: formatTime(clock.now()),
      }
      return { ...request.status, conditions: [...(request.status?.conditions ?? []), failed] }
    }
    const { usages, seconds } = plan
    const authority = read(authorities[request.spec.signerName] as AuthorityFiles)
    const certificate = await signCsr(authority, { csrPem, usages, durationSeconds: seconds, nowMs: clock.now() })
    return { ...request.status, certificate: Buffer.from(certificate).toString('base64') }
  }

  return [
    {
      name: 'csrsigning',
      workers: 5,
      queue,
      async reconcile(name, signal) {
        const request = requests.lister.get(undefined, name)
        if (!request || !isDue(request)) return
        const status = await statusOf(request)
        if (!status) return
        try {
          await api.update(certificateSigningRequests, { ...request, status }, { subresource: 'status', signal })
        } catch (error) {
          if (!isConflict(error) && !isNotFound(error)) throw error
        }
      },
    },
  ]
}

/** Reads authorities anew each time, since they may be renewed, and gives back the same one as long as it is. */
function authorityReader(): (files: AuthorityFiles) => CertifiedKey {
  const known = new Map<string, CertifiedKey>()
  return ({ certFile, keyFile }) => {
    const certPem = readFileSync(certFile, 'utf8')
    const keyPem = readFileSync(keyFile, 'utf8')
    const standing = known.get(certFile)
    if (standing?.certPem === certPem && standing.keyPem === keyPem) return standing
    const fresh = { certPem, keyPem }
    known.set(certFile, fresh)
    return fresh
  }
}
