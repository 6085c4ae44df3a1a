import type { AuditAnnotation, ValidatingAdmissionPolicy, Validation } from '../generated/types.ts'
import { expressionFault } from '../machinery/compilers.ts'
import { validateConditions } from '../machinery/conditions.ts'
import { child, duplicate, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { paramKindCell, validatePolicySpec } from './policies.ts'
import { defaultMatchResources } from './rules.ts'

type Policy = Stored<ValidatingAdmissionPolicy>

export const validatingAdmissionPolicies = defineResource<Policy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy'),
  defaults: (policy) => {
    policy.spec ??= {}
    policy.spec.failurePolicy ??= 'Fail'
    defaultMatchResources(policy.spec.matchConstraints)
  },
  validate: validatePolicy,
  validateStatus,
  strategy: { status: true, generation: 'spec', unconditionalUpdate: false },
  columns: [
    nameColumn,
    {
      name: 'Validations',
      type: 'integer',
      description: 'Validations indicates the number of validation rules defined in this configuration',
      value: ({ spec }) => spec?.validations?.length ?? 0,
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

const maxAuditAnnotations = 20
const maxAuditExpressionBytes = 5 * 1024
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

function validatePolicy({ metadata, spec = {} }: Policy, old: Policy | undefined): FieldError[] {
  const errors = validatePolicySpec(spec, old?.spec, { mutating: false })
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item'
    return [...errors, required('spec.validations', why), required('spec.auditAnnotations', why)]
  }
  const known = new Set(
    old?.spec?.validations?.flatMap((validation) => [validation.expression, validation.messageExpression ?? '']),
  )
  for (const [i, validation] of validations.entries()) {
    errors.push(...validateValidation(validation, index('spec.validations', i), known))
  }
  if (auditAnnotations.length > maxAuditAnnotations) {
    errors.push(
      invalid(
        'spec.auditAnnotations',
        auditAnnotations,
        `must not have more than ${maxAuditAnnotations} auditAnnotations`,
      ),
    )
  }
  const keys = new Set<string>()
  for (const [i, annotation] of auditAnnotations.entries()) {
    const path = index('spec.auditAnnotations', i)
    errors.push(...validateAuditAnnotation(annotation, metadata.name ?? '', path))
    if (keys.has(annotation.key)) errors.push(duplicate(child(path, 'key'), annotation.key))
    keys.add(annotation.key)
  }
  return errors
}

function validateValidation(validation: Validation, path: string, known: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = []
  const { expression = '', message = '', messageExpression = '', reason } = validation
  const compile = (source: string, field: string, use: 'validation' | 'validationMessage') => {
    const fault = known.has(source) ? undefined : expressionFault(source, use)
    if (fault) errors.push(invalid(child(path, field), source, fault))
  }
  if (expression.trim() === '') errors.push(required(child(path, 'expression'), 'expression is not specified'))
  else compile(expression, 'expression', 'validation')
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(invalid(child(path, 'messageExpression'), messageExpression, 'must be non-empty if specified'))
  } else if (messageExpression !== '') compile(messageExpression, 'messageExpression', 'validationMessage')
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(child(path, 'message'), message, 'must be non-empty if specified'))
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(child(path, 'message'), message, 'must not contain line breaks'))
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    errors.push(notSupported(child(path, 'reason'), reason, reasons))
  }
  return errors
}

function validateAuditAnnotation(annotation: AuditAnnotation, policyName: string, path: string): FieldError[] {
  const { key = '', valueExpression = '' } = annotation
  const qualified = `${policyName}/${key}`
  const errors =
    policyName === ''
      ? [invalid(child(path, 'key'), key, 'requires metadata.name be non-empty')]
      : isQualifiedName(qualified).map((message) => invalid(child(path, 'key'), qualified, message))
  const at = child(path, 'valueExpression')
  const trimmed = valueExpression.trim()
  if (trimmed === '') errors.push(required(at, 'valueExpression is not specified'))
  else if (Buffer.byteLength(trimmed) > maxAuditExpressionBytes) {
    errors.push(required(at, `must not exceed ${maxAuditExpressionBytes} bytes in length`))
  } else {
    const fault = expressionFault(trimmed, 'auditAnnotation')
    if (fault) errors.push(invalid(at, valueExpression, fault))
  }
  return errors
}

function validateStatus({ status }: Policy): FieldError[] {
  const path = 'status.typeChecking.expressionWarnings'
  const warnings = (status?.typeChecking?.expressionWarnings ?? []).flatMap(({ warning = '', fieldRef = '' }, i) => [
    ...(warning === '' ? [required(child(index(path, i), 'warning'))] : []),
    ...(fieldRef.trim() === '' ? [required(child(index(path, i), 'fieldRef'))] : []),
  ])
  return [...warnings, ...validateConditions(status?.conditions, 'status.conditions')]
}
