import { expect, it } from 'vitest'
import { builtinDefinitions, builtinSchema } from '../../api/schema/builtin.ts'
import { builtinType, isValueStruct, isZeroScalar, listedFields } from './zero-values.ts'

it('every field said to be always there exists, and is a struct or a scalar as said', () => {
  const byType = new Map(builtinDefinitions().map((definition) => [builtinType(definition), definition]))
  for (const [type, field] of listedFields()) {
    const definition = byType.get(type)
    expect(definition, type).toBeDefined()
    const schema = builtinSchema(definition as string).properties?.get(field)
    expect(schema, `${type}.${field}`).toBeDefined()
    if (isValueStruct(type, field)) expect(schema?.type, `${type}.${field}`).toBe('object')
    if (isZeroScalar(type, field)) expect(['string', 'integer', 'boolean'], `${type}.${field}`).toContain(schema?.type)
  }
})
