import type { MatchCondition, MatchResources, NamedRuleWithOperations, RuleWithOperations } from '../generated/types.ts'
import { expressionFault } from '../machinery/compilers.ts'
import {
  child,
  duplicate,
  type FieldError,
  index,
  invalid,
  notSupported,
  required,
  tooMany,
} from '../machinery/field-errors.ts'
import { validateLabelSelector } from '../machinery/labels.ts'
import { isQualifiedName, pathSegmentName } from '../machinery/names.ts'

export const failurePolicies = ['Fail', 'Ignore']
export const matchPolicies = ['Equivalent', 'Exact']
export const reinvocationPolicies = ['IfNeeded', 'Never']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const mutatingOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']
const maxMatchConditions = 64

/** Defaults of each rule: it applies to objects of any scope. */
export function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}

/** Defaults of what a policy or a binding matches. */
export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

/** Faults of one rule: operations, groups, versions, resources, scope. */
export function validateRule(rule: RuleWithOperations, path: string): FieldError[] {
  const errors: FieldError[] = []
  const atLeastOne = (values: readonly string[] | undefined, field: string, others: string): readonly string[] => {
    const at = child(path, field)
    if (!values?.length) errors.push(required(at))
    else if (values.length > 1 && values.includes('*')) {
      errors.push(invalid(at, values, `if '*' is present, must not specify other ${others}`))
    }
    return values ?? []
  }
  for (const [i, operation] of atLeastOne(rule.operations, 'operations', 'operations').entries()) {
    if (!operations.includes(operation)) {
      errors.push(notSupported(index(child(path, 'operations'), i), operation, operations))
    }
  }
  atLeastOne(rule.apiGroups, 'apiGroups', 'API groups')
  for (const [i, version] of atLeastOne(rule.apiVersions, 'apiVersions', 'API versions').entries()) {
    if (version === '') errors.push(required(index(child(path, 'apiVersions'), i)))
  }
  errors.push(...validateResources(rule.resources ?? [], child(path, 'resources')))
  if (rule.scope !== undefined && !scopes.includes(rule.scope)) {
    errors.push(notSupported(child(path, 'scope'), rule.scope, scopes))
  }
  return errors
}

/** Resources may be `pods`, `pods/status`, `pods/*`, with `*` for either part; one entry may not make another idle. */
function validateResources(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [required(path)]
  const errors: FieldError[] = []
  const allSubresourcesOf = new Set<string>()
  const onEveryResource = new Set<string>()
  // Upstream lets the last entry without a subresource decide.
  let plainResource = false
  for (const [i, entry] of resources.entries()) {
    const at = index(path, i)
    if (entry === '') {
      errors.push(required(at))
      continue
    }
    const slash = entry.indexOf('/')
    if (slash < 0) {
      plainResource = entry !== '*'
      continue
    }
    const resource = entry.slice(0, slash)
    const subresource = entry.slice(slash + 1)
    if (allSubresourcesOf.has(resource)) {
      errors.push(invalid(at, entry, `if '${resource}/*' is present, must not specify ${entry}`))
    }
    if (onEveryResource.has(subresource)) {
      errors.push(invalid(at, entry, `if '*/${subresource}' is present, must not specify ${entry}`))
    }
    if (subresource === '*') allSubresourcesOf.add(resource)
    if (resource === '*') onEveryResource.add(subresource)
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  }
  if (resources.includes('*') && plainResource) {
    errors.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
  }
  return errors
}

/** Faults of what a policy or a binding matches. `mutating` policies cannot act on deletes. */
export function validateMatchResources(
  match: MatchResources | undefined,
  path: string,
  { mutating }: { mutating: boolean },
): FieldError[] {
  if (!match) return []
  const errors: FieldError[] = []
  const { matchPolicy, namespaceSelector, objectSelector, resourceRules = [], excludeResourceRules = [] } = match
  if (matchPolicy === undefined) errors.push(required(child(path, 'matchPolicy')))
  else if (!matchPolicies.includes(matchPolicy)) {
    errors.push(notSupported(child(path, 'matchPolicy'), matchPolicy, matchPolicies))
  }
  for (const [field, selector] of Object.entries({ namespaceSelector, objectSelector })) {
    if (!selector) errors.push(required(child(path, field)))
    else errors.push(...validateLabelSelector(selector, child(path, field)))
  }
  const named = (rules: readonly NamedRuleWithOperations[], field: string) =>
    rules.flatMap((rule, i) => validateNamedRule(rule, index(child(path, field), i)))
  errors.push(...named(resourceRules, 'resourceRules'), ...named(excludeResourceRules, 'excludeResourceRules'))
  if (mutating) {
    for (const operation of resourceRules.flatMap((rule) => rule.operations ?? [])) {
      if (!mutatingOperations.includes(operation)) {
        errors.push(notSupported(child(path, 'resourceRules', 'operations'), operation, mutatingOperations))
      }
    }
  }
  return errors
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string): FieldError[] {
  const names = rule.resourceNames ?? []
  const errors = names.flatMap((name, i) => {
    const at = index(child(path, 'resourceNames'), i)
    const faults = pathSegmentName(name, false).map((message) => invalid(at, name, message))
    return names.indexOf(name) < i ? [...faults, duplicate(at, name)] : faults
  })
  return [...errors, ...validateRule(rule, path)]
}

/** Faults of match conditions; expressions that were there before (`known`) are not compiled again. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  const list = conditions ?? []
  const errors: FieldError[] = []
  if (list.length > maxMatchConditions) errors.push(tooMany(path, list.length, maxMatchConditions))
  const names = new Set<string>()
  for (const [i, { name = '', expression = '' }] of list.entries()) {
    const at = index(path, i)
    const trimmed = expression.trim()
    if (trimmed === '') errors.push(required(child(at, 'expression')))
    else if (!known.has(expression)) {
      const fault = expressionFault(trimmed, 'matchCondition')
      if (fault) errors.push(invalid(child(at, 'expression'), trimmed, fault))
    }
    if (name === '') errors.push(required(child(at, 'name')))
    else {
      errors.push(...isQualifiedName(name).map((message) => invalid(child(at, 'name'), name, message)))
      if (names.has(name)) errors.push(duplicate(child(at, 'name'), name))
      names.add(name)
    }
  }
  return errors
}
