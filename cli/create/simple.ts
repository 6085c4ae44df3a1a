import { creating, oneName } from './creating.ts'

/** Kinds that are made by their name alone. */
export const namespace = creating<object>({
  summary: 'a namespace',
  usage: 'NAME',
  examples: ['gantry create namespace shop'],
  define() {},
  make: (args) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: oneName(args, 'namespace') },
    spec: {},
    status: {},
  }),
})

export const serviceaccount = creating<object>({
  summary: 'a service account',
  usage: 'NAME',
  examples: ['gantry create serviceaccount robot'],
  define() {},
  make: (args) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: oneName(args, 'service account') } }),
})
