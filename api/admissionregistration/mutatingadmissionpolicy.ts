import type { MutatingAdmissionPolicy, MutatingAdmissionPolicySpec, Mutation } from '../generated/types.ts'
import { expressionFault } from '../machinery/compilers.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { paramKindCell, validatePolicySpec } from './policies.ts'
import { defaultMatchResources, reinvocationPolicies } from './rules.ts'

type Policy = Stored<MutatingAdmissionPolicy>

export const mutatingAdmissionPolicies = defineResource<Policy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy'),
  defaults: (policy) => {
    policy.spec ??= {}
    policy.spec.failurePolicy ??= 'Fail'
    defaultMatchResources(policy.spec.matchConstraints)
  },
  validate: validatePolicy,
  strategy: { generation: 'spec', unconditionalUpdate: false },
  columns: [
    nameColumn,
    {
      name: 'Mutations',
      type: 'integer',
      description: 'Mutation indicates the number of mutations rules defined in this configuration',
      value: ({ spec }) => spec?.mutations?.length ?? 0,
    },
    {
      name: 'ParamKind',
      type: 'string',
      description: 'ParamKind specifies the kind of resources used to parameterize this policy',
      value: ({ spec }) => paramKindCell(spec?.paramKind),
    },
    ageColumn,
  ],
})

function validatePolicy({ spec = {} }: Policy, old: Policy | undefined): FieldError[] {
  const errors = validatePolicySpec(spec, old?.spec, { mutating: true })
  const { mutations = [], reinvocationPolicy = '' } = spec
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  const known = knownExpressions(old?.spec)
  for (const [i, mutation] of mutations.entries()) {
    errors.push(...validateMutation(mutation, index('spec.mutations', i), known))
  }
  if (reinvocationPolicy === '') errors.push(required('spec.reinvocationPolicy'))
  else if (!reinvocationPolicies.includes(reinvocationPolicy)) {
    errors.push(notSupported('spec.reinvocationPolicy', reinvocationPolicy, reinvocationPolicies))
  }
  return errors
}

const knownExpressions = (old: MutatingAdmissionPolicySpec | undefined): ReadonlySet<string> =>
  new Set(
    old?.mutations?.flatMap(({ applyConfiguration, jsonPatch }) => [
      applyConfiguration?.expression ?? '',
      jsonPatch?.expression ?? '',
    ]),
  )

/** Patch types, each with the field that holds it. */
const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function validateMutation(mutation: Mutation, path: string, known: ReadonlySet<string>): FieldError[] {
  const { patchType = '' } = mutation
  if (patchType === '') return [required(child(path, 'patchType'))]
  if (!Object.hasOwn(patchFields, patchType)) {
    return [notSupported(child(path, 'patchType'), patchType, Object.keys(patchFields))]
  }
  const field = patchFields[patchType as keyof typeof patchFields]
  const other = field === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch'
  const errors: FieldError[] = []
  const patch = mutation[field]
  if (!patch) errors.push(required(child(path, field), `must be specified when patchType is ${patchType}`))
  else {
    const at = child(path, field, 'expression')
    const expression = (patch.expression ?? '').trim()
    const fault = known.has(patch.expression ?? '') ? undefined : expressionFault(expression, field)
    if (expression === '') errors.push(required(at))
    else if (fault) errors.push(invalid(at, expression, fault))
  }
  if (mutation[other]) {
    errors.push(invalid(child(path, other), `{${other}}`, `must not be specified when patchType is ${patchType}`))
  }
  return errors
}
