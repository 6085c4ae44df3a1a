import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { sameJson } from '../../registry/json.ts'
import { type Counterparts, counterpartsIn, fieldOf } from './keyed-items.ts'
import type { ValueFault } from './value-faults.ts'

/**
 * The faults that an update brings: what was there before and has not changed may stay, although a schema that has become
 * stricter would not let it in. Items of lists are told by their keys; where there are none, a list is one value.
 */
export function newFaults(
  faults: readonly ValueFault[],
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps | undefined,
): ValueFault[] {
  const compared: Compared = { same: new Map(), counterparts: new Map() }
  return faults.filter(({ steps }) => !isUnchanged(steps, value, old, schema, compared))
}

/** What has been found out on the way to other faults: thousands may lie in one list. */
interface Compared {
  same: Map<unknown, boolean>
  counterparts: Map<unknown, Counterparts>
}

/** Whether the value at the steps, or any that holds it, is as it was. */
function isUnchanged(
  steps: readonly (string | number)[],
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps | undefined,
  compared: Compared,
): boolean {
  if (old === undefined) return false
  if (isSame(value, old, compared)) return true
  const [step, ...rest] = steps
  if (step === undefined) return false
  if (typeof step === 'number') {
    const item = (value as unknown[])[step]
    let find = compared.counterparts.get(value)
    if (!find) {
      find = counterpartsIn(old, schema)
      compared.counterparts.set(value, find)
    }
    return isUnchanged(rest, item, find(item), asSchema(schema?.items), compared)
  }
  const inner = schema && (propertyOf(schema, step) ?? asSchema(schema.additionalProperties))
  return isUnchanged(rest, fieldOf(value, step), fieldOf(old, step), inner, compared)
}

/** A value has one place, and so one that it takes the place of. */
function isSame(value: unknown, old: unknown, { same }: Compared): boolean {
  if (typeof value !== 'object') return sameJson(value, old)
  let known = same.get(value)
  if (known === undefined) {
    known = sameJson(value, old)
    same.set(value, known)
  }
  return known
}
