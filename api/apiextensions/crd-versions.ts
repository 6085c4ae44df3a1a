import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  CustomResourceValidation,
  JSONSchemaProps,
  SelectableField,
} from '../generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  required,
  tooMany,
} from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { resolveFieldPath } from './field-path.ts'
import { validateDefaults } from './schema-defaults.ts'
import { validateOpenApiSchema } from './schema-rules.ts'
import { validateShape } from './schema-shape.ts'
import { structuralFault, validateStructural } from './structural.ts'

/** The parts of a version that upstream moves up when all versions have the same, and then reports one level up. */
const shared = {
  schema: 'validation',
  subresources: 'subresources',
  additionalPrinterColumns: 'additionalPrinterColumns',
  selectableFields: 'selectableFields',
} as const
type Part = keyof typeof shared

/** Which parts all versions have in common. */
export const commonParts = (versions: readonly CustomResourceDefinitionVersion[]): ReadonlySet<Part> =>
  new Set(
    (Object.keys(shared) as Part[]).filter((part) =>
      versions.every((version) => semanticEqual(version[part], versions[0]?.[part])),
    ),
  )

/** Faults of one version, the parts it shares with all others left out. */
export function validateVersion(
  version: CustomResourceDefinitionVersion,
  path: string,
  common: ReadonlySet<Part>,
): FieldError[] {
  const errors: FieldError[] = []
  for (const fault of deprecationFaults(version)) {
    errors.push(invalid(child(path, 'deprecationWarning'), version.deprecationWarning, fault))
  }
  const status = version.subresources?.status !== undefined
  if (!common.has('schema')) errors.push(...validateSchema(version.schema, status, child(path, 'schema')))
  if (!common.has('subresources'))
    errors.push(...validateSubresources(version.subresources, child(path, 'subresources')))
  if (!common.has('additionalPrinterColumns')) {
    errors.push(...validateColumns(version.additionalPrinterColumns, child(path, 'additionalPrinterColumns')))
  }
  if (!common.has('selectableFields') && version.selectableFields?.length) {
    const at = child(path, 'selectableFields')
    const schema = version.schema?.openAPIV3Schema
    errors.push(
      ...(schema
        ? validateSelectableFields(version.selectableFields, schema, at)
        : [invalid(at, '', 'may only be set when `version.schema.openAPIV3Schema` is not included')]),
    )
  }
  return errors
}

/** Faults of the parts all versions share, under the names upstream gives them then. */
export function validateCommonParts(
  versions: readonly CustomResourceDefinitionVersion[],
  path: string,
  common: ReadonlySet<Part>,
): FieldError[] {
  const [first] = versions
  if (!first) return []
  const errors: FieldError[] = []
  const at = (part: Part) => child(path, shared[part])
  const status = versions.some(({ subresources }) => subresources?.status !== undefined)
  if (common.has('schema')) errors.push(...validateSchema(first.schema, status, at('schema')))
  if (common.has('subresources')) errors.push(...validateSubresources(first.subresources, at('subresources')))
  if (common.has('additionalPrinterColumns')) {
    errors.push(...validateColumns(first.additionalPrinterColumns, at('additionalPrinterColumns')))
  }
  if (common.has('selectableFields') && first.selectableFields?.length) {
    const schema = common.has('schema') ? first.schema?.openAPIV3Schema : undefined
    errors.push(
      ...(schema
        ? validateSelectableFields(first.selectableFields, schema, at('selectableFields'))
        : [invalid(at('selectableFields'), '', 'may only be set when validations.schema is included')]),
    )
  }
  return errors
}

function deprecationFaults({ deprecated, deprecationWarning: warning }: CustomResourceDefinitionVersion): string[] {
  if (warning === undefined) return []
  if (!deprecated) return ['can only be set for deprecated versions']
  const faults: string[] = []
  if (Buffer.byteLength(warning) > 256) faults.push('must be <= 256 characters long')
  if (warning === '') faults.push('must not be an empty string')
  const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning)
  if (unprintable) {
    const at = Buffer.byteLength(warning.slice(0, unprintable.index))
    faults.push(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`)
  }
  return faults
}

/** Keywords that may stand at the root beside a status subresource, by upstream's names for them. */
const rootKeywords =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations'
const rootKeywordNames = new Set(rootKeywords.split(' '))
const upstreamName = (keyword: string): string =>
  keyword.startsWith('x-kubernetes-')
    ? `X${keyword.slice('x-kubernetes-'.length).replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}`
    : keyword.charAt(0).toUpperCase() + keyword.slice(1)

function validateSchema(
  validation: CustomResourceValidation | undefined,
  statusEnabled: boolean,
  validationPath: string,
): FieldError[] {
  const schema = validation?.openAPIV3Schema
  if (!schema) return []
  const path = child(validationPath, 'openAPIV3Schema')
  const shape = validateShape(schema, path)
  if (shape.length > 0) return shape
  const errors = statusEnabled ? rootFaults(schema, path) : []
  if (schema.nullable) errors.push(forbidden(child(path, 'nullable'), 'nullable cannot be true at the root'))
  const unreadable = structuralFault(schema)
  if (!unreadable) {
    const structure = validateStructural(schema, path)
    errors.push(...(structure.length > 0 ? structure : validateDefaults(asResourceRoot(schema), path)))
  }
  errors.push(...validateOpenApiSchema(schema, path))
  if (unreadable && errors.length === 0) errors.push(invalid(path, '', unreadable))
  return errors
}

/** The fields every resource has need not be in its schema. */
const asResourceRoot = (schema: JSONSchemaProps): JSONSchemaProps => ({
  ...schema,
  'x-kubernetes-embedded-resource': true,
})

function rootFaults(schema: JSONSchemaProps, path: string): FieldError[] {
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === undefined || value === '' || value === false) continue
    if (keyword === 'type') {
      if (value === 'object') continue
      const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      return [invalid(child(path, 'type'), value, why)]
    }
    if (!rootKeywordNames.has(upstreamName(keyword))) {
      const why = `only [${rootKeywords}] fields are allowed at the root of the schema if the status subresource is enabled`
      return [invalid(path, schema, why)]
    }
  }
  return []
}

/** Faults of the subresources a version serves. */
function validateSubresources(subresources: CustomResourceSubresources | undefined, path: string): FieldError[] {
  const scale = subresources?.scale
  if (!scale) return []
  const check = (value: string | undefined, name: string, roots: readonly string[], why: string): FieldError[] => {
    const at = child(path, 'scale', name)
    if (!value) return [required(at)]
    const faults = validateSimplePath(value, at)
    if (faults.length > 0) return faults
    return roots.some((root) => value.startsWith(root)) ? [] : [invalid(at, value, why)]
  }
  return [
    ...check(scale.specReplicasPath, 'specReplicasPath', ['.spec.'], 'should be a json path under .spec'),
    ...check(scale.statusReplicasPath, 'statusReplicasPath', ['.status.'], 'should be a json path under .status'),
    ...(scale.labelSelectorPath
      ? check(
          scale.labelSelectorPath,
          'labelSelectorPath',
          ['.spec.', '.status.'],
          'should be a json path under either .spec or .status',
        )
      : []),
  ]
}

const validateSimplePath = (value: string, path: string): FieldError[] =>
  value.startsWith('.') ? [] : [invalid(path, value, 'must be a simple json path starting with .')]

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function validateColumns(columns: readonly CustomResourceColumnDefinition[] | undefined, path: string): FieldError[] {
  return (columns ?? []).flatMap((column, i) => {
    const at = index(path, i)
    const errors: FieldError[] = []
    const { name = '', type = '', format = '', jsonPath = '' } = column
    const oneOf = (allowed: readonly string[]) => `must be one of ${allowed.join(',')}`
    if (name === '') errors.push(required(child(at, 'name')))
    if (type === '') errors.push(required(child(at, 'type'), oneOf(columnTypes)))
    else if (!columnTypes.includes(type)) errors.push(invalid(child(at, 'type'), type, oneOf(columnTypes)))
    if (format !== '' && !columnFormats.includes(format)) {
      errors.push(invalid(child(at, 'format'), format, oneOf(columnFormats)))
    }
    if (jsonPath === '') errors.push(required(child(at, 'JSONPath')))
    else errors.push(...validateSimplePath(jsonPath, child(at, 'JSONPath')))
    return errors
  })
}

const maxSelectableFields = 8
const selectableTypes = ['string', 'boolean', 'integer']

function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: JSONSchemaProps,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, { jsonPath = '' }] of fields.entries()) {
    const at = child(index(path, i), 'jsonPath')
    if (jsonPath === '') {
      errors.push(required(at))
      continue
    }
    const target = resolveFieldPath(jsonPath, schema, { brackets: false })
    if ('fault' in target) {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${target.fault}`))
      continue
    }
    if (target.steps[0] === 'metadata') errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    if (!selectableTypes.includes(target.schema.type ?? '')) {
      errors.push(
        invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      )
    }
    const identity = target.steps.join('.')
    if (seen.has(identity)) errors.push(duplicate(at, jsonPath))
    seen.add(identity)
  }
  if (seen.size > maxSelectableFields) errors.push(tooMany(path, seen.size, maxSelectableFields))
  return errors
}
