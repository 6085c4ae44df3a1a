import type { Role } from '../generated/types.ts'
import { pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { plainColumns } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateRules } from './rules.ts'

export const roles = defineResource<Stored<Role>>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.rbac.v1.Role'),
  validate: (role) => validateRules(role.rules, true),
  validateName: pathSegmentName,
  strategy: { createOnUpdate: true },
  columns: plainColumns,
})
