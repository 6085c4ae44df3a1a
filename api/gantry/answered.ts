import { defineResource, type Resource } from '../machinery/resource.ts'
import type { Schema } from '../machinery/schema.ts'

/** A kind that the API server works out when it is asked, and never stores. */
export function answered(
  kind: string,
  plural: string,
  namespaced: boolean,
  verbs: Resource['verbs'] = ['list'],
): Resource {
  const any: Schema = { type: 'any' }
  return defineResource({
    group: 'gantry.dev',
    version: 'v1',
    kind,
    plural,
    namespaced,
    schema: {
      type: 'object',
      name: `dev.gantry.v1.${kind}`,
      properties: new Map<string, Schema>([
        ['apiVersion', { type: 'string' }],
        ['kind', { type: 'string' }],
        ['metadata', any],
      ]),
    },
    verbs,
  })
}
