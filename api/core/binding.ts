import type { Binding } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { plainColumns } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validatePodBinding } from './pod-binding.ts'

export type BindingObject = Stored<Binding>

/** A request to put a pod on a node; never stored itself. */
export const bindings = defineResource<BindingObject>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  namespaced: true,
  verbs: ['create'],
  schema: builtinSchema('io.k8s.api.core.v1.Binding'),
  validate: validatePodBinding,
  columns: plainColumns,
})
