import type { FlowSchema, FlowSchemaSpec } from '../generated/types.ts'
import { type FieldError, index, invalid, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { mandatoryFlowSchemas } from './bootstrap.ts'
import { validateConditionTypes, validateFlowRule } from './flow-rules.ts'

type Schema = Stored<FlowSchema>

export const flowSchemas = defineResource<Schema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.flowcontrol.v1.FlowSchema'),
  defaults: (schema) => {
    // Both zero and absent mean the default.
    if (schema.spec && !schema.spec.matchingPrecedence) schema.spec.matchingPrecedence = defaultMatchingPrecedence
  },
  validate: (schema) => [...validateSpec(schema), ...validateStatus(schema)],
  validateStatus,
  strategy: { status: true, generation: 'spec' },
  columns: [
    nameColumn,
    {
      name: 'PriorityLevel',
      type: 'string',
      description: 'The level that takes the requests.',
      value: ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '',
    },
    {
      name: 'MatchingPrecedence',
      type: 'string',
      description: 'Of all schemas that match a request, the one with the lowest number takes it.',
      value: ({ spec }) => spec?.matchingPrecedence ?? 0,
    },
    {
      name: 'DistinguisherMethod',
      type: 'string',
      description: 'What makes two requests part of two flows.',
      value: ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>',
    },
    ageColumn,
    {
      name: 'MissingPL',
      type: 'string',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      value: ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
})

const defaultMatchingPrecedence = 1000
const maxMatchingPrecedence = 10_000

function validateSpec({ metadata: { name = '' }, spec = {} as FlowSchemaSpec }: Schema): FieldError[] {
  const errors: FieldError[] = []
  const { matchingPrecedence: precedence = 0, distinguisherMethod, rules = [] } = spec
  const at = 'spec.matchingPrecedence'
  if (precedence <= 0) errors.push(invalid(at, precedence, 'must be a positive value'))
  if (precedence > maxMatchingPrecedence) {
    errors.push(invalid(at, precedence, `must not be greater than ${maxMatchingPrecedence}`))
  }
  if (precedence === 1 && name !== 'exempt') {
    errors.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
  }
  if (distinguisherMethod && !['ByNamespace', 'ByUser'].includes(distinguisherMethod.type)) {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'spec.distinguisherMethod.type',
      message: `Unsupported value: ${JSON.stringify(distinguisherMethod)}: supported values: "ByNamespace", "ByUser"`,
    })
  }
  const level = spec.priorityLevelConfiguration?.name ?? ''
  const levelPath = 'spec.priorityLevelConfiguration.name'
  if (level === '') errors.push(required(levelPath, 'must reference a priority level'))
  else errors.push(...nameIsDNSSubdomain(level, false).map((message) => invalid(levelPath, level, message)))
  errors.push(...rules.flatMap((rule, i) => validateFlowRule(rule, index('spec.rules', i))))
  const mandatory = mandatoryFlowSchemas.find(({ metadata }) => metadata.name === name)
  if (mandatory && !semanticEqual(spec, mandatory.spec)) {
    errors.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`))
  }
  return errors
}

function validateStatus({ status }: Schema): FieldError[] {
  return validateConditionTypes(status?.conditions, 'status.conditions')
}
