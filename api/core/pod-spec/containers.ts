import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
  PodSpec,
  Volume,
} from '../../generated/types.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooMany,
} from '../../machinery/field-errors.ts'
import { isValidPortName, isValidPortNum } from '../../machinery/names.ts'
import { addInvalid, checkChoice, checkLabelName, checkRequiredChoice } from './checks.ts'
import { isSidecar } from './containers-of.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import { validateVolumeDevices, validateVolumeMounts } from './mounts.ts'
import type { PodValidationOptions } from './options.ts'
import { forbidLifeSigns, validateLifeSigns } from './probes.ts'
import { validateContainerResources } from './resources.ts'
import { validateSecurityContext } from './security-context.ts'

/** What the containers of a pod are checked against. */
export interface PodSurroundings {
  spec: PodSpec
  /** Sound volumes by name. */
  volumes: ReadonlyMap<string, Volume>
  claimNames: readonly string[]
  options: PodValidationOptions
}

/** All containers of a pod spec, regular, init and ephemeral. `path` is the spec's. */
export function validateContainers(errors: FieldError[], around: PodSurroundings, path: string): void {
  const { spec } = around
  const graceSeconds = spec.terminationGracePeriodSeconds
  const containers = spec.containers ?? []
  const listPath = `${path}.containers`
  if (containers.length === 0) errors.push(required(listPath))
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i]!
    const containerPath = `${listPath}[${i}]`
    validateCommon(errors, container, around, containerPath)
    if (hasNameBefore(containers, i)) errors.push(duplicate(`${containerPath}.name`, container.name ?? ''))
    validateLifeSigns(errors, container, graceSeconds, containerPath)
    validateRestartRules(errors, container, containerPath)
  }
  checkHostPorts(errors, containers, listPath)
  if (spec.initContainers?.length) validateInitContainers(errors, spec.initContainers, around, `${path}.initContainers`)
  if (spec.ephemeralContainers?.length) {
    validateEphemeralContainers(errors, spec.ephemeralContainers, around, `${path}.ephemeralContainers`)
  }
}

/** A rule of pods only: templates have always accepted padded images. */
export function checkImagePadding(errors: FieldError[], image: string | undefined, path: string): void {
  if (image && image.trim() !== image) {
    errors.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'))
  }
}

function hasNameBefore(containers: readonly { name: string }[], end: number): boolean {
  const { name } = containers[end]!
  for (let i = 0; i < end; i++) if (containers[i]!.name === name) return true
  return false
}

function validateInitContainers(
  errors: FieldError[],
  initContainers: readonly Container[],
  around: PodSurroundings,
  path: string,
): void {
  const { spec, options } = around
  const regular = spec.containers ?? []
  for (const [i, container] of initContainers.entries()) {
    const containerPath = `${path}[${i}]`
    validateCommon(errors, container, around, containerPath)
    validateRestartRules(errors, container, containerPath)
    const taken = regular.some(({ name }) => name === container.name)
    if (taken || (container.name && hasNameBefore(initContainers, i))) {
      errors.push(duplicate(`${containerPath}.name`, container.name))
    }
    // Upstream looks at each alone: init containers do not run side by side. The path is its, too.
    checkHostPorts(errors, [container], path)
    if (isSidecar(container)) {
      validateLifeSigns(errors, container, spec.terminationGracePeriodSeconds, containerPath)
      continue
    }
    forbidLifeSigns(errors, container, containerPath)
    if (options.allowRestartOnResizeOfInitContainers) continue
    for (const [j, { restartPolicy }] of (container.resizePolicy ?? []).entries()) {
      if (restartPolicy === 'RestartContainer') {
        errors.push(
          invalid(
            `${containerPath}.resizePolicy[${j}].restartPolicy`,
            restartPolicy,
            "must not be set to 'RestartContainer' for non-sidecar initContainers",
          ),
        )
      }
    }
  }
}

/** In the order upstream finds them. */
const notForEphemeralContainers = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const

function validateEphemeralContainers(
  errors: FieldError[],
  ephemeral: readonly EphemeralContainer[],
  around: PodSurroundings,
  path: string,
): void {
  const others = [...(around.spec.containers ?? []), ...(around.spec.initContainers ?? [])]
  for (const [i, container] of ephemeral.entries()) {
    const containerPath = `${path}[${i}]`
    validateCommon(errors, container, around, containerPath)
    checkImagePadding(errors, container.image, containerPath)
    if (hasNameBefore(ephemeral, i) || others.some(({ name }) => name === container.name)) {
      errors.push(duplicate(`${containerPath}.name`, container.name))
    }
    const target = container.targetContainerName
    if (target && !others.some(({ name }) => name === target)) {
      errors.push(notFound(`${containerPath}.targetContainerName`, target))
    }
    for (const field of notForEphemeralContainers) {
      const value = container[field]
      const absent =
        value === undefined ||
        (typeof value === 'object' && field !== 'lifecycle' && !field.endsWith('Probe') && isEmpty(value))
      if (!absent) errors.push(forbidden(`${containerPath}.${field}`, 'cannot be set for an Ephemeral Container'))
    }
    for (const [j, mount] of (container.volumeMounts ?? []).entries()) {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (!mount[field]) continue
        errors.push(
          forbidden(`${containerPath}.volumeMounts[${j}].${field}`, 'cannot be set for an Ephemeral Container'),
        )
      }
    }
  }
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0

const messagePolicies = ['File', 'FallbackToLogsOnError']
const pullPolicies = ['Always', 'IfNotPresent', 'Never']

/** What holds for containers of every sort. */
function validateCommon(
  errors: FieldError[],
  container: Container | EphemeralContainer,
  { spec, volumes, claimNames, options }: PodSurroundings,
  path: string,
): void {
  if (!container.name) errors.push(required(`${path}.name`))
  else checkLabelName(errors, container.name, `${path}.name`)
  if (!container.image) errors.push(required(`${path}.image`))
  checkRequiredChoice(errors, container.terminationMessagePolicy, messagePolicies, `${path}.terminationMessagePolicy`)
  if (container.ports) validatePorts(errors, container.ports, `${path}.ports`)
  if (container.env) validateEnv(errors, container.env, `${path}.env`)
  if (container.envFrom) validateEnvFrom(errors, container.envFrom, `${path}.envFrom`)
  if (container.volumeMounts) validateVolumeMounts(errors, container, volumes, `${path}.volumeMounts`)
  if (container.volumeDevices) validateVolumeDevices(errors, container, volumes, `${path}.volumeDevices`)
  checkRequiredChoice(errors, container.imagePullPolicy, pullPolicies, `${path}.imagePullPolicy`)
  if (container.resources) {
    validateContainerResources(errors, container.resources, claimNames, `${path}.resources`, options)
  }
  if (container.resizePolicy) {
    validateResizePolicy(errors, container.resizePolicy, spec.restartPolicy, `${path}.resizePolicy`)
  }
  if (container.securityContext) {
    validateSecurityContext(errors, container.securityContext, `${path}.securityContext`, spec.hostUsers !== false)
  }
}

const protocols = ['SCTP', 'TCP', 'UDP']

function validatePorts(errors: FieldError[], ports: readonly ContainerPort[], path: string): void {
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i]!
    if (port.name) {
      const messages = isValidPortName(port.name)
      if (messages.length > 0) addInvalid(errors, `${path}[${i}].name`, port.name, messages)
      else if (ports.findIndex(({ name }) => name === port.name) < i) {
        errors.push(duplicate(`${path}[${i}].name`, port.name))
      }
    }
    if (!port.containerPort) errors.push(required(`${path}[${i}].containerPort`))
    else {
      addInvalid(errors, `${path}[${i}].containerPort`, port.containerPort, isValidPortNum(port.containerPort))
    }
    if (port.hostPort) addInvalid(errors, `${path}[${i}].hostPort`, port.hostPort, isValidPortNum(port.hostPort))
    checkRequiredChoice(errors, port.protocol, protocols, `${path}[${i}].protocol`)
  }
}

function checkHostPorts(errors: FieldError[], containers: readonly Container[], path: string): void {
  let taken: Set<string> | undefined
  for (let i = 0; i < containers.length; i++) {
    const ports = containers[i]!.ports
    if (!ports) continue
    for (let j = 0; j < ports.length; j++) {
      const { protocol = '', hostIP = '', hostPort } = ports[j]!
      if (!hostPort) continue
      const place = `${protocol}/${hostIP}/${hostPort}`
      taken ??= new Set()
      if (taken.has(place)) errors.push(duplicate(`${path}[${i}].ports[${j}].hostPort`, place))
      taken.add(place)
    }
  }
}

const containerRestartPolicies = ['Always', 'Never', 'OnFailure']
const ruleActions = ['Restart', 'RestartAllContainers']
const ruleOperators = ['In', 'NotIn']

function validateRestartRules(errors: FieldError[], container: Container, path: string): void {
  const { restartPolicy, restartPolicyRules: rules = [] } = container
  if (restartPolicy === undefined && rules.length === 0) return
  if (restartPolicy === undefined) {
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  } else checkChoice(errors, restartPolicy, containerRestartPolicies, `${path}.restartPolicy`)
  if (rules.length > 20) errors.push(tooMany(`${path}.restartPolicyRules`, rules.length, 20))
  for (const [i, { action, exitCodes }] of rules.entries()) {
    const rulePath = `${path}.restartPolicyRules[${i}]`
    checkChoice(errors, action ?? '', ruleActions, `${rulePath}.action`)
    if (!exitCodes) {
      errors.push(required(`${rulePath}.exitCodes`, 'must be specified'))
      continue
    }
    checkChoice(errors, exitCodes.operator ?? '', ruleOperators, `${rulePath}.exitCodes.operator`)
    const count = exitCodes.values?.length ?? 0
    if (count > 255) errors.push(tooMany(`${rulePath}.exitCodes.values`, count, 255))
  }
}

const resizableResources = ['cpu', 'memory']
const resizeRestarts = ['NotRequired', 'RestartContainer']

/** Upstream reports most faults at the list and not at the item. */
function validateResizePolicy(
  errors: FieldError[],
  policies: readonly ContainerResizePolicy[],
  podRestartPolicy: string | undefined,
  path: string,
): void {
  for (const [i, { resourceName, restartPolicy }] of policies.entries()) {
    if (policies.findIndex((other) => other.resourceName === resourceName) < i) {
      errors.push(duplicate(`${path}[${i}]`, resourceName))
    }
    if (!resourceName) errors.push(required(path))
    else if (!resizableResources.includes(resourceName)) {
      errors.push(notSupported(path, resourceName, resizableResources))
    }
    checkRequiredChoice(errors, restartPolicy, resizeRestarts, path)
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
    }
  }
}
