import type { Schema } from '../machinery/schema.ts'
import { builtinSchema } from '../schema/builtin.ts'

export const text: Schema = { type: 'string' }
export const truth: Schema = { type: 'boolean' }
export const moment: Schema = { type: 'time' }
export const long: Schema = { type: 'integer', format: 'int64' }

/** An object of these fields. */
export const fields = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
  ...(required.length > 0 ? { required } : {}),
})

/** The structure of a kind of the group. No published model has it: it is that of its custom resource definition. */
export const kindSchema = (kind: string, own: Record<string, Schema>, required: readonly string[]): Schema => ({
  ...fields(
    {
      apiVersion: text,
      kind: text,
      metadata: builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'),
      ...own,
    },
    required,
  ),
  name: `io.k8s.storage.snapshot.v1.${kind}`,
})

export const errorSchema = fields({ message: text, time: moment })
