import type { CoreV1ResourceClaim, PodSpec, ResourceRequirements } from '../../generated/types.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
} from '../../machinery/field-errors.ts'
import { compareQuantity, isQuantity, quantityToNumber, quantityValue } from '../../machinery/quantity.ts'
import {
  containerResourceNameFaults,
  isHugePages,
  isNativeResource,
  isOvercommitAllowed,
  resourceNameFaults,
} from '../resource-names.ts'
import { checkLabelName } from './checks.ts'
import { visitContainers } from './containers-of.ts'
import type { PodValidationOptions } from './options.ts'
import { aggregateContainers, isPodLevelResource, type ResourceList } from './resource-lists.ts'

/** Requests, limits and claims of a container. `claimNames` are those of the pod's resourceClaims. */
export function validateContainerResources(
  errors: FieldError[],
  resources: ResourceRequirements,
  claimNames: readonly string[],
  path: string,
  options: PodValidationOptions,
): void {
  validateRequirements(errors, resources, validateContainerResourceName, path, options)
  if (resources.claims?.length) validateClaimNames(errors, resources.claims, claimNames, `${path}.claims`)
}

/** The overhead of a runtime class counts as limits. */
export function validateOverhead(
  errors: FieldError[],
  overhead: ResourceList,
  path: string,
  options: PodValidationOptions,
): void {
  validateRequirements(errors, { limits: overhead }, validateContainerResourceName, path, options)
}

/** Requests and limits of the pod as a whole, which bound those of its containers. `path` is the pod spec's. */
export function validatePodLevelResources(
  errors: FieldError[],
  spec: PodSpec,
  path: string,
  options: PodValidationOptions,
): void {
  const { resources } = spec
  if (!resources) return
  const resourcesPath = `${path}.resources`
  if (spec.os?.name === 'windows') {
    errors.push(forbidden(resourcesPath, 'may not be set for a windows pod'))
    return
  }
  if (resources.claims) {
    errors.push(forbidden(`${resourcesPath}.claims`, 'claims may not be set for Resources at pod-level'))
  }
  validateRequirements(errors, resources, validatePodResourceName, resourcesPath, options)
  for (const [name, amount] of Object.entries(aggregateContainers(spec, 'requests'))) {
    const own = resources.requests?.[name]
    if (own !== undefined && compareQuantity(amount, own) > 0) {
      errors.push(
        invalid(
          `${resourcesPath}.requests[${name}]`,
          own,
          `must be greater than or equal to aggregate container requests of ${amount}`,
        ),
      )
    }
  }
  for (const [name, amount] of Object.entries(aggregateContainers(spec, 'limits'))) {
    const own = resources.limits?.[name]
    if (isHugePages(name) && own !== undefined && compareQuantity(amount, own) > 0) {
      errors.push(
        invalid(
          `${resourcesPath}.limits[${name}]`,
          own,
          `must be greater than or equal to aggregate container limits of ${amount}`,
        ),
      )
    }
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const own = resources.limits?.[name]
      if (own !== undefined && compareQuantity(limit, own) > 0) {
        errors.push(
          invalid(
            `${resourcesPath}.containers[${i}][${name}].limits`,
            limit,
            `must be less than or equal to pod limits of ${own}`,
          ),
        )
      }
    }
  }
}

/** Some container asks for huge pages in an amount that is no whole number of pages. */
export function hasIndivisibleHugePages(spec: PodSpec): boolean {
  let found = false
  const look = (list: ResourceList | undefined) => {
    for (const name in list) if (isHugePages(name) && !isWholePages(name, list[name] as string)) found = true
  }
  visitContainers(spec, '', ({ resources }) => {
    look(resources?.limits)
    look(resources?.requests)
  })
  return found
}

type CheckName = (errors: FieldError[], name: string, listPath: string) => void

function validateRequirements(
  errors: FieldError[],
  { limits, requests }: ResourceRequirements,
  checkName: CheckName,
  path: string,
  options: PodValidationOptions,
): void {
  let hugePages = false
  let compute = false
  const look = (name: string, amount: string, listPath: string) => {
    checkName(errors, name, listPath)
    if (amount.charCodeAt(0) === minus) {
      errors.push(invalid(`${listPath}[${name}]`, amount, 'must be greater than or equal to 0'))
    }
    if (!isNativeResource(name) && isFractional(amount)) {
      errors.push(invalid(`${listPath}[${name}]`, amount, 'must be an integer'))
    }
    if (isHugePages(name)) {
      hugePages = true
      if (!options.allowIndivisibleHugePages && !isWholePages(name, amount)) {
        errors.push(invalid(`${listPath}[${name}]`, amount, `${amount} is not positive integer multiple of ${name}`))
      }
    } else if (name === 'cpu' || name === 'memory') compute = true
  }
  if (limits) for (const name in limits) look(name, limits[name] as string, `${path}.limits`)
  if (requests) {
    for (const name in requests) {
      const amount = requests[name] as string
      const limit = limits?.[name]
      look(name, amount, `${path}.requests`)
      if (limit === undefined) {
        if (!isOvercommitAllowed(name)) {
          errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
        }
      } else if (limit !== amount) {
        const order = compareQuantity(amount, limit)
        const rule = !isOvercommitAllowed(name) && order !== 0 ? 'equal to' : order > 0 ? 'less than or equal to' : ''
        if (rule) {
          errors.push(invalid(`${path}.requests`, amount, `must be ${rule} ${name} limit of ${limit}`))
        }
      }
    }
  }
  if (hugePages && !compute) errors.push(forbidden(path, 'HugePages require cpu or memory'))
}

const minus = '-'.charCodeAt(0)
/** Canonical amounts show fractions of a unit by their suffix. */
const isFractional = (amount: string): boolean => /[mun]$|e-/.test(amount)

function isWholePages(name: string, amount: string): boolean {
  const size = name.slice('hugepages-'.length)
  if (!isQuantity(size)) return false
  const pageBytes = quantityToNumber(size)
  return pageBytes > 0 && Number.isInteger(pageBytes) && quantityValue(amount) % pageBytes === 0
}

const plainResources = new Set(['cpu', 'memory', 'ephemeral-storage'])

function validateContainerResourceName(errors: FieldError[], name: string, listPath: string): void {
  if (!plainResources.has(name)) errors.push(...containerResourceNameFaults(`${listPath}[${name}]`, name))
}

function validatePodResourceName(errors: FieldError[], name: string, listPath: string): void {
  const path = `${listPath}[${name}]`
  const faults = resourceNameFaults(path, name)
  if (faults.length > 0) errors.push(...faults)
  else if (!isPodLevelResource(name)) errors.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']))
}

function validateClaimNames(
  errors: FieldError[],
  claims: readonly CoreV1ResourceClaim[],
  podClaims: readonly string[],
  path: string,
): void {
  const seen = new Set<string>()
  for (const [i, { name, request }] of claims.entries()) {
    const at = `${path}[${i}]`
    if (!name) {
      errors.push(required(at))
      continue
    }
    if (seen.has(name)) errors.push(duplicate(at, name))
    else {
      if (request) checkLabelName(errors, request, `${at}.request`)
      const claimed = request ? `${name}/${request}` : name
      if (seen.has(claimed)) errors.push(duplicate(at, claimed))
      else if (!request) {
        for (const other of seen) if (other.startsWith(`${name}/`)) errors.push(duplicate(at, name))
      }
      seen.add(claimed)
    }
    if (!podClaims.includes(name)) {
      const { type, field, message } = notFound(at, name)
      const known = podClaims.length === 0 ? ' which is empty' : `: ${[...podClaims].sort().join(', ')}`
      errors.push({ type, field, message: `${message}: must be one of the names in pod.spec.resourceClaims${known}` })
    }
  }
}
