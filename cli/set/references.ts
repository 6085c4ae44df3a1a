import type { Container, EnvVarSource } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { resourceFieldText } from '../describe/resource-field.ts'
import { getObject, type NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'

/** What config maps and secrets hold, by `secrets/NAME`: read once. */
export type Values = Map<string, Promise<Readonly<Record<string, string>>>>

interface Place {
  object: NamedObject
  container: Container
  values: Values
}

/** Where a variable has its value from, in words. */
export function referenceText({ configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: EnvVarSource): string {
  if (configMapKeyRef) return `configmap ${configMapKeyRef.name}, key ${configMapKeyRef.key}`
  if (secretKeyRef) return `secret ${secretKeyRef.name}, key ${secretKeyRef.key}`
  if (fieldRef) return `field path ${fieldRef.fieldPath}`
  if (!resourceFieldRef) return 'invalid valueFrom'
  const { containerName, resource } = resourceFieldRef
  return `resource field ${containerName ? `${containerName}/` : ''}${resource}`
}

/** The value that a variable has from elsewhere, or why it cannot be told. */
export async function resolvedValue(
  session: Session,
  { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: EnvVarSource,
  { object, container, values }: Place,
): Promise<{ value?: string; fault?: string }> {
  const held = async (plural: 'configmaps' | 'secrets', name: string) => {
    const place = `${plural}/${name}`
    const read = values.get(place) ?? dataOf(session, plural, name)
    values.set(place, read)
    return read
  }
  try {
    if (configMapKeyRef) {
      const { name = '', key } = configMapKeyRef
      const value = (await held('configmaps', name))[key]
      return value === undefined ? { fault: `key ${key} not found in config map ${name}` } : { value }
    }
    if (secretKeyRef) {
      const { name = '', key } = secretKeyRef
      const value = (await held('secrets', name))[key]
      if (value === undefined) return { fault: `key ${key} not found in secret ${name}` }
      return { value: Buffer.from(value, 'base64').toString() }
    }
  } catch (error) {
    if (error instanceof StatusError) return { fault: error.message }
    throw error
  }
  if (fieldRef) return fieldValue(object, fieldRef.fieldPath)
  if (resourceFieldRef) return { value: resourceFieldText(resourceFieldRef, container) }
  return { fault: 'invalid valueFrom' }
}

async function dataOf(session: Session, plural: 'configmaps' | 'secrets', name: string) {
  const kind = (await session.kinds()).named(plural)
  const { data = {} } = (await getObject(session, kind, name, session.namespace)) as { data?: Record<string, string> }
  return data
}

function fieldValue({ metadata }: NamedObject, path: string): { value?: string; fault?: string } {
  const [, map, key] = /^metadata\.(labels|annotations)(?:\['(.*)'\])?$/.exec(path) ?? []
  if (map === 'labels' || map === 'annotations') {
    const texts = metadata[map] ?? {}
    if (key !== undefined) return { value: texts[key] ?? '' }
    const lines = Object.entries(texts).map(([name, text]) => `${name}=${JSON.stringify(text)}`)
    return { value: lines.sort().join('\n') }
  }
  const field = /^metadata\.(name|namespace|uid)$/.exec(path)?.[1] as 'name' | 'namespace' | 'uid' | undefined
  return field ? { value: metadata[field] ?? '' } : { fault: `unsupported fieldPath: ${path}` }
}
