import type { ConfigMap } from '../generated/types.ts'
import { type FieldError, forbidden, invalid, key, tooLong } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { isConfigMapKey } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type ConfigMapObject = Stored<ConfigMap>

export const configMaps = defineResource<ConfigMapObject>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.ConfigMap'),
  validate: (configMap, old) => [
    ...(old?.immutable ? immutableFaults(configMap, old, ['data', 'binaryData']) : []),
    ...validateContent(configMap),
  ],
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      description: 'How many entries it holds.',
      value: ({ data, binaryData }) => countKeys(data) + countKeys(binaryData),
    },
    ageColumn,
  ],
})

/** The most bytes that the values of a config map or a secret take together. */
export const maxContentBytes = 1024 * 1024

/** Faults of an update of an object that was sealed with `immutable: true`. */
export function immutableFaults<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  const sealed = (field: string) => forbidden(field, 'field is immutable when `immutable` is set')
  return [
    ...(object.immutable ? [] : [sealed('immutable')]),
    ...fields.flatMap((field) => (semanticEqual(object[field], old[field]) ? [] : [sealed(field)])),
  ]
}

function validateContent({ data = {}, binaryData = {} }: ConfigMapObject): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [name, value] of Object.entries(data)) {
    for (const fault of isConfigMapKey(name)) errors.push(invalid(key('data', name), name, fault))
    if (Object.hasOwn(binaryData, name))
      errors.push(invalid(key('data', name), name, 'duplicate of key present in binaryData'))
    bytes += Buffer.byteLength(value)
  }
  for (const [name, value] of Object.entries(binaryData)) {
    for (const fault of isConfigMapKey(name)) errors.push(invalid(key('binaryData', name), name, fault))
    bytes += Buffer.byteLength(value, 'base64')
  }
  // No path: the object as a whole is too long.
  if (bytes > maxContentBytes) errors.push(tooLong('', maxContentBytes))
  return errors
}

const countKeys = (map: object | undefined): number => (map ? Object.keys(map).length : 0)
