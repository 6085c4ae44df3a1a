import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { sameJson } from '../../registry/json.ts'
import type { ValueFault } from './value-faults.ts'

/**
 * The faults that an update brings: what was there before and has not changed may stay, although a schema that has become
 * stricter would not let it in. Items of lists are told by their keys; where there are none, a list is one value.
 */
export const newFaults = (
  faults: readonly ValueFault[],
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps | undefined,
): ValueFault[] => faults.filter(({ steps }) => !isUnchanged(steps, value, old, schema))

/** Whether the value at the steps, or any that holds it, is as it was. */
function isUnchanged(
  steps: readonly (string | number)[],
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps | undefined,
): boolean {
  if (old === undefined) return false
  if (sameJson(value, old)) return true
  const [step, ...rest] = steps
  if (step === undefined) return false
  if (typeof step === 'number') {
    const item = (value as unknown[])[step]
    return isUnchanged(rest, item, counterpart(item, old, schema), asSchema(schema?.items))
  }
  const inner = schema && (propertyOf(schema, step) ?? asSchema(schema.additionalProperties))
  return isUnchanged(rest, fieldOf(value, step), fieldOf(old, step), inner)
}

/** The item of the old list that has the same keys. */
function counterpart(item: unknown, old: unknown, schema: JSONSchemaProps | undefined): unknown {
  if (schema?.['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return old.find((other) => keys.every((key) => sameJson(fieldOf(item, key), fieldOf(other, key))))
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
