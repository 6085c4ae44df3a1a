import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../generated/types.ts'
import { expressionFault } from '../machinery/compilers.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { formatLabelSelector, validateLabelSelector } from '../machinery/labels.ts'
import { isDNS1035Label, isDNS1123Subdomain, nameIsDNSSubdomain, pathSegmentName } from '../machinery/names.ts'
import { failurePolicies, validateMatchConditions, validateMatchResources } from './rules.ts'

/** What the specs of validating and mutating policies have in common. */
export interface PolicySpec {
  failurePolicy?: string
  paramKind?: ParamKind
  matchConstraints?: MatchResources
  matchConditions?: MatchCondition[]
  variables?: Variable[]
}

/** Faults of the parts that both kinds of policy have. */
export function validatePolicySpec(
  spec: PolicySpec,
  old: PolicySpec | undefined,
  { mutating }: { mutating: boolean },
): FieldError[] {
  const errors: FieldError[] = []
  const { failurePolicy, paramKind, matchConstraints } = spec
  if (failurePolicy === undefined) errors.push(required('spec.failurePolicy'))
  else if (!failurePolicies.includes(failurePolicy)) {
    errors.push(notSupported('spec.failurePolicy', failurePolicy, failurePolicies))
  }
  if (paramKind) errors.push(...validateParamKind(paramKind, 'spec.paramKind'))
  if (!matchConstraints) errors.push(required('spec.matchConstraints'))
  else {
    errors.push(...validateMatchResources(matchConstraints, 'spec.matchConstraints', { mutating }))
    if (!matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'))
  }
  const unchanged =
    old && semanticEqual(paramKind, old.paramKind) && semanticEqual(spec.matchConditions, old.matchConditions)
  if (!unchanged) {
    const known = new Set(old?.matchConditions?.map(({ expression }) => expression))
    errors.push(...validateMatchConditions(spec.matchConditions, 'spec.matchConditions', known))
  }
  for (const [i, variable] of (spec.variables ?? []).entries()) {
    errors.push(...validateVariable(variable, index('spec.variables', i)))
  }
  return errors
}

function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, path: string): FieldError[] {
  const errors: FieldError[] = []
  const at = child(path, 'apiVersion')
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/')
  const [group = '', version = ''] = parts.length > 1 ? parts : ['', ...parts]
  if (apiVersion === '') errors.push(required(at))
  else if (parts.length > 2) errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const groupFaults = group === '' ? [] : isDNS1123Subdomain(group)
    if (groupFaults.length > 0) errors.push(invalid(at, group, groupFaults.join(',')))
    const versionFaults = isDNS1035Label(version)
    if (version === '') errors.push(invalid(at, apiVersion, 'version must be specified'))
    else if (versionFaults.length > 0) errors.push(invalid(at, version, versionFaults.join(',')))
  }
  const kindFaults = isDNS1035Label(kind.toLowerCase())
  if (kind === '') errors.push(required(child(path, 'kind')))
  else if (kindFaults.length > 0) {
    errors.push(
      invalid(child(path, 'kind'), kind, `may have mixed case, but should otherwise match: ${kindFaults.join(',')}`),
    )
  }
  return errors
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function validateVariable({ name = '', expression = '' }: Variable, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (name.trim() === '') errors.push(required(child(path, 'name'), 'name is not specified'))
  else if (!identifier.test(name) || reserved.has(name)) {
    errors.push(invalid(child(path, 'name'), name, 'must be a valid CEL identifier'))
  }
  if (expression.trim() === '') errors.push(required(child(path, 'expression'), 'expression is not specified'))
  else {
    const fault = expressionFault(expression, 'variable')
    if (fault) errors.push(invalid(child(path, 'expression'), expression, fault))
  }
  return errors
}

/** What the specs of both kinds of binding have in common. */
export interface PolicyBindingSpec {
  policyName?: string
  paramRef?: ParamRef
  matchResources?: MatchResources
}

/** Faults of the parts that both kinds of binding have. */
export function validateBindingSpec(spec: PolicyBindingSpec, { mutating }: { mutating: boolean }): FieldError[] {
  const { policyName = '', paramRef, matchResources } = spec
  return [
    ...(policyName === ''
      ? [required('spec.policyName')]
      : nameIsDNSSubdomain(policyName, false).map((message) => invalid('spec.policyName', policyName, message))),
    ...(paramRef ? validateParamRef(paramRef, 'spec.paramRef') : []),
    ...validateMatchResources(matchResources, 'spec.matchResources', { mutating }),
  ]
}

function validateParamRef(reference: ParamRef, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { name = '', selector, parameterNotFoundAction: action = '' } = reference
  const exclusive = 'name and selector are mutually exclusive'
  if (name !== '') {
    errors.push(...pathSegmentName(name, false).map((message) => invalid(child(path, 'name'), name, message)))
    if (selector) errors.push(forbidden(child(path, 'name'), exclusive))
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, child(path, 'selector')))
    if (name !== '') errors.push(forbidden(child(path, 'selector'), exclusive))
  }
  if (name === '' && !selector) errors.push(required(path, 'one of name or selector must be specified'))
  const at = child(path, 'parameterNotFoundAction')
  if (action === '') errors.push(required(at))
  else if (action !== 'Deny' && action !== 'Allow') errors.push(notSupported(at, action, ['Deny', 'Allow']))
  return errors
}

/** Table cell: the kind of parameters a policy takes. */
export const paramKindCell = (kind: ParamKind | undefined): string =>
  kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>'

/** Table cell: the parameters a binding chooses. */
export function paramRefCell(reference: ParamRef | undefined): string {
  if (reference?.name) return `${reference.namespace || '*'}/${reference.name}`
  return reference?.selector ? formatLabelSelector(reference.selector) : '<unset>'
}
