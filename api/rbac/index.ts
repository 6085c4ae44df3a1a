import type { Resource } from '../machinery/resource.ts'
import { clusterRoles } from './clusterrole.ts'
import { clusterRoleBindings } from './clusterrolebinding.ts'
import { roles } from './role.ts'
import { roleBindings } from './rolebinding.ts'

export { clusterRoleBindings, clusterRoles, roleBindings, roles }
export const rbacResources: readonly Resource[] = [clusterRoles, clusterRoleBindings, roles, roleBindings]
