import type { Resource } from '../../api/machinery/resource.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { builtinType, isValueStruct, isZeroScalar } from '../patch/zero-values.ts'

/**
 * The status of a built-in object that nobody has written yet, as upstream's form always has it: counts that are always
 * there are zero. Clients read `status.replicas` without asking whether there is a status. Undefined: the kind has none.
 */
export function emptyStatusOf({ schema }: Resource): Record<string, unknown> | undefined {
  const type = builtinType(schema.name)
  if (type === undefined || !isValueStruct(type, 'status')) return undefined
  return emptyStruct(schema.properties?.get('status') as Schema)
}

function emptyStruct({ name, properties, required }: Schema): Record<string, unknown> {
  const type = builtinType(name) ?? ''
  const struct: Record<string, unknown> = {}
  for (const [field, inner] of properties ?? []) {
    if (isValueStruct(type, field)) struct[field] = emptyStruct(inner)
    else if (required?.includes(field) || isZeroScalar(type, field)) {
      const zero = zeros[inner.type]
      if (zero !== undefined) struct[field] = zero
    }
  }
  return struct
}

const zeros: Partial<Record<Schema['type'], unknown>> = { string: '', integer: 0, number: 0, boolean: false }
