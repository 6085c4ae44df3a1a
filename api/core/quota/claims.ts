import type { PersistentVolumeClaim } from '../../generated/types.ts'
import { compareQuantity, formatQuantity, parseQuantity } from '../../machinery/quantity.ts'
import { objectCountName, type QuotaEvaluator } from './evaluator.ts'
import { selectsName } from './scopes.ts'

const countName = objectCountName('', 'persistentvolumeclaims')
const claimResources = ['persistentvolumeclaims', 'requests.storage']
/** Between a storage class and what is limited of it: `gold.storageclass.storage.k8s.io/requests.storage`. */
const classInfix = '.storageclass.storage.k8s.io/'

/** Claims use what they request, or what they were given if that is more; of all classes and of their own. */
export const claimEvaluator: QuotaEvaluator = {
  handles({ subresource, object, old }) {
    if (subresource === '') return true
    return subresource === 'status' && old !== undefined && changesClaimUsage(old as Claim, object as Claim)
  },
  matching: (names) =>
    names.filter(
      (name) =>
        name === countName ||
        claimResources.includes(name) ||
        claimResources.some((resource) => name.endsWith(`${classInfix}${resource}`)),
    ),
  usage(object) {
    const claim = object as Claim
    const size = sizeOf(claim)
    const used = { persistentvolumeclaims: '1', ...(size === undefined ? {} : { 'requests.storage': size }) }
    const ofClass = storageClassOf(claim)
    return {
      [countName]: '1',
      ...used,
      ...(ofClass === ''
        ? {}
        : Object.fromEntries(Object.entries(used).map(([name, amount]) => [`${ofClass}${classInfix}${name}`, amount]))),
    }
  },
  isInScope: (object, scope) =>
    scope.scopeName === 'VolumeAttributesClass' && selectsName(scope, attributesClassesOf(object as Claim)),
}

type Claim = PersistentVolumeClaim & { metadata: object }

/** Whether a change of the claim's status changes what it uses. */
function changesClaimUsage(before: Claim, after: Claim): boolean {
  const shape = (claim: Claim) =>
    JSON.stringify([claim.status?.allocatedResources?.storage ?? '', attributesClassesOf(claim).sort()])
  return shape(before) !== shape(after)
}

const storageClassOf = ({ metadata, spec }: Claim): string =>
  (metadata as { annotations?: Record<string, string> }).annotations?.['volume.beta.kubernetes.io/storage-class'] ??
  spec?.storageClassName ??
  ''

function sizeOf({ spec, status }: Claim): string | undefined {
  const asked = spec?.resources?.requests?.storage
  const given = status?.allocatedResources?.storage
  if (asked === undefined) return undefined
  return wholeBytes(given !== undefined && compareQuantity(given, asked) > 0 ? given : asked)
}

/** A part of a byte counts as a byte. */
function wholeBytes(amount: string): string {
  const { nanos, format } = parseQuantity(amount)
  const unit = 1_000_000_000n
  return formatQuantity({ nanos: ((nanos + unit - 1n) / unit) * unit, format })
}

/** The attributes class the claim wants, has, and is being given. */
function attributesClassesOf({ spec, status }: Claim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return [...new Set(names.flatMap((name) => name || []))]
}
