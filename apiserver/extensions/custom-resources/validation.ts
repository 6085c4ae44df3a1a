import { propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import type { CustomResourceSubresourceScale, JSONSchemaProps } from '../../../api/generated/types.ts'
import { type FieldError, invalid } from '../../../api/machinery/field-errors.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { embeddedFaults } from './embedded.ts'
import { fieldOf } from './keyed-items.ts'
import { listFaults } from './list-rules.ts'
import { newFaults } from './ratcheting.ts'
import type { RuleCheck } from './rules.ts'
import { compileCheck, type ValueCheck } from './value-faults.ts'

/** What a version of a custom resource demands of its objects. */
export interface Rules {
  /** Faults of a new object, or of one that takes the place of `old`. */
  validate(object: AnyObject, old: AnyObject | undefined): FieldError[]
  /** Faults of a new status. */
  validateStatus(object: AnyObject, old: AnyObject | undefined): FieldError[]
}

/** Compiles the expressions of a schema; handed in, for most schemas have none, and the engine is large. */
export type CompileRules = (schema: JSONSchemaProps) => RuleCheck | undefined

/** The rules of a schema. Checks are compiled when the first object comes. */
export function rulesOf(
  schema: JSONSchemaProps | undefined,
  scale: CustomResourceSubresourceScale | undefined,
  compileRules?: CompileRules,
): Rules {
  const expressions = schema && compileRules?.(schema)
  const judged = (object: AnyObject, old: AnyObject | undefined, errors: FieldError[]): FieldError[] => {
    if (!expressions) return errors
    return errors.some(({ type }) => blocking.has(type))
      ? [...errors, invalid('<nil>', null, notJudged)]
      : [...errors, ...expressions(object, old, '')]
  }
  let whole: ValueCheck | undefined
  let ofStatus: ValueCheck | undefined
  const status = schema && propertyOf(schema, 'status')
  return {
    validate(object, old) {
      whole ??= compileCheck(schema ?? {})
      const faults = whole(object, '')
      const errors = old ? newFaults(faults, object, old, schema) : faults
      return judged(object, old, [
        ...errors.map(({ error }) => error),
        ...scaleSpecFaults(object, scale),
        ...scaleStatusFaults(object, scale),
        ...embeddedFaults(object, schema),
        // Doubles that were there before may stay.
        ...(old && listFaults(old, schema).length > 0 ? [] : listFaults(object, schema)),
      ])
    },
    validateStatus(object, old) {
      if (object.status === undefined) return scaleStatusFaults(object, scale)
      ofStatus ??= compileCheck(status ?? {})
      const faults = newFaults(ofStatus(object.status, 'status'), object.status, old?.status, status)
      const isBad = (value: AnyObject | undefined) => (value ? listFaults(value, schema) : [])
      return judged(object, old, [
        ...faults.map(({ error }) => error),
        ...scaleStatusFaults(object, scale),
        ...embeddedFaults(object, schema),
        ...(isBad(old).length > 0 ? [] : isBad(object)),
      ])
    },
  }
}

/** Of an object with such faults rules cannot be judged. */
const blocking = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const notJudged =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

const maxInt32 = 2 ** 31 - 1

function scaleSpecFaults(object: AnyObject, scale: CustomResourceSubresourceScale | undefined): FieldError[] {
  return scale ? replicaFaults(object, scale.specReplicasPath) : []
}

function scaleStatusFaults(object: AnyObject, scale: CustomResourceSubresourceScale | undefined): FieldError[] {
  if (!scale) return []
  const { statusReplicasPath, labelSelectorPath } = scale
  const errors = replicaFaults(object, statusReplicasPath)
  const selector = labelSelectorPath ? valueAt(object, labelSelectorPath) : undefined
  if (labelSelectorPath && selector !== undefined && typeof selector !== 'string') {
    errors.push(
      invalid(
        labelSelectorPath,
        '',
        `${labelSelectorPath} accessor error: ${print(selector)} is of the type ${goType(selector)}, expected string`,
      ),
    )
  }
  return errors
}

function replicaFaults(object: AnyObject, path: string): FieldError[] {
  const replicas = valueAt(object, path) ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    return [
      invalid(path, 0, `${path} accessor error: ${print(replicas)} is of the type ${goType(replicas)}, expected int64`),
    ]
  }
  if (replicas < 0) return [invalid(path, replicas, 'should be a non-negative integer')]
  return replicas > maxInt32 ? [invalid(path, replicas, `should be less than or equal to ${maxInt32}`)] : []
}

const valueAt = (object: AnyObject, path: string): unknown =>
  path.replace(/^\./, '').split('.').reduce<unknown>(fieldOf, object)

const print = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const goType = (value: unknown): string =>
  typeof value === 'number'
    ? Number.isInteger(value)
      ? 'int64'
      : 'float64'
    : Array.isArray(value)
      ? '[]interface {}'
      : typeof value === 'object'
        ? 'map[string]interface {}'
        : typeof value === 'boolean'
          ? 'bool'
          : 'string'
