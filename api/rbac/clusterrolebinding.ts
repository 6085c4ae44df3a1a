import type { ClusterRoleBinding } from '../generated/types.ts'
import { pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { bindingColumns, defaultBinding, validateBinding } from './bindings.ts'

export const clusterRoleBindings = defineResource<Stored<ClusterRoleBinding>>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.rbac.v1.ClusterRoleBinding'),
  defaults: defaultBinding,
  validate: (binding, old) => validateBinding(binding, old, { roleKinds: ['ClusterRole'], namespaced: false }),
  validateName: pathSegmentName,
  strategy: { createOnUpdate: true },
  columns: bindingColumns,
})
