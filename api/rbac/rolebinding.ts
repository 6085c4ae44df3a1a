import type { RoleBinding } from '../generated/types.ts'
import { pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { bindingColumns, defaultBinding, validateBinding } from './bindings.ts'

export const roleBindings = defineResource<Stored<RoleBinding>>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.rbac.v1.RoleBinding'),
  defaults: defaultBinding,
  validate: (binding, old) => validateBinding(binding, old, { roleKinds: ['Role', 'ClusterRole'], namespaced: true }),
  validateName: pathSegmentName,
  strategy: { createOnUpdate: true },
  columns: bindingColumns,
})
