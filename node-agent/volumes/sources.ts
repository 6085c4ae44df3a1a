import type {
  ConfigMapProjection,
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  SecretProjection,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
} from '../../api/generated/types.ts'
import { fieldValue, resourceValue } from '../containers/fields.ts'
import type { PayloadFile } from './atomic-writer.ts'
import type { Contents } from './contents.ts'
import { privateTo } from './fs-group.ts'
import type { VolumeContext } from './types.ts'

/** The mode of a file whose volume does not say: rw-r--r--. */
export const defaultFileMode = 0o644

type Files = Map<string, PayloadFile>

/** The files of a config map. Throws in upstream's words when it, or a key that was asked for, is not there. */
export async function configMapFiles(
  source: ConfigMapVolumeSource | ConfigMapProjection,
  mode: number,
  { pod, objects }: VolumeContext,
): Promise<Files> {
  const { name = '', items, optional = false } = source
  const map = await objects.configMap(pod.metadata.namespace, name)
  if (!map && !optional) throw new Error(`configmap "${name}" not found`)
  const data = new Map<string, Uint8Array>()
  for (const [key, text] of Object.entries(map?.data ?? {})) data.set(key, Buffer.from(text))
  for (const [key, base64] of Object.entries(map?.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'))
  return chosen(data, items, mode, optional, 'references non-existent config key: ')
}

/** The files of a secret. */
export async function secretFiles(
  source: SecretVolumeSource | SecretProjection,
  mode: number,
  { pod, objects }: VolumeContext,
): Promise<Files> {
  const { items, optional = false } = source
  const name = ('secretName' in source ? source.secretName : 'name' in source ? source.name : '') ?? ''
  const secret = await objects.secret(pod.metadata.namespace, name)
  if (!secret && !optional) throw new Error(`secret "${name}" not found`)
  const entries = Object.entries(secret?.data ?? {})
  const data = new Map(entries.map(([key, base64]): [string, Uint8Array] => [key, Buffer.from(base64, 'base64')]))
  return chosen(data, items, mode, optional, 'references non-existent secret key: ')
}

function chosen(
  data: ReadonlyMap<string, Uint8Array>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
  complaint: string,
): Files {
  if (!items?.length) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]))
  const files: Files = new Map()
  for (const { key, path, mode: own } of items) {
    const bytes = data.get(key)
    if (bytes) files.set(path, { data: bytes, mode: own ?? mode })
    else if (!optional) throw new Error(`${complaint}${key}`)
  }
  return files
}

/** The pod's own fields as files. */
export function downwardFiles(
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  { pod, facts }: VolumeContext,
): Files {
  const files: Files = new Map()
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    let text = ''
    if (fieldRef) text = fieldValue(pod, fieldRef.fieldPath, facts())
    else if (resourceFieldRef) {
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
      const container = all.find(({ name }) => name === resourceFieldRef.containerName)
      if (!container) throw new Error(`container ${resourceFieldRef.containerName ?? ''} not found`)
      text = resourceValue(resourceFieldRef, container, facts().allocatable)
    }
    files.set(path, { data: Buffer.from(text), mode: own ?? mode })
  }
  return files
}

/** A token of the pod's service account, readable by those who run in the pod and by no one else where that can be told. */
export async function tokenFile(
  { path, audience = '', expirationSeconds = 3600 }: ServiceAccountTokenProjection,
  mode: number,
  { pod, tokens }: VolumeContext,
): Promise<Contents> {
  const { token, refreshAt } = await tokens.token(pod, audience, expirationSeconds)
  const file: PayloadFile = { data: Buffer.from(token), ...privateTo(pod, mode) }
  return { files: new Map([[path, file]]), refreshAt }
}
