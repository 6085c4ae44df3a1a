import type { KubeObject } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import type { Schema } from '../machinery/schema.ts'

/** Several writes as one: all or nothing, at one revision. Answered, never stored. */
export interface Transaction extends KubeObject {
  spec: { operations: { operation?: 'create' | 'update' | 'apply' | 'delete'; object: KubeObject }[] }
}

const object: Schema = { type: 'any' }
const operation: Schema = {
  type: 'object',
  properties: new Map<string, Schema>([
    ['operation', { type: 'string' }],
    ['object', object],
  ]),
  required: ['object'],
}

export const transactions = defineResource<Transaction>({
  group: 'gantry.dev',
  version: 'v1',
  kind: 'Transaction',
  plural: 'transactions',
  namespaced: false,
  schema: {
    type: 'object',
    name: 'dev.gantry.v1.Transaction',
    properties: new Map<string, Schema>([
      ['apiVersion', { type: 'string' }],
      ['kind', { type: 'string' }],
      ['metadata', { type: 'any' }],
      [
        'spec',
        {
          type: 'object',
          properties: new Map<string, Schema>([
            ['operations', { type: 'array', items: operation, listType: 'atomic' }],
          ]),
          required: ['operations'],
        },
      ],
      ['status', { type: 'any' }],
    ]),
  },
  verbs: ['create'],
})
