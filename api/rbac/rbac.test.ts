import { describe, expect, it } from 'vitest'
import { cells, defaulted, faults } from '../machinery/kind-testing.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './index.ts'

const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }
const binding = (more: object = {}) => ({
  metadata: { name: 'b' },
  roleRef: { kind: 'ClusterRole', name: 'view' },
  subjects: [{ kind: 'User', name: 'alice' }],
  ...more,
})

describe('rules of roles', () => {
  it.each([
    ['a rule for resources', roles, rule, []],
    [
      'a rule without verbs',
      roles,
      { ...rule, verbs: [] },
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      'a rule without groups',
      roles,
      { ...rule, apiGroups: [] },
      ['rules[0].apiGroups: Required value: resource rules must supply at least one api group'],
    ],
    [
      'a rule without resources',
      clusterRoles,
      { ...rule, resources: [] },
      ['rules[0].resources: Required value: resource rules must supply at least one resource'],
    ],
    ['paths in a cluster role', clusterRoles, { verbs: ['get'], nonResourceURLs: ['/healthz'] }, []],
    [
      'paths in a role',
      roles,
      { verbs: ['get'], nonResourceURLs: ['/healthz'] },
      ['rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs'],
    ],
    [
      'paths beside resources',
      clusterRoles,
      { ...rule, nonResourceURLs: ['/x'] },
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
    ],
  ])('%s', (_, kind, one, expected) => {
    expect(faults(kind, { metadata: { name: 'r' }, rules: [one] })).toEqual(expected)
  })

  it('an aggregated role needs selectors that are sound', () => {
    const role = (clusterRoleSelectors: object[]) => ({
      metadata: { name: 'r' },
      aggregationRule: { clusterRoleSelectors },
    })
    expect(faults(clusterRoles, role([]))).toEqual([
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ])
    expect(faults(clusterRoles, role([{ matchLabels: { a: 'b' } }]))).toEqual([])
    expect(faults(clusterRoles, role([{ matchLabels: { a: 'b c' } }])).length).toBe(2)
  })
})

describe('bindings', () => {
  it('fill in the group of the role, of users and of groups, and leave service accounts alone', () => {
    const subjects = ['User', 'Group', 'ServiceAccount'].map((kind) => ({ kind, name: 'x' }))
    expect(defaulted(roleBindings, binding({ subjects }))).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [
        { apiGroup: 'rbac.authorization.k8s.io' },
        { apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount' },
      ],
    })
    expect(defaulted(roleBindings, binding({ subjects })).subjects).not.toHaveProperty('2.apiGroup')
  })

  it.each([
    ['a sound one', roleBindings, binding(), []],
    ['no subjects', roleBindings, binding({ subjects: [] }), []],
    [
      'a role of another kind',
      roleBindings,
      binding({ roleRef: { kind: 'Foo', name: 'x' } }),
      ['roleRef.kind: Unsupported value: "Foo": supported values: "Role", "ClusterRole"'],
    ],
    [
      'a role for the whole cluster',
      clusterRoleBindings,
      binding({ roleRef: { kind: 'Role', name: 'x' } }),
      ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ],
    [
      'a role of another group',
      roleBindings,
      binding({ roleRef: { kind: 'Role', name: 'x', apiGroup: 'foo' } }),
      ['roleRef.apiGroup: Unsupported value: "foo": supported values: "rbac.authorization.k8s.io"'],
    ],
    ['a role without name', roleBindings, binding({ roleRef: { kind: 'Role' } }), ['roleRef.name: Required value']],
    [
      'a subject without name',
      roleBindings,
      binding({ subjects: [{ kind: 'Group' }] }),
      ['subjects[0].name: Required value'],
    ],
    [
      'a subject of another kind',
      roleBindings,
      binding({ subjects: [{ kind: 'Dog', name: 'rex' }] }),
      ['subjects[0].kind: Unsupported value: "Dog": supported values: "ServiceAccount", "User", "Group"'],
    ],
    [
      'a service account with a group',
      roleBindings,
      binding({ subjects: [{ kind: 'ServiceAccount', name: 'a', apiGroup: 'x' }] }),
      ['subjects[0].apiGroup: Unsupported value: "x": supported values: ""'],
    ],
    [
      'a service account without namespace, in one',
      roleBindings,
      binding({ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }),
      [],
    ],
    [
      'a service account without namespace, in none',
      clusterRoleBindings,
      binding({ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }),
      ['subjects[0].namespace: Required value'],
    ],
  ])('%s', (_, kind, object, expected) => {
    expect(faults(kind, object)).toEqual(expected)
  })

  it('keep their role for ever', () => {
    expect(faults(roleBindings, binding({ roleRef: { kind: 'Role', name: 'view' } }), binding())).toEqual([
      'roleRef: Invalid value: {"kind":"Role","name":"view","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ])
  })

  it('show role and subjects', () => {
    const subjects = [
      { kind: 'User', name: 'a' },
      { kind: 'User', name: 'b' },
      { kind: 'ServiceAccount', name: 'c', namespace: 'n' },
    ]
    expect(cells(roleBindings, binding({ subjects }))).toMatchObject({
      Role: 'ClusterRole/view',
      Users: 'a, b',
      Groups: '',
      ServiceAccounts: 'n/c',
    })
  })
})
