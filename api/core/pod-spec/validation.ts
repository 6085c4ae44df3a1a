import type { ObjectMeta, PodResourceClaim, PodSpec } from '../../generated/types.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-errors.ts'
import { validateLabels } from '../../machinery/labels.ts'
import { inclusiveRangeError, isQualifiedName, nameIsDNSSubdomain } from '../../machinery/names.ts'
import { validateAffinity } from './affinity.ts'
import { mirrorAnnotation } from './annotations.ts'
import { addInvalid, checkLabelName, checkRequiredChoice } from './checks.ts'
import { validateContainers } from './containers.ts'
import { validateDNS, validateHostAliases, validateHostname } from './dns.ts'
import { validateFileKeyVolumes } from './env.ts'
import type { PodValidationOptions } from './options.ts'
import { validateOverhead, validatePodLevelResources } from './resources.ts'
import { validatePodSecurityContext, validateUserNamespace } from './security-context.ts'
import { validateTolerations } from './tolerations.ts'
import { validateTopologySpread } from './topology-spread.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcesses, validateOS } from './windows.ts'

const restartPolicies = ['Always', 'OnFailure', 'Never']
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const noNames: readonly string[] = []
const maxInt32 = 2147483647

/**
 * Everything that holds for a pod spec wherever it stands. `meta` is the pod's metadata; none for a template. `path` is
 * that of the spec.
 */
export function validatePodSpec(
  errors: FieldError[],
  spec: PodSpec,
  meta: ObjectMeta | undefined,
  path: string,
  options: PodValidationOptions,
): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`))
  const volumes = validateVolumes(errors, spec, meta?.name ?? '', `${path}.volumes`, options)
  const claims = spec.resourceClaims
  const claimNames = claims ? claims.map(({ name }) => name).filter(Boolean) : noNames
  if (claims) validateResourceClaims(errors, claims, meta, `${path}.resourceClaims`)
  validateContainers(errors, { spec, volumes, claimNames, options }, path)
  if (spec.resources) validatePodLevelResources(errors, spec, path, options)
  if (spec.hostNetwork) validateHostNetworkPorts(errors, spec, path, options)
  checkRequiredChoice(errors, spec.restartPolicy, restartPolicies, `${path}.restartPolicy`)
  checkRequiredChoice(errors, spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`)
  if (spec.nodeSelector) {
    const faults = validateLabels(spec.nodeSelector, `${path}.nodeSelector`)
    if (faults.length > 0) errors.push(...faults)
  }
  if (spec.securityContext) validatePodSecurityContext(errors, spec, `${path}.securityContext`, options)
  if (spec.affinity) validateAffinity(errors, spec.affinity, `${path}.affinity`, options)
  validateDNS(errors, spec, path)
  if (spec.readinessGates) {
    for (const [i, { conditionType = '' }] of spec.readinessGates.entries()) {
      addInvalid(errors, `${path}.readinessGates[${i}].conditionType`, conditionType, isQualifiedName(conditionType))
    }
  }
  if (spec.schedulingGates) validateSchedulingGates(errors, spec, `${path}.schedulingGates`)
  if (spec.topologySpreadConstraints) {
    validateTopologySpread(errors, spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, options)
  }
  validateHostProcesses(errors, spec, path)
  validateUserNamespace(errors, spec, path, options)
  validateHostname(errors, spec, path)
  checkName(errors, spec.serviceAccountName, `${path}.serviceAccountName`)
  checkName(errors, spec.nodeName, `${path}.nodeName`)
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > maxInt32)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, inclusiveRangeError(1, maxInt32)))
  }
  if (spec.tolerations) {
    validateTolerations(errors, spec.tolerations, `${path}.tolerations`, options.allowComparisonTolerations)
  }
  if (spec.hostAliases) validateHostAliases(errors, spec.hostAliases, `${path}.hostAliases`)
  checkName(errors, spec.priorityClassName, `${path}.priorityClassName`)
  if (spec.runtimeClassName !== undefined) {
    addInvalid(
      errors,
      `${path}.runtimeClassName`,
      spec.runtimeClassName,
      nameIsDNSSubdomain(spec.runtimeClassName, false),
    )
  }
  if (spec.preemptionPolicy !== undefined) {
    checkRequiredChoice(errors, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`)
  }
  if (spec.overhead) validateOverhead(errors, spec.overhead, `${path}.overhead`, options)
  if (spec.os) validateOS(errors, spec, path)
  validateFileKeyVolumes(errors, spec, path)
}

/** Workloads that keep their pods running take no other restart policy and no deadline. `path` is the template's. */
export function validateRunsForEver(errors: FieldError[], spec: PodSpec, kind: string, path: string): void {
  if (spec.restartPolicy !== 'Always') {
    errors.push(notSupported(`${path}.spec.restartPolicy`, spec.restartPolicy ?? '', ['Always']))
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`))
  }
}

function checkName(errors: FieldError[], name: string | undefined, path: string): void {
  if (name) addInvalid(errors, path, name, nameIsDNSSubdomain(name, false))
}

function validateHostNetworkPorts(
  errors: FieldError[],
  spec: PodSpec,
  path: string,
  options: PodValidationOptions,
): void {
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [j, { hostPort = 0, containerPort = 0 }] of (container.ports ?? []).entries()) {
      // Pods get their host ports by default; templates may leave them out.
      if ((options.resourceIsPod || hostPort !== 0) && hostPort !== containerPort) {
        const rule = 'must match `containerPort` when `hostNetwork` is true'
        errors.push(invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, rule))
      }
    }
  }
}

function validateSchedulingGates(errors: FieldError[], spec: PodSpec, path: string): void {
  const gates = spec.schedulingGates ?? []
  for (const [i, { name = '' }] of gates.entries()) {
    addInvalid(errors, `${path}[${i}]`, name, isQualifiedName(name))
    if (gates.findIndex((gate) => gate.name === name) < i) errors.push(duplicate(`${path}[${i}]`, name))
  }
}

function validateResourceClaims(
  errors: FieldError[],
  claims: readonly PodResourceClaim[],
  meta: ObjectMeta | undefined,
  path: string,
): void {
  const isMirror = meta?.annotations?.[mirrorAnnotation] !== undefined
  for (const [i, claim] of claims.entries()) {
    if (isMirror) {
      errors.push(forbidden('', 'static pods do not support resource claims'))
      continue
    }
    const at = `${path}[${i}]`
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    if (!name) errors.push(required(`${at}.name`))
    else if (claims.findIndex((other) => other.name === name) < i) errors.push(duplicate(`${at}.name`, name))
    else checkLabelName(errors, name, `${at}.name`)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const rule = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
      errors.push(invalid(at, claim, rule))
    } else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[field]
      if (value !== undefined) addInvalid(errors, `${at}.${field}`, value, nameIsDNSSubdomain(value, false))
    }
  }
}
