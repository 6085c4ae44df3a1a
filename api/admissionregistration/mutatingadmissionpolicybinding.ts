import type { MutatingAdmissionPolicyBinding } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { paramRefCell, validateBindingSpec } from './policies.ts'
import { defaultMatchResources } from './rules.ts'

export const mutatingAdmissionPolicyBindings = defineResource<Stored<MutatingAdmissionPolicyBinding>>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding'),
  defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
  validate: ({ spec = {} }) => validateBindingSpec(spec, { mutating: true }),
  strategy: { generation: 'spec', unconditionalUpdate: false },
  columns: [
    nameColumn,
    {
      name: 'PolicyName',
      type: 'string',
      description: 'The policy that is put into force.',
      value: ({ spec }) => spec?.policyName ?? '',
    },
    {
      name: 'ParamRef',
      type: 'string',
      description: 'The parameters the policy gets.',
      value: ({ spec }) => paramRefCell(spec?.paramRef),
    },
    ageColumn,
  ],
})
