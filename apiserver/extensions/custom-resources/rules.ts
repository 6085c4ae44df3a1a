import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import { Budget, TooCostly, withBudget } from '../../../api/cel/budget.ts'
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
import { counterpartsIn, fieldOf } from './keyed-items.ts'

/** Faults that the rules of a schema (`x-kubernetes-validations`) find in a value; `old` is there on updates. */
export type RuleCheck = (value: unknown, old: unknown, path: string) => FieldError[]

/** Compiles all rules of a schema. Undefined: it has none. The rules of one object share what they may cost. */
export function compileRules(schema: JSONSchemaProps): RuleCheck | undefined {
  const check = checkOf(schema, true)
  return check && ((value, old, path) => check(value, old, path, { budget: new Budget(), isOver: false }))
}

/** One judgement of a whole object. */
interface Judgement {
  budget: Budget
  /** A rule was too costly: no others are asked. */
  isOver: boolean
}

type Check = (value: unknown, old: unknown, path: string, judgement: Judgement) => FieldError[]

interface Rule {
  rule: ValidationRule
  run: RuleProgram
  message: RuleProgram | undefined
  /** It speaks of what was before, and holds where nothing was. */
  isTransition: boolean
}

function checkOf(schema: JSONSchemaProps, isRoot: boolean): Check | undefined {
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
  return (value, old, path, judgement) => {
    if (value === undefined || value === null || judgement.isOver) return []
    const errors: FieldError[] = []
    // What has not changed may stay, whatever rules have come since, but for those about the change itself.
    const isSame = old !== undefined && rules.length > 0 && sameJson(value, old)
    const due = rules.filter((rule) =>
      rule.isTransition ? old !== undefined || rule.rule.optionalOldSelf === true : !isSame,
    )
    const self = due.length > 0 ? ruleValue(seen(value), schema) : undefined
    for (const rule of due) {
      if (judgement.isOver) return errors
      const before = rule.isTransition && old !== undefined ? ruleValue(seen(old), schema) : undefined
      const oldSelf = rule.rule.optionalOldSelf ? optionalValue(before) : before
      errors.push(...judge(rule, { self, ...(oldSelf === undefined ? {} : { oldSelf }) }, schema, path, judgement))
    }
    if (Array.isArray(value)) {
      if (ofItems) {
        const isSameList = old !== undefined && sameJson(value, old)
        const before = counterpartsIn(old, schema)
        for (const [i, item] of value.entries()) {
          errors.push(...ofItems(item, isSameList ? item : before(item), index(path, i), judgement))
        }
      }
      return errors
    }
    if (typeof value !== 'object') return errors
    for (const [name, check] of fields)
      errors.push(...check(fieldOf(value, name), fieldOf(old, name), child(path, name), judgement))
    if (!ofValues) return errors
    for (const [name, field] of Object.entries(value)) {
      if (!propertyOf(schema, name)) errors.push(...ofValues(field, fieldOf(old, name), key(path, name), judgement))
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
  judgement: Judgement,
): FieldError[] {
  const { budget } = judgement
  const plain = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`
  let holds: unknown
  try {
    holds = run(withBudget(variables, budget))
  } catch (error) {
    if (error instanceof TooCostly) {
      judgement.isOver = true
      const why = budget.isSpent ? 'validation failed due to running out of cost budget' : `'${error.message}'`
      const detail = `${why}: no further validation rules will be run due to call cost exceeds limit for rule: ${nameOf(rule)}`
      return [invalid(path || '<nil>', type, detail)]
    }
    const why = (error as Error).message.split('\n')[0]
    return [invalid(path || '<nil>', type, `${why} evaluating rule: ${nameOf(rule)}`)]
  }
  if (holds === true) return []
  const detail = messageOf(message, withBudget(variables, budget)) ?? plain
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

/** By what a rule is known. */
const nameOf = ({ message, rule }: ValidationRule): string => message?.trim() || rule.trim()

/** What the rule's own words come to; undefined where they come to nothing that can be told. */
function messageOf(message: RuleProgram | undefined, variables: Parameters<RuleProgram>[0]): string | undefined {
  if (!message) return undefined
  try {
    const text = message(variables)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : undefined
  } catch {
    return undefined
  }
}
