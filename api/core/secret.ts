import type { Secret } from '../generated/types.ts'
import { type FieldError, invalid, key, required, tooLong } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { isConfigMapKey } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { immutableFaults, maxContentBytes } from './configmap.ts'
import { keyPairFault } from './key-pair.ts'

export type SecretObject = Stored<Secret>

export const secrets = defineResource<SecretObject>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.Secret'),
  defaults(secret) {
    secret.type ||= 'Opaque'
    mergeStringData(secret)
  },
  validate: (secret, old) => [
    ...(old ? immutable(secret.type, old.type, 'type') : []),
    ...(old?.immutable ? immutableFaults(secret, old, ['data']) : []),
    ...validateData(secret),
    ...validateByType(secret),
  ],
  warnings({ type, data = {} }) {
    if (type !== 'kubernetes.io/tls') return []
    const fault = keyPairFault(plain(data['tls.crt']), plain(data['tls.key']))
    return fault === undefined ? [] : [fault]
  },
  selectableFields: { type: ({ type }) => type ?? '' },
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', description: 'What the secret is for.', value: ({ type }) => type ?? '' },
    {
      name: 'Data',
      type: 'string',
      description: 'How many entries it holds.',
      value: ({ data = {} }) => Object.keys(data).length,
    },
    ageColumn,
  ],
})

const serviceAccountName = 'kubernetes.io/service-account.name'

/** stringData is write-only: it is folded into data, over what stands there. */
function mergeStringData(secret: SecretObject): void {
  const { stringData } = secret
  if (!stringData) return
  for (const [name, text] of Object.entries(stringData)) {
    secret.data ??= {}
    secret.data[name] = Buffer.from(text).toString('base64')
  }
  delete secret.stringData
}

function validateData({ data = {} }: SecretObject): FieldError[] {
  let bytes = 0
  const errors = Object.entries(data).flatMap(([name, value]) => {
    bytes += Buffer.byteLength(value ?? '', 'base64')
    return isConfigMapKey(name).map((fault) => invalid(key('data', name), name, fault))
  })
  return bytes > maxContentBytes ? [...errors, tooLong('data', maxContentBytes)] : errors
}

function validateByType({ metadata, type, data = {} }: SecretObject): FieldError[] {
  const needed = (name: string) => (Object.hasOwn(data, name) ? [] : [required(key('data', name))])
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return metadata.annotations?.[serviceAccountName]
        ? []
        : [required(key('metadata.annotations', serviceAccountName))]
    case 'kubernetes.io/dockercfg':
      return validateJson(data, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return validateJson(data, '.dockerconfigjson')
    case 'kubernetes.io/basic-auth': {
      // One of the two is enough, and either may be empty.
      const faults = [...needed('username'), ...needed('password')]
      return faults.length === 2 ? faults : []
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required(key('data', 'ssh-privatekey'))]
    case 'kubernetes.io/tls':
      return [...needed('tls.crt'), ...needed('tls.key')]
    default:
      return []
  }
}

/** The entry must be there and hold a JSON object; the message never shows its content. */
function validateJson(data: Record<string, string>, name: string): FieldError[] {
  const path = key('data', name)
  if (!Object.hasOwn(data, name)) return [required(path)]
  const fault = jsonObjectFault(plain(data[name]))
  return fault === undefined ? [] : [invalid(path, '<secret contents redacted>', fault)]
}

function jsonObjectFault(text: string): string | undefined {
  if (text === '') return 'unexpected end of JSON input'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message may quote the secret.
    return 'invalid JSON'
  }
  if (typeof value === 'object' && !Array.isArray(value)) return undefined
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`
}

const plain = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString()
