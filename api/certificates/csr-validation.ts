import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { certificateFault, requestFault } from './pem.ts'
import { validateSignerName } from './signer-name.ts'

type Request = Stored<CertificateSigningRequest>

/** Which parts of the status a write may set: a signer writes the certificate, an approver the decision. */
export interface StatusRights {
  certificate: boolean
  decision: boolean
}

const minExpirationSeconds = 600
const usageNames = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

/** Faults of a request as it stands. What the old one broke already, the new one may break too. */
export function validateRequest(request: Request, old: Request | undefined): FieldError[] {
  const { spec, status } = request
  const errors: FieldError[] = []
  // The request cannot change, so its signature is checked once.
  if (!old) {
    const fault = requestFault(spec?.request ?? '')
    if (fault) errors.push(invalid('spec.request', spec?.request ?? '', fault))
  }
  errors.push(...validateUsages(spec?.usages ?? [], old?.spec?.usages ?? []))
  errors.push(...validateSignerName(spec?.signerName ?? '', 'spec.signerName'))
  const { expirationSeconds } = spec ?? {}
  if (expirationSeconds !== undefined && expirationSeconds < minExpirationSeconds) {
    errors.push(
      invalid(
        'spec.expirationSeconds',
        expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    )
  }
  errors.push(...validateConditions(status?.conditions ?? [], old?.status?.conditions ?? []))
  const certificate = status?.certificate ?? ''
  const before = old?.status?.certificate ?? ''
  if (!(old && (certificate === before || certificateFault(before)))) {
    const fault = certificateFault(certificate)
    if (fault) errors.push(invalid('status.certificate', '<certificate data>', fault))
  }
  return errors
}

/** Faults of an update, by who makes it. */
export function validateRequestUpdate(request: Request, old: Request, rights: StatusRights): FieldError[] {
  const errors = validateRequest(request, old)
  const path = 'status.conditions'
  const of = ({ status }: Request, type: string) => (status?.conditions ?? []).filter((c) => c.type === type)
  for (const type of ['Approved', 'Denied', 'Failed']) {
    if (of(request, type).length < of(old, type).length) {
      errors.push(forbidden(path, `updates may not remove a condition of type "${type}"`))
    }
  }
  if (!rights.decision) {
    for (const type of ['Approved', 'Denied']) {
      const now = of(request, type)
      const before = of(old, type)
      if (now.length > before.length) {
        errors.push(forbidden(path, `updates may not add a condition of type "${type}"`))
      } else if (now.length === before.length && !semanticEqual(now, before)) {
        errors.push(forbidden(path, `updates may not modify a condition of type "${type}"`))
      }
    }
  }
  const certificate = request.status?.certificate ?? ''
  const before = old.status?.certificate ?? ''
  if (certificate !== before) {
    if (!rights.certificate) errors.push(forbidden('status.certificate', 'updates may not set certificate content'))
    else if (before !== '') {
      errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'))
    }
  }
  return errors
}

function validateUsages(usages: readonly string[], old: readonly string[]): FieldError[] {
  const path = 'spec.usages'
  const errors: FieldError[] = usages.length === 0 ? [required(path)] : []
  if (old.every((usage) => usageNames.includes(usage))) {
    for (const [i, usage] of usages.entries()) {
      if (!usageNames.includes(usage)) errors.push(notSupported(index(path, i), usage, usageNames))
    }
  }
  if (new Set(old).size === old.length) {
    for (const [i, usage] of usages.entries()) {
      if (usages.indexOf(usage) < i) errors.push(duplicate(index(path, i), usage))
    }
  }
  return errors
}

type Conditions = readonly CertificateSigningRequestCondition[]

const decisions = ['Approved', 'Denied', 'Failed']
const isDecidedBothWays = (conditions: Conditions) =>
  conditions.some(({ type }) => type === 'Approved') && conditions.some(({ type }) => type === 'Denied')

function validateConditions(conditions: Conditions, old: Conditions): FieldError[] {
  const path = 'status.conditions'
  const errors: FieldError[] = []
  const seen = new Set<string>()
  const allowEmptyType = old.some(({ type }) => !type)
  const allowRepeated = new Set(old.map(({ type }) => type)).size < old.length
  for (const [i, { type = '', status = '' }] of conditions.entries()) {
    const at = index(path, i)
    if (type === '' && !allowEmptyType) errors.push(required(child(at, 'type')))
    // A decision is there or it is not; it cannot be false.
    const statuses = decisions.includes(type) ? ['True'] : ['False', 'True', 'Unknown']
    if (status === '') errors.push(required(child(at, 'status')))
    else if (!statuses.includes(status)) errors.push(notSupported(child(at, 'status'), status, statuses))
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (opposite && seen.has(opposite) && !isDecidedBothWays(old)) {
      errors.push(invalid(path, type, 'Approved and Denied conditions are mutually exclusive'))
    }
    if (seen.has(type) && !allowRepeated) errors.push(duplicate(child(at, 'type'), type))
    seen.add(type)
  }
  return errors
}
