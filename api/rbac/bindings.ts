import type { RoleRef, RbacV1Subject as Subject } from '../generated/types.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { nameIsDNSSubdomain, pathSegmentName } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Column } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'

/** What RoleBinding and ClusterRoleBinding have in common. */
export interface Binding extends KubeObject {
  roleRef: RoleRef
  subjects?: Subject[]
}

const rbacGroup = 'rbac.authorization.k8s.io'

/** Fills in the API groups of the role and of users and groups. */
export function defaultBinding(binding: Binding): void {
  if (binding.roleRef && !binding.roleRef.apiGroup) binding.roleRef.apiGroup = rbacGroup
  for (const subject of binding.subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = rbacGroup
  }
}

/** Faults of a binding to one of `roleKinds`. */
export function validateBinding(
  binding: Binding,
  old: Binding | undefined,
  { roleKinds, namespaced }: { roleKinds: readonly string[]; namespaced: boolean },
): FieldError[] {
  const errors: FieldError[] = []
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {}
  if (apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]))
  if (!roleKinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roleKinds))
  if (name === '') errors.push(required('roleRef.name'))
  else errors.push(...pathSegmentName(name, false).map((message) => invalid('roleRef.name', name, message)))
  for (const [i, subject] of (binding.subjects ?? []).entries()) {
    errors.push(...validateSubject(subject, namespaced, index('subjects', i)))
  }
  if (old && !semanticEqual(old.roleRef, binding.roleRef)) {
    errors.push(invalid('roleRef', binding.roleRef, 'cannot change roleRef'))
  }
  return errors
}

function validateSubject(subject: Subject, namespaced: boolean, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject
  if (name === '') errors.push(required(child(path, 'name')))
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') {
        errors.push(...nameIsDNSSubdomain(name, false).map((message) => invalid(child(path, 'name'), name, message)))
      }
      if (apiGroup !== '') errors.push(notSupported(child(path, 'apiGroup'), apiGroup, ['']))
      if (!namespaced && namespace === '') errors.push(required(child(path, 'namespace')))
      break
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) errors.push(notSupported(child(path, 'apiGroup'), apiGroup, [rbacGroup]))
      break
    default:
      errors.push(notSupported(child(path, 'kind'), kind, ['ServiceAccount', 'User', 'Group']))
  }
  return errors
}

const subjectsOf = (kind: string, show: (subject: Subject) => string) => (binding: Binding) =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(show)
    .join(', ')

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  {
    name: 'Role',
    type: 'string',
    description: 'The role that is bound.',
    value: ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`,
  },
  ageColumn,
  {
    name: 'Users',
    type: 'string',
    priority: 1,
    description: 'Users the role is bound to.',
    value: subjectsOf('User', ({ name }) => name),
  },
  {
    name: 'Groups',
    type: 'string',
    priority: 1,
    description: 'Groups the role is bound to.',
    value: subjectsOf('Group', ({ name }) => name),
  },
  {
    name: 'ServiceAccounts',
    type: 'string',
    priority: 1,
    description: 'Service accounts the role is bound to.',
    value: subjectsOf('ServiceAccount', ({ namespace, name }) => `${namespace ?? ''}/${name}`),
  },
]
