import { child, type FieldError, invalid } from '../machinery/field-errors.ts'
import { isQualifiedName } from '../machinery/names.ts'
import { compareQuantity, quantityToNumber } from '../machinery/quantity.ts'

/** Faults of the name of a resource, such as `cpu` or `example.com/gpu`. */
export function resourceNameFaults(path: string, name: string): FieldError[] {
  const errors = isQualifiedName(name).map((fault) => invalid(path, name, fault))
  if (errors.length > 0 || name.includes('/') || isStandardResource(name)) return errors
  return [invalid(path, name, 'must be a standard resource type or fully qualified')]
}

/** Faults of the name of a resource that a container can ask for. */
export function containerResourceNameFaults(path: string, name: string): FieldError[] {
  const errors = resourceNameFaults(path, name)
  if (!name.includes('/')) {
    if (!containerResources.has(name) && !isHugePages(name))
      errors.push(invalid(path, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"))
  }
  return errors
}

/** Faults of the name of a resource that a quota can limit. */
export function quotaResourceNameFaults(path: string, name: string): FieldError[] {
  const errors = resourceNameFaults(path, name)
  if (!name.includes('/') && !isStandardQuotaResource(name))
    errors.push(invalid(path, name, 'must be a standard resource for quota'))
  return errors
}

/** Faults of an amount of the named resource: not negative, and whole where the resource is counted. */
export function resourceAmountFaults(path: string, name: string, amount: string): FieldError[] {
  const errors: FieldError[] = []
  if (compareQuantity(amount, '0') < 0) errors.push(invalid(path, amount, 'must be greater than or equal to 0'))
  if (isCountedResource(name) && !Number.isInteger(quantityToNumber(amount)))
    errors.push(invalid(path, amount, 'must be an integer'))
  return errors
}

/** {@link resourceAmountFaults} of each in a list, without a word on the names. */
export const resourceListFaults = (path: string, list: Record<string, string> = {}): FieldError[] =>
  Object.entries(list).flatMap(([name, amount]) => resourceAmountFaults(child(path, name), name, amount))

/** The system's own: without prefix, or with one of kubernetes.io. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')

/** A container may ask for less of it than its limit. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name)

/** A resource that somebody else than the system defines. It must still be a name with the quota's prefix before it. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0

export const isStandardQuotaResource = (name: string): boolean =>
  (standardResources.has(name) && name !== 'storage') || isQuotaHugePages(name)

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage'])
const countedResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])
const standardResources = new Set([
  ...containerResources,
  ...countedResources,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'requests.storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'storage',
])

const isQuotaHugePages = (name: string) => isHugePages(name) || name.startsWith('requests.hugepages-')
const isStandardResource = (name: string) => standardResources.has(name) || isQuotaHugePages(name)
const isCountedResource = (name: string) => countedResources.has(name) || isExtendedResource(name)
