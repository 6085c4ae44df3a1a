import type {
  Container,
  ContainerStatus,
  Pod,
  PodExtendedResourceClaimStatus,
  PodSpec,
  PodStatus,
} from '../generated/types.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { isQualifiedName, nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { ipFamily, ipFaults, isDualStack } from './ip.ts'
import { validatePodAnnotations, validatePodAnnotationsUpdate } from './pod-spec/annotations.ts'
import { addInvalid, checkId, checkLabelName } from './pod-spec/checks.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'

/** What a node agent or controller may report of a pod. The spec is the old one already. */
export function validatePodStatusUpdate(pod: Stored<Pod>, old: Stored<Pod>): FieldError[] {
  const errors: FieldError[] = []
  const spec: PodSpec = pod.spec ?? { containers: [] }
  const status = pod.status ?? {}
  const before = old.status ?? {}
  const { annotations } = pod.metadata
  if (annotations) {
    validatePodAnnotations(errors, annotations, spec, 'metadata.annotations', podValidationOptions(true, old))
  }
  validatePodAnnotationsUpdate(errors, annotations, old.metadata.annotations, 'metadata.annotations')
  validateConditions(errors, status)
  if (spec.nodeName !== old.spec?.nodeName) {
    errors.push(forbidden('status.nodeName', 'may not be changed directly'))
  }
  const nominated = status.nominatedNodeName
  if (nominated && nominated !== before.nominatedNodeName) {
    addInvalid(errors, 'status.nominatedNodeName', nominated, nameIsDNSSubdomain(nominated, false))
    if (old.spec?.nodeName) {
      errors.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'))
    }
  }
  if ((status.observedGeneration ?? 0) < 0) {
    errors.push(invalid('status.observedGeneration', status.observedGeneration, 'must be a non-negative integer'))
  }
  errors.push(...immutable(status.qosClass, before.qosClass, 'status.qosClass'))
  validateTransitions(errors, status, before, spec)
  validateClaimStatuses(errors, status, spec)
  if (status.extendedResourceClaimStatus) {
    validateExtendedClaim(errors, status.extendedResourceClaimStatus, spec)
  }
  validateAddresses(errors, status, before)
  validateContainerStatuses(errors, status, spec)
  return errors
}

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized'])

function validateConditions(errors: FieldError[], status: PodStatus): void {
  for (const [i, { type = '', observedGeneration = 0 }] of (status.conditions ?? []).entries()) {
    const at = `status.conditions[${i}]`
    if (observedGeneration < 0) {
      errors.push(invalid(`${at}.observedGeneration`, observedGeneration, 'must be a non-negative integer'))
    }
    if (!systemConditions.has(type)) addInvalid(errors, `${at}.Type`, type, isQualifiedName(type))
  }
}

/** A container that has ended stays ended, unless its restart policy brings it back. */
function validateTransitions(errors: FieldError[], status: PodStatus, old: PodStatus, spec: PodSpec): void {
  const restartsAll = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  )
  for (const [list, containers] of [
    ['containerStatuses', spec.containers],
    ['initContainerStatuses', spec.initContainers],
    ['ephemeralContainerStatuses', undefined],
  ] as const) {
    if (restartsAll && list !== 'ephemeralContainerStatuses') continue
    for (const [i, before] of (old[list] ?? []).entries()) {
      const ended = before.state?.terminated
      if (!ended) continue
      const now = (status[list] ?? []).find(({ name }) => name === before.name)
      if (!now || now.state?.terminated) continue
      const container = containers?.find(({ name }) => name === before.name)
      if (container && restartsAfter(container, spec, ended.exitCode)) continue
      errors.push(forbidden(`status.${list}[${i}].state`, 'may not be transitioned to non-terminated state'))
    }
  }
}

function restartsAfter(container: Container, spec: PodSpec, exitCode: number): boolean {
  const byPolicy = (policy: string | undefined) =>
    policy === 'Never' ? false : policy === 'OnFailure' ? exitCode !== 0 : true
  if (container.restartPolicy === undefined) return byPolicy(spec.restartPolicy)
  const rule = (container.restartPolicyRules ?? []).find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) ?? false
    return exitCodes?.operator === 'In' ? listed : exitCodes?.operator === 'NotIn' && !listed
  })
  if (rule?.action === 'Restart' || rule?.action === 'RestartAllContainers') return true
  return byPolicy(container.restartPolicy)
}

function validateClaimStatuses(errors: FieldError[], status: PodStatus, spec: PodSpec): void {
  const path = 'status.resourceClaimStatuses'
  const statuses = status.resourceClaimStatuses ?? []
  for (const [i, { name = '', resourceClaimName }] of statuses.entries()) {
    if (!spec.resourceClaims?.some((claim) => claim.name === name)) {
      errors.push(invalid(`${path}[${i}].name`, name, 'must match the name of an entry in `spec.resourceClaims`'))
    }
    if (statuses.findIndex((other) => other.name === name) < i) errors.push(duplicate(`${path}[${i}].name`, name))
    if (resourceClaimName !== undefined) {
      const faults = nameIsDNSSubdomain(resourceClaimName, false)
      addInvalid(errors, `${path}[${i}].resourceClaimName`, resourceClaimName, faults)
    }
  }
}

function validateExtendedClaim(errors: FieldError[], claim: PodExtendedResourceClaimStatus, spec: PodSpec): void {
  const path = 'status.extendedResourceClaimStatus'
  const mappings = claim.requestMappings ?? []
  if (mappings.length === 0) {
    errors.push(required(`${path}.requestMappings`, 'at least one request mapping is required'))
  }
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const seen = new Set<string>()
  for (const [i, { containerName = '', resourceName = '', requestName = '' }] of mappings.entries()) {
    const at = `${path}.requestMappings[${i}]`
    const container = containers.find(({ name }) => name === containerName)
    if (!container) {
      const rule = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
      errors.push(invalid(`${at}.containerName`, containerName, rule))
    } else if (container.resources?.requests?.[resourceName] === undefined) {
      const rule =
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests'
      errors.push(invalid(`${at}.resourceName`, resourceName, rule))
    }
    checkLabelName(errors, requestName, `${path}.requestName`)
    const mapping = JSON.stringify([containerName, resourceName, requestName])
    if (seen.has(mapping)) {
      errors.push(
        duplicate(`${at}.containerName`, containerName),
        duplicate(`${at}.resourceName`, resourceName),
        duplicate(`${at}.requestName`, requestName),
      )
    }
    seen.add(mapping)
  }
  const name = claim.resourceClaimName
  if (!name) errors.push(required(`${path}.resourceClaimName`))
  else addInvalid(errors, `${path}.resourceClaimName`, name, nameIsDNSSubdomain(name, false))
}

function validateAddresses(errors: FieldError[], status: PodStatus, old: PodStatus): void {
  const { hostIPs = [], hostIP } = status
  if (hostIPs.length > 0 && hostIPs[0]?.ip !== (hostIP ?? '')) {
    errors.push(invalid('status.hostIPs[0].ip', hostIPs[0]?.ip, 'must be equal to `hostIP`'))
  }
  for (const field of ['podIPs', 'hostIPs'] as const) {
    const addresses = (status[field] ?? []).map(({ ip = '' }) => ip)
    const known = (old[field] ?? []).map(({ ip = '' }) => ip)
    for (const [i, address] of addresses.entries()) errors.push(...ipFaults(`status.${field}[${i}]`, address, known))
    if (addresses.length > 2 || (addresses.length === 2 && !isDualStack(addresses.map(ipFamily)))) {
      const rule = 'may specify no more than one IP for each IP family'
      errors.push(invalid(`status.${field}`, status[field], rule))
    }
  }
}

function validateContainerStatuses(errors: FieldError[], status: PodStatus, spec: PodSpec): void {
  for (const [list, containers] of [
    ['containerStatuses', spec.containers],
    ['initContainerStatuses', spec.initContainers],
    ['ephemeralContainerStatuses', undefined],
  ] as const) {
    const statuses = status[list]
    if (!statuses) continue
    for (const [i, container] of statuses.entries()) {
      const path = `status.${list}[${i}]`
      if (container.user) validateUser(errors, container, spec, path)
      if (!container.allocatedResourcesStatus?.length) continue
      if (list === 'ephemeralContainerStatuses') {
        const rule = 'must not be specified in container status'
        errors.push(forbidden(`${path}.allocatedResourcesStatus`, rule))
      } else {
        const owner = containers?.find(({ name }) => name === container.name)
        validateResourceHealth(errors, container, owner, `${path}.allocatedResourcesStatus`)
      }
    }
  }
}

function validateUser(errors: FieldError[], { user }: ContainerStatus, spec: PodSpec, path: string): void {
  const linux = user?.linux
  if (!linux) return
  if (spec.os?.name === 'windows') {
    errors.push(forbidden(`${path}.user.linux`, 'cannot be set for a windows pod'))
    return
  }
  checkId(errors, linux.uid, `${path}.user.linux.uid`)
  checkId(errors, linux.gid, `${path}.user.linux.gid`)
  for (const [i, group] of (linux.supplementalGroups ?? []).entries()) {
    checkId(errors, group, `${path}.user.linux.supplementalGroups[${i}]`)
  }
}

const maxHealthMessageLength = 1024
const healthValues = ['Healthy', 'Unhealthy', 'Unknown']

function validateResourceHealth(
  errors: FieldError[],
  status: ContainerStatus,
  container: Container | undefined,
  path: string,
): void {
  for (const [i, { name, resources = [] }] of (status.allocatedResourcesStatus ?? []).entries()) {
    if (container) {
      const isClaim = name.startsWith('claim:')
      const known = isClaim
        ? container.resources?.claims?.some((c) => name === `claim:${c.name}${c.request ? `/${c.request}` : ''}`)
        : container.resources?.requests?.[name] !== undefined
      if (!known) {
        const rule = isClaim
          ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
          : "must match one of the container's resource requests"
        errors.push(invalid(`${path}[${i}].name`, name, rule))
      }
    }
    for (const [j, { health = '', message, resourceID }] of resources.entries()) {
      const at = `${path}[${i}].resources[${j}]`
      if (!healthValues.includes(health)) errors.push(notSupported(`${at}.health`, health, healthValues))
      if (message === '') errors.push(required(`${at}.message`, 'must be non-empty if specified'))
      else if (message !== undefined && Buffer.byteLength(message) > maxHealthMessageLength) {
        errors.push(tooLong(`${at}.message`, maxHealthMessageLength))
      }
      if (resources.findIndex((other) => other.resourceID === resourceID) < j) {
        errors.push(duplicate(`${at}.resourceID`, resourceID))
      }
    }
  }
}
