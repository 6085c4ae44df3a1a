import { Ajv, type ErrorObject } from 'ajv'
import { linearTest, patternSyntaxFault } from '../../../api/cel/regex.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import {
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from '../../../api/machinery/field-errors.ts'
import { fitsFormat } from './formats.ts'
import { jsonSchemaOf } from './json-schema.ts'

/** One fault of a value, and where it is: of a missing field, its holder. */
export interface ValueFault {
  error: FieldError
  steps: readonly (string | number)[]
}

/** What is wrong with a value by a schema, in upstream's words. `at` is where the value lies, or ''. */
export type ValueCheck = (value: unknown, at: string) => ValueFault[]

/** Compiles the check of a schema. */
export function compileCheck(schema: JSONSchemaProps): ValueCheck {
  const validate = compiler().compile(jsonSchemaOf(schema))
  return (value, at) => {
    if (validate(value)) return []
    return faultsOf(validate.errors ?? [], value, at)
  }
}

let shared: Ajv | undefined

/** Made when the first definition appears: most servers never need one. */
function compiler(): Ajv {
  if (shared) return shared
  const regExp = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' })
  shared = new Ajv({
    allErrors: true,
    strict: false,
    verbose: true,
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    logger: false,
    formats: {},
    validateFormats: false,
    // A field may be called `constructor`, as everything has one.
    ownProperties: true,
    code: { regExp },
  })
  shared.removeKeyword('format')
  shared.addKeyword({
    keyword: 'format',
    validate: (format: string, value: unknown) => fitsFormat(format, value),
    errors: false,
  })
  return shared
}

/**
 * Patterns are Go's, in time proportional to the text: the language's own can be made to run for ever. One that is none was
 * let in before patterns were checked, and holds nobody up.
 */
function compilePattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const fault = patternSyntaxFault(pattern)
  return {
    test: (text) => fault !== undefined || linearTest(pattern, text),
    // By which the validator tells patterns apart.
    toString: () => pattern,
  }
}

const inside = /\/(anyOf|oneOf|not)(\/|$)/

function faultsOf(errors: readonly ErrorObject[], value: unknown, at: string): ValueFault[] {
  const faults: ValueFault[] = []
  /** Those of alternatives come before the word that none fits, which is told first. */
  let ofAlternatives: ErrorObject[] = []
  for (const error of errors) {
    const { schemaPath, keyword } = error
    if (inside.test(parentPath(schemaPath, keyword))) {
      ofAlternatives.push(error)
      continue
    }
    faults.push(faultOf(error, value, at))
    if (keyword === 'anyOf' || keyword === 'oneOf') {
      faults.push(...nearest(ofAlternatives, error).map((inner) => faultOf(inner, value, at)))
    }
    ofAlternatives = []
  }
  return faults
}

/** Where the schema of a fault stands, without its own keyword. */
const parentPath = (schemaPath: string, keyword: string): string =>
  schemaPath.slice(0, schemaPath.length - keyword.length - 1)

/** Of the faults of all alternatives, those of the one with the fewest. */
function nearest(errors: readonly ErrorObject[], { schemaPath, params, keyword }: ErrorObject): ErrorObject[] {
  if (keyword === 'oneOf' && params.passingSchemas) return []
  const byBranch = new Map<string, ErrorObject[]>()
  for (const error of errors) {
    const [branch = '', ...rest] = error.schemaPath.slice(schemaPath.length + 1).split('/')
    const list = byBranch.get(branch) ?? []
    if (!inside.test(`/${rest.slice(0, -1).join('/')}`)) list.push(error)
    byBranch.set(branch, list)
  }
  return [...byBranch.values()].sort((a, b) => a.length - b.length)[0] ?? []
}

function faultOf(error: ErrorObject, root: unknown, at: string): ValueFault {
  const { steps, path } = placeOf(error.instancePath, root, at)
  return { steps, error: fieldErrorOf(error, path) }
}

function fieldErrorOf({ keyword, params, data, schema }: ErrorObject, path: string): FieldError {
  const say = (text: string) => `${path} in body should ${text}`
  switch (keyword) {
    case 'type': {
      const wanted = (schema as string[]).filter((type) => type !== 'null').join(',')
      const actual = typeOf(data)
      return typeInvalid(path, actual, `${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`)
    }
    case 'required':
      return required(join(path, params.missingProperty as string))
    case 'enum':
      return notSupported(
        path,
        data,
        (schema as unknown[]).map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      )
    case 'maxLength':
      return tooLong(path, params.limit as number)
    case 'minLength':
      return invalid(path, data, say(`be at least ${params.limit} chars long`))
    case 'pattern':
      return invalid(path, data, say(`match '${params.pattern}'`))
    case 'multipleOf':
      return invalid(path, data, say(`be a multiple of ${params.multipleOf}`))
    case 'maximum':
      return invalid(path, data, say(`be less than or equal to ${params.limit}`))
    case 'exclusiveMaximum':
      return invalid(path, data, say(`be less than ${params.limit}`))
    case 'minimum':
      return invalid(path, data, say(`be greater than or equal to ${params.limit}`))
    case 'exclusiveMinimum':
      return invalid(path, data, say(`be greater than ${params.limit}`))
    case 'maxItems':
      return tooMany(path, (data as unknown[]).length, params.limit as number)
    case 'minItems':
      return invalid(path, (data as unknown[]).length, say(`have at least ${params.limit} items`))
    case 'uniqueItems':
      return invalid(path, '', `${path} in body shouldn't contain duplicates`)
    case 'maxProperties':
      return tooMany(path, Object.keys(data as object).length, params.limit as number)
    case 'minProperties':
      return invalid(path, Object.keys(data as object).length, say(`have at least ${params.limit} properties`))
    case 'additionalProperties': {
      const name = params.additionalProperty as string
      return invalid(path, name, `${path}.${name} in body is a forbidden property`)
    }
    case 'format':
      return typeof data === 'number'
        ? nameless(`Checked value must be of type integer with format ${schema} in ${path}`)
        : typeInvalid(path, data, `${path} in body must be of type ${schema}: ${JSON.stringify(data)}`)
    case 'anyOf':
      return nameless(`${JSON.stringify(path)} must validate at least one schema (anyOf)`)
    case 'oneOf': {
      const passing = params.passingSchemas as number[] | null
      const found = passing ? `Found ${passing.length} valid alternatives` : 'Found none valid'
      return nameless(`${JSON.stringify(path)} must validate one and only one schema (oneOf). ${found}`)
    }
    case 'not':
      return nameless(`${JSON.stringify(path)} must not validate the schema (not)`)
    default:
      return invalid(path, '', `${path} in body does not fit its schema (${keyword})`)
  }
}

/** Upstream loses the field of some faults on the way. */
const nameless = (message: string): FieldError => invalid('<nil>', '', message)

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

function placeOf(pointer: string, root: unknown, at: string): { steps: (string | number)[]; path: string } {
  const steps: (string | number)[] = []
  let path = at
  let here = root
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(here)) {
      steps.push(Number(name))
      path = `${path}[${name}]`
    } else {
      steps.push(name)
      path = join(path, name)
    }
    here = (here as Record<string, unknown> | undefined)?.[name]
  }
  return { steps, path }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
