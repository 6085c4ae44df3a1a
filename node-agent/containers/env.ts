import type { ConfigMap, Container, EnvVar, FileKeySelector, Secret } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { BoundPod } from '../pods/types.ts'
import { expand } from './expand.ts'
import { type DownwardFacts, fieldValue, resourceValue } from './fields.ts'

/** Config maps and secrets that pods of this node refer to; undefined: there is none of that name. */
export interface ReferencedObjects {
  configMap(namespace: string, name: string): Promise<Live<ConfigMap> | undefined>
  secret(namespace: string, name: string): Promise<Live<Secret> | undefined>
}

export interface EnvironmentInputs {
  pod: BoundPod
  container: Container
  facts: DownwardFacts
  services: ReadonlyMap<string, string>
  objects: ReferencedObjects
  /** Reads a file of a mounted volume, for `fileKeyRef`. */
  readVolumeFile(volume: string, path: string): Promise<string>
}

/**
 * The environment of a container, in the order it is declared; service variables last. Throws an Error in upstream's
 * words where a reference cannot be resolved.
 */
export async function environmentOf(inputs: EnvironmentInputs): Promise<Map<string, string>> {
  const { container, services } = inputs
  const declared = await fromSources(inputs)
  for (const variable of container.env ?? []) {
    const value = await resolve(variable, inputs, (name) => declared.get(name) ?? services.get(name))
    if (value === undefined) continue
    // Declared again: the later place counts.
    declared.delete(variable.name)
    declared.set(variable.name, value)
  }
  for (const [name, value] of services) if (!declared.has(name)) declared.set(name, value)
  return declared
}

async function fromSources({ pod, container, objects }: EnvironmentInputs): Promise<Map<string, string>> {
  const result = new Map<string, string>()
  const { namespace } = pod.metadata
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    let data: Record<string, string> = {}
    if (configMapRef) {
      const { name = '', optional = false } = configMapRef
      const map = await objects.configMap(namespace, name)
      if (!map && !optional) throw new Error(`configmap "${name}" not found`)
      data = map?.data ?? {}
    } else if (secretRef) {
      const { name = '', optional = false } = secretRef
      const secret = await objects.secret(namespace, name)
      if (!secret && !optional) throw new Error(`secret "${name}" not found`)
      data = Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, decode(value)]))
    }
    for (const [key, value] of Object.entries(data)) result.set(`${prefix}${key}`, value)
  }
  return result
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8')

/** undefined: an optional reference to something that is not there. */
async function resolve(
  { value, valueFrom }: EnvVar,
  inputs: EnvironmentInputs,
  known: (name: string) => string | undefined,
): Promise<string | undefined> {
  if (value !== undefined && value !== '') return expand(value, known)
  if (!valueFrom) return ''
  const { pod, container, facts, objects } = inputs
  const { namespace } = pod.metadata
  if (valueFrom.fieldRef) return fieldValue(pod, valueFrom.fieldRef.fieldPath, facts)
  if (valueFrom.resourceFieldRef) {
    const { containerName } = valueFrom.resourceFieldRef
    const of = containerName ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])] : []
    const target = of.find(({ name }) => name === containerName) ?? container
    return resourceValue(valueFrom.resourceFieldRef, target, facts.allocatable)
  }
  if (valueFrom.configMapKeyRef) {
    const { name = '', key, optional = false } = valueFrom.configMapKeyRef
    const map = await objects.configMap(namespace, name)
    if (!map && !optional) throw new Error(`configmap "${name}" not found`)
    const found = map?.data?.[key]
    if (found === undefined && !optional) {
      throw new Error(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`)
    }
    return found
  }
  if (valueFrom.secretKeyRef) {
    const { name = '', key, optional = false } = valueFrom.secretKeyRef
    const secret = await objects.secret(namespace, name)
    if (!secret && !optional) throw new Error(`secret "${name}" not found`)
    const found = secret?.data?.[key]
    if (found === undefined && !optional) throw new Error(`couldn't find key ${key} in Secret ${namespace}/${name}`)
    return found === undefined ? undefined : decode(found)
  }
  if (valueFrom.fileKeyRef) return fromFile(valueFrom.fileKeyRef, inputs)
  return ''
}

/** A `KEY=value` line of a file in a volume. */
async function fromFile(
  { volumeName, path, key, optional = false }: FileKeySelector,
  inputs: EnvironmentInputs,
): Promise<string | undefined> {
  let text = ''
  try {
    text = await inputs.readVolumeFile(volumeName, path)
  } catch (error) {
    if (!optional) throw new Error(`couldn't parse env file: ${(error as Error).message}`)
  }
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at < 0 || line.slice(0, at).trim() !== key) continue
    const raw = line.slice(at + 1).trim()
    return /^'.*'$/.test(raw) ? raw.slice(1, -1) : raw
  }
  if (optional) return undefined
  throw new Error(`environment variable key "${key}" not found in file "${path}"`)
}
