import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { DecodeError, decodeObject } from '../../../api/machinery/decode.ts'
import { setField } from '../../../api/patch/json.ts'
import { builtinSchema } from '../../../api/schema/builtin.ts'

type JsonObject = Record<string, unknown>

/** Brings a whole object into the form of its schema; tells the paths of fields that nobody knows, if it is to. */
export type Form = (value: JsonObject, unknown?: string[]) => JsonObject

/**
 * What upstream does to custom resources as it decodes them: fields that the schema does not name are dropped, so are
 * nulls where none may be, defaults are filled in, and metadata takes the form it has in all objects. What is wrong with
 * the values is for validation to say. Changes nothing of its argument, and shares with it only what it keeps as it came.
 */
export const formOf =
  (schema: JSONSchemaProps | undefined): Form =>
  (value, unknown) =>
    shapeObject(value, schema, { unknown, path: [] }, true)

interface Run {
  unknown: string[] | undefined
  path: (string | number)[]
}

const metaFields = new Set(['apiVersion', 'kind', 'metadata'])
const metadataSchema = () => builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')

const isRecord = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function shape(value: unknown, schema: JSONSchemaProps | undefined, run: Run): unknown {
  if (Array.isArray(value)) return shapeList(value, schema, run)
  return isRecord(value) ? shapeObject(value, schema, run, false) : value
}

function shapeList(list: unknown[], schema: JSONSchemaProps | undefined, run: Run): unknown[] {
  const items = asSchema(schema?.items)
  if (!items && schema?.['x-kubernetes-preserve-unknown-fields']) return list
  return list.map((item, i) =>
    within(run, i, () => shape(isLostNull(item, items) ? defaultOf(items) : item, items, run)),
  )
}

function shapeObject(value: JsonObject, schema: JSONSchemaProps | undefined, run: Run, isRoot: boolean): JsonObject {
  const result: JsonObject = {}
  const isResource = isRoot || schema?.['x-kubernetes-embedded-resource'] === true
  const others = schema?.additionalProperties
  const otherFields = asSchema(others)
  for (const name of Object.keys(value)) {
    const field = value[name]
    if (isResource && metaFields.has(name)) {
      const meta = shapeMeta(name, field, run)
      if (meta !== undefined) result[name] = meta
      continue
    }
    const property = schema && propertyOf(schema, name)
    if (!property && others === undefined) {
      if (schema?.['x-kubernetes-preserve-unknown-fields']) setField(result, name, field)
      else run.unknown?.push(pathOf([...run.path, name]))
      continue
    }
    const inner = property ?? otherFields
    if (isLostNull(field, inner) && defaultOf(inner) === undefined) continue
    const start = isLostNull(field, inner) ? defaultOf(inner) : field
    setField(
      result,
      name,
      within(run, name, () => shape(start, inner, run)),
    )
  }
  for (const [name, property] of Object.entries(schema?.properties ?? {})) {
    if (Object.hasOwn(result, name) || (isResource && metaFields.has(name))) continue
    const start = defaultOf(property)
    if (start !== undefined) setField(result, name, shape(start, property, { unknown: undefined, path: [] }))
  }
  return result
}

/** A null where there can be none: the default takes its place, or it goes. */
const isLostNull = (value: unknown, schema: JSONSchemaProps | undefined): boolean =>
  value === null && schema !== undefined && !schema.nullable

/** A copy of the default; undefined: there is none. */
function defaultOf(schema: JSONSchemaProps | undefined): unknown {
  const value = schema?.default
  return value === null || value === undefined ? undefined : structuredClone(value)
}

/** Kind, version and metadata of an object, or of one inside another. Throws DecodeError. */
function shapeMeta(name: string, value: unknown, run: Run): unknown {
  if (name !== 'metadata') {
    if (typeof value === 'string') return value
    throw new DecodeError(`${pathOf([...run.path, name])}: Invalid value: ${JSON.stringify(value)}: must be a string`)
  }
  if (value === null || value === undefined) return undefined
  const { object, unknown } = decodeObject(metadataSchema(), value, { mode: run.unknown ? 'Strict' : 'Ignore' })
  run.unknown?.push(...unknown.map((path) => pathOf([...run.path, name, path])))
  return object
}

function within<T>(run: Run, step: string | number, work: () => T): T {
  run.path.push(step)
  const result = work()
  run.path.pop()
  return result
}

const pathOf = (steps: readonly (string | number)[]): string =>
  steps.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
    '',
  )
