import { randomUUID } from 'node:crypto'
import { StatusError } from '../../../api/machinery/errors.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import type { GroupVersion } from '../matching.ts'
import { describeRequest, objectsIn } from '../request.ts'

/** A question of admission.k8s.io, and what its answer must be an answer to. */
export interface Review {
  apiVersion: string
  uid: string
  /** As it is sent: kind, apiVersion and request. */
  body: Record<string, unknown>
}

const reviewVersions = ['v1', 'v1beta1']

/** The question for a webhook that wants the object in this version. */
export function newReview(
  attributes: AdmissionAttributes,
  wanted: GroupVersion,
  spoken: readonly string[] = [],
): Review {
  const version = spoken.find((each) => reviewVersions.includes(each)) ?? 'v1'
  const apiVersion = `admission.k8s.io/${version}`
  const uid = randomUUID()
  const { object = null, oldObject = null } = objectsIn(attributes, wanted)
  const request = { uid, ...describeRequest(attributes, wanted), object, oldObject }
  return { apiVersion, uid, body: { kind: 'AdmissionReview', apiVersion, request } }
}

/** What a webhook decided. */
export interface Verdict {
  allowed: boolean
  status: { code?: number; reason?: string; message?: string }
  warnings: readonly string[]
  /** Operations of RFC 6902; undefined: nothing is to be changed. */
  patch: unknown
}

/** Reads an answer. Throws an Error for what is no answer to the question. */
export function readVerdict(answer: unknown, { apiVersion, uid }: Review): Verdict {
  const given = answer as { kind?: unknown; apiVersion?: unknown; response?: Record<string, unknown> } | null
  if (given?.kind !== 'AdmissionReview' || given.apiVersion !== apiVersion) {
    throw new Error(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${given?.apiVersion ?? ''}, Kind=${given?.kind ?? ''}`,
    )
  }
  const { response } = given
  if (typeof response !== 'object' || response === null) throw new Error('webhook response was absent')
  if (response.uid !== uid && !(apiVersion.endsWith('v1beta1') && response.uid === undefined)) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  }
  const { allowed, patch, patchType } = response
  const patched = typeof patch === 'string' && patch !== ''
  if (patched && patchType !== 'JSONPatch' && !(apiVersion.endsWith('v1beta1') && patchType === undefined)) {
    throw new Error(`webhook returned response.patch but not response.patchType "JSONPatch"`)
  }
  return {
    allowed: allowed === true,
    status: statusOf(response.status),
    warnings: Array.isArray(response.warnings) ? response.warnings.map(String) : [],
    patch: patched ? JSON.parse(Buffer.from(patch, 'base64').toString()) : undefined,
  }
}

/** What of a status has the form of one. */
function statusOf(given: unknown): Verdict['status'] {
  const { code, reason, message } = (given ?? {}) as Record<string, unknown>
  return {
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  }
}

/** The refusal of a webhook, in upstream's words: never a status that would look like a success, or be none. */
export function refusal(
  name: string | undefined,
  { code = 0, reason = '', message = '' }: Verdict['status'],
): StatusError {
  const who = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = message || reason
  const isRefusal = Number.isInteger(code) && code >= 400 && code <= 599
  return new StatusError(isRefusal ? code : 400, reason, why ? `${who}: ${why}` : `${who} without explanation`)
}
