import type {
  LocalSubjectAccessReview,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../generated/types.ts'
import { child, type FieldError, forbidden, index, invalid, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { KubeObject, Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** Questions to the authorizer: created, answered in the response, never stored. */
const group = 'authorization.k8s.io'
const review = { group, version: 'v1', namespaced: false, verbs: ['create'] } as const

export const subjectAccessReviews = defineResource<Stored<SubjectAccessReview>>({
  ...review,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  schema: builtinSchema('io.k8s.api.authorization.v1.SubjectAccessReview'),
  validate: ({ metadata, spec }) => [
    ...validateAttributes(spec),
    ...validateSubject(spec),
    ...mustBeEmpty(metadata, 'must be empty', []),
  ],
})

export const selfSubjectAccessReviews = defineResource<Stored<SelfSubjectAccessReview>>({
  ...review,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  schema: builtinSchema('io.k8s.api.authorization.v1.SelfSubjectAccessReview'),
  validate: ({ metadata, spec }) => [...validateAttributes(spec), ...mustBeEmpty(metadata, 'must be empty', [])],
})

export const localSubjectAccessReviews = defineResource<Stored<LocalSubjectAccessReview>>({
  ...review,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.authorization.v1.LocalSubjectAccessReview'),
  validate: ({ metadata, spec }) => {
    const errors = [
      ...validateAttributes(spec),
      ...validateSubject(spec),
      ...mustBeEmpty(metadata, 'must be empty except for namespace', ['namespace']),
    ]
    const { resourceAttributes, nonResourceAttributes } = spec ?? {}
    const namespace = resourceAttributes?.namespace ?? ''
    if (resourceAttributes && namespace !== (metadata.namespace ?? '')) {
      errors.push(invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'))
    }
    if (nonResourceAttributes) {
      errors.push(invalid('spec.nonResourceAttributes', nonResourceAttributes, 'disallowed on this kind of request'))
    }
    return errors
  },
})

export const selfSubjectRulesReviews = defineResource<Stored<SelfSubjectRulesReview>>({
  ...review,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  schema: builtinSchema('io.k8s.api.authorization.v1.SelfSubjectRulesReview'),
})

type Attributes = Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>

function validateAttributes(spec: Attributes | undefined): FieldError[] {
  const errors: FieldError[] = []
  const { resourceAttributes, nonResourceAttributes } = spec ?? {}
  if (resourceAttributes && nonResourceAttributes) {
    errors.push(
      invalid(
        'spec.nonResourceAttributes',
        nonResourceAttributes,
        'cannot be specified in combination with resourceAttributes',
      ),
    )
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    errors.push(
      invalid(
        'spec.resourceAttributes',
        null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    )
  }
  if (resourceAttributes) errors.push(...validateSelectors(resourceAttributes, 'spec.resourceAttributes'))
  return errors
}

const validateSubject = (spec: SubjectAccessReviewSpec | undefined): FieldError[] =>
  spec?.user || spec?.groups?.length
    ? []
    : [invalid('spec.user', spec?.user ?? '', 'at least one of user or group must be specified')]

function mustBeEmpty(metadata: KubeObject['metadata'], why: string, except: readonly string[]): FieldError[] {
  const rest = Object.fromEntries(
    Object.entries(metadata).filter(([field]) => field !== 'managedFields' && !except.includes(field)),
  )
  return semanticEqual(rest, {}) ? [] : [invalid('metadata', metadata, why)]
}

function validateSelectors(attributes: ResourceAttributes, path: string): FieldError[] {
  const { fieldSelector, labelSelector } = attributes
  return [
    ...(fieldSelector ? validateSelector(fieldSelector, child(path, 'fieldSelector'), () => []) : []),
    ...(labelSelector ? validateSelector(labelSelector, child(path, 'labelSelector'), isQualifiedName) : []),
  ]
}

interface Selector {
  rawSelector?: string
  requirements?: { key: string; operator: string; values?: string[] }[]
}

/** Operators that are not known are left for the authorizer, which ignores what it does not know. */
function validateSelector(selector: Selector, path: string, keyFaults: (key: string) => string[]): FieldError[] {
  const errors: FieldError[] = []
  const { rawSelector = '', requirements = [] } = selector
  if (rawSelector !== '' && requirements.length > 0) {
    errors.push(invalid(child(path, 'rawSelector'), rawSelector, 'may not specified at the same time as requirements'))
  }
  if (rawSelector === '' && requirements.length === 0) {
    errors.push(
      required(child(path, 'requirements'), `when ${path} is specified, requirements or rawSelector is required`),
    )
  }
  for (const [i, { key = '', operator = '', values = [] }] of requirements.entries()) {
    const at = index(child(path, 'requirements'), i)
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
      errors.push(required(child(at, 'values'), "must be specified when `operator` is 'In' or 'NotIn'"))
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      errors.push(forbidden(child(at, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    }
    if (key === '') errors.push(required(child(at, 'key'), 'must be specified'))
    else errors.push(...keyFaults(key).map((message) => invalid(child(at, 'key'), key, message)))
  }
  return errors
}
