import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import { compileRule, optionalValue, type RuleProgram, ruleValue } from '../../../api/cel/resource-rules.ts'
import type { JSONSchemaProps, ValidationRule } from '../../../api/generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  key,
  required,
} from '../../../api/machinery/field-errors.ts'
import { sameJson } from '../../registry/json.ts'

/** Faults that the rules of a schema (`x-kubernetes-validations`) find in a value; `old` is there on updates. */
export type RuleCheck = (value: unknown, old: unknown, path: string) => FieldError[]

/** Compiles all rules of a schema. Undefined: it has none. */
export function compileRules(schema: JSONSchemaProps): RuleCheck | undefined {
  return checkOf(schema, true)
}

interface Rule {
  rule: ValidationRule
  run: RuleProgram
  message: RuleProgram | undefined
  /** It speaks of what was before, and holds where nothing was. */
  isTransition: boolean
}

function checkOf(schema: JSONSchemaProps, isRoot: boolean): RuleCheck | undefined {
  const rules = (schema['x-kubernetes-validations'] ?? []).flatMap(ruleOf)
  const items = asSchema(schema.items)
  const ofItems = items && checkOf(items, false)
  const others = asSchema(schema.additionalProperties)
  const ofValues = others && checkOf(others, false)
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const check = checkOf(property, false)
    return check ? [[name, check] as const] : []
  })
  if (rules.length === 0 && !ofItems && !ofValues && fields.length === 0) return undefined
  const seen = isRoot || schema['x-kubernetes-embedded-resource'] ? resourceView : (value: unknown) => value
  return (value, old, path) => {
    if (value === undefined || value === null) return []
    const errors: FieldError[] = []
    // What has not changed may stay, whatever rules have come since, but for those about the change itself.
    const isSame = old !== undefined && rules.length > 0 && sameJson(value, old)
    const due = rules.filter((rule) =>
      rule.isTransition ? old !== undefined || rule.rule.optionalOldSelf === true : !isSame,
    )
    const self = due.length > 0 ? ruleValue(seen(value), schema) : undefined
    for (const rule of due) {
      const before = rule.isTransition && old !== undefined ? ruleValue(seen(old), schema) : undefined
      const oldSelf = rule.rule.optionalOldSelf ? optionalValue(before) : before
      errors.push(...judge(rule, { self, ...(oldSelf === undefined ? {} : { oldSelf }) }, schema, path))
    }
    if (Array.isArray(value)) {
      if (ofItems) {
        const isSameList = old !== undefined && sameJson(value, old)
        for (const [i, item] of value.entries()) {
          errors.push(...ofItems(item, isSameList ? item : sameItem(item, old, schema), index(path, i)))
        }
      }
      return errors
    }
    if (typeof value !== 'object') return errors
    for (const [name, check] of fields)
      errors.push(...check(fieldOf(value, name), fieldOf(old, name), child(path, name)))
    if (!ofValues) return errors
    for (const [name, field] of Object.entries(value)) {
      if (!propertyOf(schema, name)) errors.push(...ofValues(field, fieldOf(old, name), key(path, name)))
    }
    return errors
  }
}

function ruleOf(rule: ValidationRule): Rule[] {
  const compiled = compileRule(rule.rule.trim(), 'bool')
  // One that does not compile was let in before it was checked.
  if ('fault' in compiled) return []
  const told = rule.messageExpression ? compileRule(rule.messageExpression.trim(), 'string') : undefined
  const message = told && 'run' in told ? told.run : undefined
  const isTransition = /\boldSelf\b/.test(rule.rule)
  return [{ rule, run: compiled.run, message, isTransition }]
}

/** Of a whole object, rules see what their schema speaks of, and of its metadata no more than the names. */
function resourceView(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { metadata, ...rest } = value as Record<string, unknown>
  if (typeof metadata !== 'object' || metadata === null) return value
  const { name, generateName } = metadata as Record<string, unknown>
  return { ...rest, metadata: { ...(name ? { name } : {}), ...(generateName ? { generateName } : {}) } }
}

function judge(
  { rule, run, message }: Rule,
  variables: { self: unknown; oldSelf?: unknown },
  { type = '' }: JSONSchemaProps,
  path: string,
): FieldError[] {
  const plain = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`
  let holds: unknown
  try {
    holds = run(variables)
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]
    return [invalid(path || '<nil>', type, `rule evaluation error: ${why} evaluating rule: ${plain}`)]
  }
  if (holds === true) return []
  const detail = messageOf(message, variables) ?? plain
  const at = `${path}${rule.fieldPath ?? ''}`.replace(/^\./, '') || '<nil>'
  switch (rule.reason) {
    case 'FieldValueRequired':
      return [required(at, detail)]
    case 'FieldValueForbidden':
      return [forbidden(at, detail)]
    case 'FieldValueDuplicate':
      return [duplicate(at, type)]
    default:
      return [invalid(at, type, detail)]
  }
}

/** What the rule's own words come to; undefined where they come to nothing that can be told. */
function messageOf(
  message: RuleProgram | undefined,
  variables: { self: unknown; oldSelf?: unknown },
): string | undefined {
  if (!message) return undefined
  try {
    const text = message(variables)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : undefined
  } catch {
    return undefined
  }
}

function sameItem(item: unknown, old: unknown, schema: JSONSchemaProps): unknown {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return old.find((other) => keys.every((name) => sameJson(fieldOf(item, name), fieldOf(other, name))))
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
