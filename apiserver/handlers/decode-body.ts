import { DecodeError, decodeObject } from '../../api/machinery/decode.ts'
import {
  badRequestError,
  invalidError,
  type StatusError,
  unsupportedMediaTypeError,
} from '../../api/machinery/errors.ts'
import { notSupported } from '../../api/machinery/field-errors.ts'
import { duplicateFields, hasDuplicates, parseJson, parseYaml } from '../../api/machinery/json.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { decodeProtobuf, protobufType } from '../protobuf/decode.ts'
import type { Endpoint, Scope } from './context.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** The request's fieldValidation; Warn when it names none. Throws 422. */
export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const value = query.get('fieldValidation') || 'Warn'
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value
  throw invalidError({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [
    notSupported('fieldValidation', value, ['', 'Ignore', 'Strict', 'Warn']),
  ])
}

/** What there is to say of a body whose fields at `unknown` nobody knows: of those, and of keys named twice. */
export type Faults = (unknown: readonly string[]) => string[]

/** Of unknown fields alone. */
export const unknownOnly: Faults = (unknown) => unknown.map(unknownField)
const unknownField = (path: string): string => `unknown field ${JSON.stringify(path)}`

/** A body as a JSON value; YAML and, for built-in types, protobuf are read too. Throws 400 and 415. */
export function parseBody(
  body: Buffer,
  contentType: string | undefined,
  schema: Schema,
): { value: unknown; faults: Faults } {
  const type = (contentType ?? 'application/json').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  try {
    if (type === protobufType) return { value: decodeProtobuf(schema, body), faults: unknownOnly }
    const text = body.toString()
    if (type === 'application/json' || type === '') {
      const value = parseJson(text)
      return { value, faults: faultsOfJson(text, hasDuplicates(text, value)) }
    }
    if (type === 'application/yaml' || type === 'application/x-yaml' || type === 'text/yaml') {
      const { value, duplicates } = parseYaml(text)
      return { value, faults: (unknown) => [...yamlFault(duplicates), ...unknownOnly(unknown)] }
    }
  } catch (error) {
    throw badRequestError(
      `the object provided is unrecognized (must be of type ${type.includes('yaml') ? 'YAML' : type === protobufType ? 'protobuf' : 'JSON'}): ${(error as Error).message}`,
    )
  }
  throw unsupportedMediaTypeError(
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${protobufType}`,
  )
}

/** Faults in the order in which a text of JSON has them. */
const faultsOfJson =
  (text: string, duplicates: boolean): Faults =>
  (unknown) =>
    duplicates || unknown.length > 0
      ? duplicateFields(text, new Map(unknown.map((path) => [path, unknownField(path)])))
      : []

const yamlPrefix = 'yaml: unmarshal errors:\n  '

/** Keys that YAML names twice, as the one fault that upstream makes of them. */
export const yamlFault = (duplicates: readonly string[]): string[] =>
  duplicates.length > 0 ? [yamlPrefix + duplicates.join('\n  ')] : []

/** Warnings are told one by one, those in {@link yamlFault} too. */
export function warnOf(faults: readonly string[], warn: (message: string) => void): void {
  for (const fault of faults) {
    if (!fault.startsWith(yamlPrefix)) warn(fault)
    else for (const line of fault.slice(yamlPrefix.length).split('\n  ')) warn(line)
  }
}

/**
 * The body of a create or update: of the right kind, known fields only, defaulted, in the storage version. Faults that
 * strict validation refuses become warnings where it is off.
 */
export function decodeBody(scope: Scope, body: Buffer): AnyObject {
  const { endpoint, info, req, warn } = scope
  const mode = fieldValidationOf(info.query)
  const { value, faults } = parseBody(body, req.headers['content-type'], endpoint.schema)
  const object = checkKind(value, endpoint.apiVersion, endpoint.resource.kind)
  return fromWire(endpoint, object, { mode, faults, warn })
}

export interface DecodeRules {
  mode: FieldValidation
  /** Default: unknown fields are the only ones. */
  faults?: Faults
  warn?: (message: string) => void
  /** The refusal of what cannot be decoded; default 400. */
  refuse?: (why: string) => StatusError
}

/** A JSON object of the endpoint's version, checked and defaulted, in the storage version. */
export function fromWire(endpoint: Endpoint, value: AnyObject, rules: DecodeRules): AnyObject {
  const { served, resource } = endpoint
  const decoded = decodeAs(endpoint.schema, value, resource.kind, endpoint.version, rules)
  // The registry has it converted; until then it says what it is.
  if (resource.convert) return Object.assign(decoded, { apiVersion: endpoint.apiVersion })
  if (!served) {
    resource.defaults?.(decoded)
    return decoded
  }
  served.defaults?.(decoded)
  const stored = served.toStorage(decoded)
  resource.defaults?.(stored)
  return stored
}

/** Decodes by a schema with upstream's words for what is wrong. Throws 400 unless the rules say otherwise. */
export function decodeAs(
  schema: Schema,
  value: unknown,
  kind: string,
  version: string,
  { mode, faults = unknownOnly, warn = () => {}, refuse }: DecodeRules,
): AnyObject {
  const cannot =
    refuse ??
    ((why: string) =>
      badRequestError(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`))
  let decoded: { object: Record<string, unknown>; unknown: string[] }
  try {
    decoded = decodeObject(schema, value, { mode })
  } catch (error) {
    if (error instanceof DecodeError) throw cannot(error.message)
    throw error
  }
  const all = mode === 'Ignore' ? [] : faults(decoded.unknown)
  if (all.length > 0 && mode === 'Strict') throw cannot(`strict decoding error: ${all.join(', ')}`)
  warnOf(all, warn)
  const object = decoded.object as AnyObject
  object.metadata ??= {}
  return object
}

/** The object, if it is one of the kind or does not say. Throws 400. */
export function checkKind(value: unknown, apiVersion: string, kind: string): AnyObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequestError(`couldn't get version/kind; json parse error: the body must be a JSON object of kind ${kind}`)
  }
  const object = value as AnyObject
  if (object.apiVersion && object.apiVersion !== apiVersion) {
    throw badRequestError(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (object.kind && object.kind !== kind) {
    throw badRequestError(
      `${object.kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind}: the kind in the data (${object.kind}) does not match the expected kind (${kind})`,
    )
  }
  return object
}
