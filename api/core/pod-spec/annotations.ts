import { backOffFault, initialBackOffAnnotation, maxBackOffAnnotation } from '../../gantry/crash-loop.ts'
import { dependsOnAnnotation, parseDependencies } from '../../gantry/depends-on.ts'
import { gangAnnotation, gangFault, gangMinMembersAnnotation, gangTimeoutAnnotation } from '../../gantry/gang.ts'
import { keepLogsAnnotation, keepLogsFault } from '../../gantry/kept-logs.ts'
import type { AppArmorProfile, ObjectMeta, PodSpec, SeccompProfile, Toleration } from '../../generated/types.ts'
import { type FieldError, forbidden, invalid } from '../../machinery/field-errors.ts'
import { checkDescendingPath } from './checks.ts'
import { hasContainer, visitContainers } from './containers-of.ts'
import type { PodValidationOptions } from './options.ts'
import { validateTolerations } from './tolerations.ts'

/** Set by a node on the copies it shows of pods from its own files. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror'
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
export const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod'
export const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
const tolerationsAnnotation = 'scheduler.alpha.kubernetes.io/tolerations'
const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

export type Annotations = Readonly<Record<string, string>>

/** Annotations that mean something to a pod. `path` is that of the annotations. */
export function validatePodAnnotations(
  errors: FieldError[],
  annotations: Annotations | undefined,
  spec: PodSpec,
  path: string,
  options: PodValidationOptions,
): void {
  for (const key in annotations) {
    const value = annotations[key] as string
    if (key === mirrorAnnotation) {
      if (!spec.nodeName) {
        errors.push(invalid(`${path}[${key}]`, value, 'must set spec.nodeName if mirror pod annotation is set'))
      }
    } else if (key === tolerationsAnnotation) {
      if (value) validateTolerationsAnnotation(errors, value, path, options)
    } else if (key === deletionCostAnnotation) {
      if (!options.allowInvalidDeletionCost && !deletionCostIsValid(annotations)) {
        errors.push(invalid(`${path}[${key}]`, value, 'must be a 32bit integer'))
      }
    } else if (key === maxBackOffAnnotation || key === initialBackOffAnnotation) {
      const fault = backOffFault(value)
      if (fault !== undefined) errors.push(invalid(`${path}[${key}]`, value, fault))
    } else if (key === keepLogsAnnotation) {
      const fault = keepLogsFault(value)
      if (fault !== undefined) errors.push(invalid(`${path}[${key}]`, value, fault))
    } else if (key === gangAnnotation || key === gangMinMembersAnnotation || key === gangTimeoutAnnotation) {
      const fault = gangFault(key, annotations)
      if (fault !== undefined) errors.push(invalid(`${path}[${key}]`, value, fault))
    } else if (key === dependsOnAnnotation) {
      const { faults } = parseDependencies(value)
      errors.push(...faults.map((fault) => invalid(`${path}[${key}]`, value, fault)))
    } else if (key === seccompPodAnnotation || key.startsWith(seccompContainerPrefix)) {
      validateSeccompName(errors, value, `${path}.${key}`)
    } else if (key.startsWith(appArmorPrefix)) {
      const container = key.slice(appArmorPrefix.length)
      if (!hasContainer(spec, container)) errors.push(invalid(`${path}[${key}]`, container, 'container not found'))
      if (!['', 'runtime/default', 'unconfined'].includes(value) && !value.startsWith(localhostPrefix)) {
        errors.push(invalid(`${path}[${key}]`, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`))
      }
    }
  }
}

/** The mirror mark and AppArmor profiles of a pod stay as they were made. */
export function validatePodAnnotationsUpdate(
  errors: FieldError[],
  annotations: Annotations = {},
  old: Annotations = {},
  path: string,
): void {
  for (const key in old) {
    if (annotations[key] === old[key]) continue
    if (key.startsWith(appArmorPrefix)) {
      errors.push(forbidden(`${path}[${key}]`, 'may not remove or update AppArmor annotations'))
    } else if (key === mirrorAnnotation) {
      errors.push(forbidden(`${path}[${key}]`, 'may not remove or update mirror pod annotation'))
    }
  }
  for (const key in annotations) {
    if (Object.hasOwn(old, key)) continue
    if (key.startsWith(appArmorPrefix)) {
      errors.push(forbidden(`${path}[${key}]`, 'may not add AppArmor annotations'))
    } else if (key === mirrorAnnotation) {
      errors.push(forbidden(`${path}[${key}]`, 'may not add mirror pod annotation'))
    }
  }
}

/** Profiles given both as annotations and as fields must agree. `path` is the spec's. */
export function validateProfileAnnotations(
  errors: FieldError[],
  meta: ObjectMeta | undefined,
  spec: PodSpec,
  path: string,
): void {
  const annotations = meta?.annotations
  if (!annotations || !Object.keys(annotations).some(isProfileAnnotation)) return
  const podSeccomp = spec.securityContext?.seccompProfile
  const podAnnotation = annotations[seccompPodAnnotation]
  if (podSeccomp && podAnnotation !== undefined) {
    compareSeccomp(errors, podAnnotation, podSeccomp, `${path}.securityContext.seccompProfile`)
  }
  visitContainers(spec, path, (container, containerPath) => {
    const seccomp = container.securityContext?.seccompProfile
    const annotation = annotations[seccompContainerPrefix + container.name]
    if (seccomp && annotation !== undefined) {
      compareSeccomp(errors, annotation, seccomp, `${containerPath}.securityContext.seccompProfile`)
    }
  })
  if (spec.os?.name === 'windows') return
  const podAppArmor = spec.securityContext?.appArmorProfile
  visitContainers(spec, path, (container, containerPath) => {
    const profile = container.securityContext?.appArmorProfile ?? podAppArmor
    const annotation = annotations[appArmorPrefix + container.name]
    if (!profile || annotation === undefined) return
    const at = `${containerPath}.securityContext.appArmorProfile`
    const sameType =
      profile.type === 'Localhost'
        ? annotation.startsWith(localhostPrefix)
        : annotation === (profile.type === 'RuntimeDefault' ? 'runtime/default' : 'unconfined')
    if (!sameType) errors.push(forbidden(`${at}.type`, 'apparmor type in annotation and field must match'))
    else if (profile.type === 'Localhost' && annotation !== localhostPrefix + profile.localhostProfile) {
      errors.push(forbidden(`${at}.localhostProfile`, 'apparmor profile in annotation and field must match'))
    }
  })
}

const isProfileAnnotation = (key: string): boolean =>
  key === seccompPodAnnotation || key.startsWith(seccompContainerPrefix) || key.startsWith(appArmorPrefix)

const localhostPrefix = 'localhost/'

/** The field that an AppArmor annotation stands for; none for a value of no meaning. */
export function appArmorProfileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  const name = annotation.startsWith(localhostPrefix) ? annotation.slice(localhostPrefix.length) : ''
  return name ? { type: 'Localhost', localhostProfile: name } : undefined
}

/** The cost of deleting the pod, if it names one, is a 32 bit integer in plain form. */
export function deletionCostIsValid(annotations: Annotations | undefined): boolean {
  const value = annotations?.[deletionCostAnnotation]
  if (value === undefined) return true
  if (!/^(0|-\d+|[1-9]\d*)$/.test(value)) return false
  const cost = Number(value)
  return cost >= -(2 ** 31) && cost < 2 ** 31
}

function validateTolerationsAnnotation(
  errors: FieldError[],
  value: string,
  path: string,
  options: PodValidationOptions,
): void {
  let tolerations: Toleration[]
  try {
    tolerations = JSON.parse(value) as Toleration[]
  } catch (error) {
    errors.push(invalid(path, tolerationsAnnotation, (error as Error).message))
    return
  }
  if (Array.isArray(tolerations)) {
    validateTolerations(errors, tolerations, `${path}.${tolerationsAnnotation}`, options.allowComparisonTolerations)
  }
}

function validateSeccompName(errors: FieldError[], name: string, path: string): void {
  if (name === 'runtime/default' || name === 'docker/default' || name === 'unconfined') return
  if (name.startsWith(localhostPrefix)) checkDescendingPath(errors, name.slice(localhostPrefix.length), path)
  else errors.push(invalid(path, name, 'must be a valid seccomp profile'))
}

function compareSeccomp(errors: FieldError[], annotation: string, profile: SeccompProfile, path: string): void {
  const sameType =
    profile.type === 'Unconfined'
      ? annotation === 'unconfined'
      : profile.type === 'RuntimeDefault'
        ? annotation === 'runtime/default' || annotation === 'docker/default'
        : profile.type !== 'Localhost' || annotation.startsWith(localhostPrefix)
  if (!sameType) errors.push(forbidden(`${path}.type`, 'seccomp type in annotation and field must match'))
  else if (profile.type === 'Localhost' && annotation !== localhostPrefix + (profile.localhostProfile ?? '')) {
    errors.push(forbidden(`${path}.localhostProfile`, 'seccomp profile in annotation and field must match'))
  }
}
