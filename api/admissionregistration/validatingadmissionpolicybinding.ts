import type { ValidatingAdmissionPolicyBinding } from '../generated/types.ts'
import { duplicate, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { paramRefCell, validateBindingSpec } from './policies.ts'
import { defaultMatchResources } from './rules.ts'

export const validatingAdmissionPolicyBindings = defineResource<Stored<ValidatingAdmissionPolicyBinding>>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding'),
  defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
  validate: ({ spec = {} }) => [
    ...validateBindingSpec(spec, { mutating: false }),
    ...validateActions(spec.validationActions ?? [], 'spec.validationActions'),
  ],
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

const actionNames = ['Audit', 'Deny', 'Warn']

function validateActions(actions: readonly string[], path: string): FieldError[] {
  if (actions.length === 0) return [required(path, 'at least one validation action is required')]
  const errors = actions.flatMap((action, i) => [
    ...(actionNames.includes(action) ? [] : [notSupported(index(path, i), action, actionNames)]),
    ...(actions.indexOf(action) < i ? [duplicate(index(path, i), action)] : []),
  ])
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.push(
      invalid(
        path,
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    )
  }
  return errors
}
