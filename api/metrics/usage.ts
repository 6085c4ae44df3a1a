import type { Quantity } from '../generated/types.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Column } from '../machinery/resource.ts'
import type { Schema } from '../machinery/schema.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** CPU as a rate over the window, memory as it is. */
export interface Usage {
  cpu: Quantity
  memory: Quantity
}

export const usageSchema: Schema = { type: 'map', values: { type: 'quantity' } }

/** The structure of a kind that tells what was measured when, and over how long. */
export const measured = (name: string, own: [field: string, schema: Schema]): Schema => ({
  type: 'object',
  name,
  properties: new Map<string, Schema>([
    ['apiVersion', { type: 'string' }],
    ['kind', { type: 'string' }],
    ['metadata', builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')],
    ['timestamp', { type: 'time' }],
    ['window', { type: 'string' }],
    own,
  ]),
  required: ['timestamp', 'window', own[0]],
})

/** What is used of the processors, in whichever way the kind tells it. */
export const cpuColumn = <T extends KubeObject>(used: (object: T) => Quantity | undefined): Column<T> => ({
  name: 'cpu',
  type: 'string',
  description: 'Processors in use, over the window.',
  value: (object) => String(used(object) ?? ''),
})

/** What is used of the memory. */
export const memoryColumn = <T extends KubeObject>(used: (object: T) => Quantity | undefined): Column<T> => ({
  name: 'memory',
  type: 'string',
  description: 'Memory in use that cannot be given back at once.',
  value: (object) => String(used(object) ?? ''),
})

export const windowColumn: Column<KubeObject & { window?: string }> = {
  name: 'Window',
  type: 'string',
  description: 'Over how long was measured.',
  value: ({ window }) => window ?? '',
}
