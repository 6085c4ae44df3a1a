import type {
  EnvFromSource,
  EnvVar,
  FileKeySelector,
  ObjectFieldSelector,
  PodSpec,
  Quantity,
  ResourceFieldSelector,
} from '../../generated/types.ts'
import { type FieldError, invalid, notFound, notSupported, required } from '../../machinery/field-errors.ts'
import { isConfigMapKey, isQualifiedName, isRelaxedEnvVarName, nameIsDNSSubdomain } from '../../machinery/names.ts'
import { compareQuantity } from '../../machinery/quantity.ts'
import { addInvalid, checkLabelName, checkNoBacksteps } from './checks.ts'
import { visitContainers } from './containers-of.ts'

/** The environment of one container. */
export function validateEnv(errors: FieldError[], variables: readonly EnvVar[], path: string): void {
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i]!
    if (!variable.name) errors.push(required(`${path}[${i}].name`))
    else addInvalid(errors, `${path}[${i}].name`, variable.name, isRelaxedEnvVarName(variable.name))
    if (variable.valueFrom) validateValueFrom(errors, variable, `${path}[${i}].valueFrom`)
  }
}

export function validateEnvFrom(errors: FieldError[], sources: readonly EnvFromSource[], path: string): void {
  for (const [i, source] of sources.entries()) {
    if (source.prefix) addInvalid(errors, `${path}[${i}].prefix`, source.prefix, isRelaxedEnvVarName(source.prefix))
    for (const kind of ['configMapRef', 'secretRef'] as const) {
      const reference = source[kind]
      if (!reference) continue
      const namePath = `${path}[${i}].${kind}.name`
      if (!reference.name) errors.push(required(namePath))
      else addInvalid(errors, namePath, reference.name, nameIsDNSSubdomain(reference.name, true))
    }
    if (!source.configMapRef && !source.secretRef) {
      errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (source.configMapRef && source.secretRef) {
      errors.push(invalid(path, '', 'may not have more than one field specified at a time'))
    }
  }
}

/** A variable read from a file needs an emptyDir volume of the pod to hold the file. */
export function validateFileKeyVolumes(errors: FieldError[], spec: PodSpec, path: string): void {
  visitContainers(spec, path, (container, containerPath) => {
    if (!container.env) return
    for (const [i, variable] of container.env.entries()) {
      const reference = variable.valueFrom?.fileKeyRef
      if (!reference) continue
      const namePath = `${containerPath}.env[${i}].valueFrom.fileKeyRef.volumeName`
      const volume = (spec.volumes ?? []).findLast(({ name }) => name === reference.volumeName)
      if (!volume) errors.push(notFound(namePath, reference.volumeName))
      else if (!volume.emptyDir) {
        errors.push(invalid(namePath, reference.volumeName, 'referenced volume must be of type emptyDir'))
      }
    }
  })
}

const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

function validateValueFrom(errors: FieldError[], variable: EnvVar, path: string): void {
  const source = variable.valueFrom!
  let sources = 0
  if (source.fieldRef) {
    sources++
    validateFieldSelector(errors, source.fieldRef, envFieldPaths, `${path}.fieldRef`)
  }
  if (source.resourceFieldRef) {
    sources++
    validateResourceFieldSelector(errors, source.resourceFieldRef, `${path}.resourceFieldRef`, false)
  }
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[kind]
    if (!reference) continue
    sources++
    const { name = '', key } = reference
    addInvalid(errors, `${path}.${kind}.name`, name, nameIsDNSSubdomain(name, false))
    if (!key) errors.push(required(`${path}.${kind}.key`))
    else addInvalid(errors, `${path}.${kind}.key`, key, isConfigMapKey(key))
  }
  if (source.fileKeyRef) {
    sources++
    validateFileKey(errors, source.fileKeyRef, `${path}.fileKeyRef`)
  }
  if (sources === 0) {
    errors.push(
      invalid(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    )
  } else if (variable.value) {
    errors.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  } else if (sources > 1) {
    errors.push(invalid(path, '', 'may not have more than one field specified at a time'))
  }
}

function validateFileKey(errors: FieldError[], file: FileKeySelector, path: string): void {
  if (!file.key) errors.push(required(`${path}.key`))
  else addInvalid(errors, `${path}.key`, file.key, isRelaxedEnvVarName(file.key))
  if (!file.volumeName) errors.push(required(`${path}.volumeName`))
  else checkLabelName(errors, file.volumeName, `${path}.volumeName`)
  if (!file.path) errors.push(required(`${path}.path`))
  else checkNoBacksteps(errors, file.path, `${path}.path`)
}

/** Fields of a pod that the downward API knows in some place; each place takes a part of them. */
const knownFieldPaths = new Set([
  ...envFieldPaths,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
])

/** A reference to a field of the pod: `metadata.labels['app']`, `status.podIP`. `supported` is sorted. */
export function validateFieldSelector(
  errors: FieldError[],
  selector: ObjectFieldSelector,
  supported: readonly string[],
  path: string,
): void {
  if (!selector.apiVersion) {
    errors.push(required(`${path}.apiVersion`))
    return
  }
  if (!selector.fieldPath) {
    errors.push(required(`${path}.fieldPath`))
    return
  }
  const refuse = (why: string) =>
    errors.push(invalid(`${path}.fieldPath`, selector.fieldPath, `error converting fieldPath: ${why}`))
  if (selector.apiVersion !== 'v1') {
    refuse(`unsupported pod version: ${selector.apiVersion}`)
    return
  }
  const subscript = splitSubscript(selector.fieldPath)
  if (subscript) {
    if (subscript.field === 'metadata.annotations') {
      const key = subscript.key.toLowerCase()
      addInvalid(errors, path, key, isQualifiedName(key))
    } else if (subscript.field === 'metadata.labels') {
      addInvalid(errors, path, subscript.key, isQualifiedName(subscript.key))
    } else refuse(`field label does not support subscript: ${selector.fieldPath}`)
    return
  }
  // spec.host is what spec.nodeName was called once.
  const field = selector.fieldPath === 'spec.host' ? 'spec.nodeName' : selector.fieldPath
  if (!knownFieldPaths.has(field)) refuse(`field label not supported: ${field}`)
  else if (!supported.includes(field)) errors.push(notSupported(`${path}.fieldPath`, field, supported))
}

function splitSubscript(fieldPath: string): { field: string; key: string } | undefined {
  if (!fieldPath.endsWith("']")) return undefined
  const open = fieldPath.indexOf("['")
  if (open <= 0) return undefined
  return { field: fieldPath.slice(0, open), key: fieldPath.slice(open + 2, -2) }
}

const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const byteDivisors = new Set('1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei'.split(' '))
const cpuDivisors = new Set(['1m', '1'])
const isHugePages = (resource: string) =>
  resource.startsWith('limits.hugepages-') || resource.startsWith('requests.hugepages-')

/** A reference to a request or limit; in a volume (`inVolume`) it must name the container. */
export function validateResourceFieldSelector(
  errors: FieldError[],
  selector: ResourceFieldSelector,
  path: string,
  inVolume: boolean,
): void {
  const { resource } = selector
  if (inVolume && !selector.containerName) errors.push(required(`${path}.containerName`))
  else if (!resource) errors.push(required(`${path}.resource`))
  else if (!resourceFields.includes(resource) && !isHugePages(resource)) {
    errors.push(notSupported(`${path}.resource`, resource, resourceFields))
  }
  if (resource && selector.divisor) validateDivisor(errors, resource, selector.divisor, path)
}

function validateDivisor(errors: FieldError[], resource: string, divisor: Quantity, path: string): void {
  if (compareQuantity(divisor, '0') === 0) return
  const refuse = (supported: string, what: string) =>
    errors.push(
      invalid(
        `${path}.divisor`,
        resource,
        `only divisor's values ${supported} are supported with the ${what} resource`,
      ),
    )
  const all = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei'
  if (resource.endsWith('.cpu')) {
    if (!cpuDivisors.has(divisor)) refuse('1m and 1', 'cpu')
  } else if (!byteDivisors.has(divisor)) {
    if (resource.endsWith('.memory')) refuse(all, 'memory')
    else if (resource.endsWith('.ephemeral-storage')) refuse(all, 'local ephemeral storage')
    else if (isHugePages(resource)) refuse(all, 'hugepages')
  }
}
