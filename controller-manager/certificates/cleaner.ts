import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { certificateSigningRequests } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

const hourMs = 3_600_000
/** How long a request is kept once it has been decided, and as long as nobody does anything about it. */
const decidedMs = hourMs
const pendingMs = 24 * hourMs

/** Why a request is no longer needed; undefined while it is. */
export function csrGarbage({ metadata, status }: Live<CertificateSigningRequest>, nowMs: number): string | undefined {
  const { conditions = [], certificate } = status ?? {}
  const isPast = (time: string | undefined, ms: number) => {
    const at = parseTime(time ?? '')
    return at !== undefined && nowMs - at > ms
  }
  const since = (wanted: string, ms: number) =>
    conditions.some(({ type, lastUpdateTime }) => type === wanted && isPast(lastUpdateTime, ms))
  if (since('Denied', decidedMs)) return 'denied'
  if (since('Failed', decidedMs)) return 'failed'
  if (certificate && since('Approved', decidedMs)) return 'issued'
  if (!certificate && since('Approved', pendingMs)) return 'approved, and never issued'
  if (conditions.length === 0 && isPast(metadata.creationTimestamp, pendingMs)) return 'never decided'
  if (certificate && conditions.some(({ type }) => type === 'Approved') && expiredBy(certificate, nowMs)) {
    return 'issued, and run out'
  }
  return undefined
}

function expiredBy(certificate: string, nowMs: number): boolean {
  try {
    return nowMs > Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo)
  } catch {
    // No certificate that could run out.
    return false
  }
}

/** Removes requests whose time has passed. */
export function newCsrCleanerController({ api, clock, informers, log }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'csrcleaner' })
  const requests = informers.for<CertificateSigningRequest>(certificateSigningRequests)
  return {
    name: 'csrcleaner',
    workers: 1,
    queue,
    start: () => queue.add('all'),
    async reconcile(_, signal) {
      for (const request of requests.lister.list()) {
        const why = csrGarbage(request, clock.now())
        if (why === undefined) continue
        const { name, uid } = request.metadata
        log.info({ request: name, why }, 'removing a certificate signing request')
        await api
          .delete(certificateSigningRequests, { name }, { ...(uid ? { preconditions: { uid } } : {}), signal })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error
          })
      }
      return { requeueAfterMs: hourMs }
    },
  }
}
