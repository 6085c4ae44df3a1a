import type {
  FlowcontrolV1Subject,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../machinery/field-errors.ts'
import { nameIsDNSLabel, nameIsDNSSubdomain } from '../machinery/names.ts'

/** Faults of a rule: whose requests, for what. */
export function validateFlowRule(rule: PolicyRulesWithSubjects, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  if (subjects.length === 0) {
    errors.push(required(child(path, 'subjects'), 'subjects must contain at least one value'))
  }
  errors.push(...subjects.flatMap((subject, i) => validateSubject(subject, index(child(path, 'subjects'), i))))
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  for (const [i, inner] of resourceRules.entries()) {
    errors.push(...validateResourceRule(inner, index(child(path, 'resourceRules'), i)))
  }
  for (const [i, inner] of nonResourceRules.entries()) {
    errors.push(...validateNonResourceRule(inner, index(child(path, 'nonResourceRules'), i)))
  }
  return errors
}

/** Subject kinds, each with the field that holds it. */
const subjectFields = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const

function validateSubject(subject: FlowcontrolV1Subject, path: string): FieldError[] {
  const { kind = '' } = subject
  if (!Object.hasOwn(subjectFields, kind)) return [notSupported(child(path, 'kind'), kind, Object.keys(subjectFields))]
  const field = subjectFields[kind as keyof typeof subjectFields]
  const at = child(path, field)
  const errors: FieldError[] = []
  if (!subject[field]) errors.push(required(at, `${field} is required when subject kind is '${kind}'`))
  else {
    const name = subject[field].name ?? ''
    if (name === '') errors.push(required(child(at, 'name')))
    if (subject.serviceAccount && field === 'serviceAccount') {
      errors.push(...validateServiceAccount(name, subject.serviceAccount.namespace ?? '', at))
    }
  }
  for (const [otherKind, other] of Object.entries(subjectFields)) {
    if (other !== field && subject[other]) {
      errors.push(forbidden(child(path, other), `${other} is forbidden when subject kind is not '${otherKind}'`))
    }
  }
  return errors
}

function validateServiceAccount(name: string, namespace: string, path: string): FieldError[] {
  const errors =
    name === '' || name === '*'
      ? []
      : nameIsDNSSubdomain(name, false).map((message) => invalid(child(path, 'name'), name, message))
  if (namespace === '') {
    errors.push(required(child(path, 'namespace'), 'must specify namespace for service account'))
  } else {
    errors.push(
      ...nameIsDNSLabel(namespace, false).map((message) => invalid(child(path, 'namespace'), namespace, message)),
    )
  }
  return errors
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

function validateVerbs(given: readonly string[] | undefined, path: string): FieldError[] {
  if (!given?.length) return [required(path, 'verbs must contain at least one value')]
  if (given.includes('*')) {
    return given.length > 1 ? [invalid(path, given, "if '*' is present, must not specify other verbs")] : []
  }
  return given.every((verb) => verbs.includes(verb))
    ? []
    : [{ ...notSupported(path, '', verbs), message: notSupportedVerbs(given) }]
}

/** Upstream shows the whole list, not the one that is wrong. */
const notSupportedVerbs = (given: readonly string[]): string =>
  `Unsupported value: ${JSON.stringify(given)}: supported values: ${verbs.map((verb) => JSON.stringify(verb)).join(', ')}`

function validateResourceRule(rule: ResourcePolicyRule, path: string): FieldError[] {
  const errors = validateVerbs(rule.verbs, child(path, 'verbs'))
  const atLeastOne = (values: readonly string[] | undefined, field: string, one: string, others: string) => {
    const at = child(path, field)
    if (!values?.length) errors.push(required(at, `resource rules must supply at least one ${one}`))
    else if (values.length > 1 && values.includes('*')) {
      errors.push(invalid(at, values, `if '*' is present, must not specify other ${others}`))
    }
  }
  atLeastOne(rule.apiGroups, 'apiGroups', 'api group', 'api groups')
  atLeastOne(rule.resources, 'resources', 'resource', 'resources')
  const namespaces = rule.namespaces ?? []
  const at = child(path, 'namespaces')
  if (namespaces.length === 0 && !rule.clusterScope) {
    errors.push(required(at, 'resource rules that are not cluster scoped must supply at least one namespace'))
  } else if (namespaces.includes('*')) {
    if (namespaces.length > 1) {
      errors.push(invalid(at, namespaces, "if '*' is present, must not specify other namespaces"))
    }
  } else {
    for (const [i, namespace] of namespaces.entries()) {
      for (const message of nameIsDNSLabel(namespace, false)) {
        errors.push(
          invalid(index(at, i), namespace, `each member of this list must be '*' or a DNS-1123 label; ${message}`),
        )
      }
    }
  }
  return errors
}

function validateNonResourceRule(rule: NonResourcePolicyRule, path: string): FieldError[] {
  const errors = validateVerbs(rule.verbs, child(path, 'verbs'))
  const urls = rule.nonResourceURLs ?? []
  const at = child(path, 'nonResourceURLs')
  if (urls.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) {
    if (urls.length > 1) errors.push(invalid(at, urls, "if '*' is present, must not specify other non-resource URLs"))
  } else {
    for (const [i, url] of urls.entries()) {
      const fault = urlFault(url)
      if (fault) errors.push(invalid(index(at, i), url, fault))
    }
  }
  return errors
}

function urlFault(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const wildcards = url.split('*').length - 1
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

/** Faults of the conditions of either kind: each has a type of its own. */
export function validateConditionTypes(
  conditions: readonly { type?: string }[] | undefined,
  path: string,
): FieldError[] {
  const types = (conditions ?? []).map(({ type = '' }) => type)
  return types.flatMap((type, i) => {
    const at = child(index(path, i), 'type')
    return [...(types.indexOf(type) < i ? [duplicate(at, type)] : []), ...(type === '' ? [required(at)] : [])]
  })
}
