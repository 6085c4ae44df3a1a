import type { CertificateSigningRequest, CertificateSigningRequestStatus } from '../generated/types.ts'
import type { FieldError } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { humanDuration } from '../machinery/print.ts'
import { defineResource, type RequestContext } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { formatTime } from '../machinery/time.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateRequest, validateRequestUpdate } from './csr-validation.ts'

type Request = Stored<CertificateSigningRequest>

export const certificateSigningRequests = defineResource<Request>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.certificates.v1.CertificateSigningRequest'),
  validate: (request, old) =>
    old
      ? validateRequestUpdate(request, old, { certificate: false, decision: false })
      : validateRequest(request, undefined),
  validateStatus: (request, old) =>
    old ? validateRequestUpdate(request, old, { certificate: true, decision: false }) : [],
  // Any name will do: clients make them up of what they like.
  validateName: () => [],
  strategy: {
    status: true,
    prepareForCreate: stampRequester,
    // The request cannot be changed, only answered.
    prepareForUpdate: (request, old) => {
      request.spec = old.spec
    },
    prepareForStatusUpdate: (request, old, { nowMs }) => {
      keepDecision(request, old)
      stampConditions(request, old, nowMs)
    },
  },
  selectableFields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  subresources: [{ name: 'approval', kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] }],
  columns: [
    nameColumn,
    ageColumn,
    {
      name: 'SignerName',
      type: 'string',
      description: 'Who shall sign.',
      value: ({ spec }) => spec?.signerName || '<none>',
    },
    {
      name: 'Requestor',
      type: 'string',
      description: 'Who made the request.',
      value: ({ spec }) => spec?.username ?? '',
    },
    {
      name: 'RequestedDuration',
      type: 'string',
      description: 'How long the certificate shall be valid.',
      value: ({ spec }) =>
        spec?.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    },
    {
      name: 'Condition',
      type: 'string',
      description: 'What has become of the request.',
      value: ({ status }) => summarize(status),
    },
  ],
})

/** Faults of a write to the approval subresource. */
export const validateApprovalUpdate = (request: Request, old: Request): FieldError[] =>
  validateRequestUpdate(request, old, { certificate: false, decision: true })

/** Gives new conditions their times; to be called on approval as well, before validation. */
export function stampConditions(request: Request, old: Request, nowMs: number): void {
  const now = formatTime(nowMs)
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now
    condition.lastTransitionTime ??=
      old.status?.conditions?.find(
        (before) => before.type === condition.type && before.status === condition.status && before.lastTransitionTime,
      )?.lastTransitionTime ?? now
  }
}

/** The server says who asks; what the request claims does not count. */
function stampRequester(request: Request, { user }: RequestContext): void {
  const { username: _, uid: __, groups: ___, extra: ____, ...spec } = request.spec ?? { request: '', signerName: '' }
  request.spec = {
    ...spec,
    username: user.name,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: [...user.groups],
    ...(user.extra
      ? { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }
      : {}),
  }
}

/** A signer that sends an older decision back changes nothing of it. */
function keepDecision(request: Request, old: Request): void {
  const { conditions } = request.status ?? {}
  if (!conditions) return
  for (const type of ['Approved', 'Denied']) {
    const before = (old.status?.conditions ?? []).filter((condition) => condition.type === type)
    const places = conditions.flatMap((condition, i) => (condition.type === type ? [i] : []))
    if (places.length !== before.length) continue
    for (const [i, place] of places.entries()) {
      const kept = before[i]
      if (kept) conditions[place] = kept
    }
  }
}

function summarize(status: CertificateSigningRequestStatus | undefined): string {
  const has = (type: string) => status?.conditions?.some((condition) => condition.type === type) ?? false
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return `${decision}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`
}
