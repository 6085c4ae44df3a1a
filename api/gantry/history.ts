import { defineResource, type Resource } from '../machinery/resource.ts'
import type { Schema } from '../machinery/schema.ts'

/** How far history reaches, and which revision was the newest at a time. Answered, never stored. */
export const moments = answered('Moment', 'moments', false)
/** Every version of one object. */
export const histories = answered('History', 'histories', true)
/** Objects of any kind as they were. */
export const pastObjects = answered('PastObject', 'pastobjects', true)
/** What was written from one moment to another, by whom. */
export const changes = answered('Change', 'changes', true)

function answered(kind: string, plural: string, namespaced: boolean): Resource {
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
    verbs: ['list'],
  })
}

export const historyResources = [changes, histories, moments, pastObjects]
