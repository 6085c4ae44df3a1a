import type {
  Affinity,
  LabelSelector,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, required } from '../../machinery/field-errors.ts'
import { validateLabelSelector } from '../../machinery/labels.ts'
import { isDNS1123Label, isQualifiedName, isValidLabelValue, nameIsDNSSubdomain } from '../../machinery/names.ts'
import { addInvalid } from './checks.ts'
import type { PodValidationOptions } from './options.ts'

/** Which nodes and which neighbours a pod wants. */
export function validateAffinity(
  errors: FieldError[],
  affinity: Affinity,
  path: string,
  options: PodValidationOptions,
): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  if (nodeAffinity) {
    const nodePath = `${path}.nodeAffinity`
    if (nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution) {
      validateNodeSelector(
        errors,
        nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution,
        `${nodePath}.requiredDuringSchedulingIgnoredDuringExecution`,
        options.allowInvalidRequiredNodeAffinityValues,
      )
    }
    const preferred = nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? []
    for (const [i, { weight = 0, preference = {} }] of preferred.entries()) {
      const at = `${nodePath}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
      checkWeight(errors, weight, at)
      // Preferred values are never checked: an invalid one matches no node, and gets a warning.
      validateNodeSelectorTerm(errors, preference, `${at}.preference`, true)
    }
  }
  if (podAffinity) validatePodAffinity(errors, podAffinity, `${path}.podAffinity`, options)
  if (podAntiAffinity) validatePodAffinity(errors, podAntiAffinity, `${path}.podAntiAffinity`, options)
}

/** A selector of nodes; at least one term. */
export function validateNodeSelector(
  errors: FieldError[],
  selector: NodeSelector,
  path: string,
  allowInvalidValues: boolean,
): void {
  const terms = selector.nodeSelectorTerms ?? []
  if (terms.length === 0) {
    errors.push(required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term'))
  }
  for (const [i, term] of terms.entries()) {
    validateNodeSelectorTerm(errors, term, `${path}.nodeSelectorTerms[${i}]`, allowInvalidValues)
  }
}

/** Some selector of the pod affinity has a value that is no label value. */
export function hasInvalidSelectorValue(affinity: Affinity | undefined): boolean {
  for (const side of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    for (const term of side?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (termHasInvalidValue(term)) return true
    }
    for (const { podAffinityTerm } of side?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (termHasInvalidValue(podAffinityTerm)) return true
    }
  }
  return false
}

/** Some expression of a selector has a value that is no label value. */
export const selectorHasInvalidValue = (selector: LabelSelector | undefined): boolean =>
  (selector?.matchExpressions ?? []).some(({ values }) => hasInvalidValue(values))

/** Some required term of the node affinity has a value that is no label value. */
export function hasInvalidRequiredAffinityValue(affinity: Affinity | undefined): boolean {
  const needed = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return (needed?.nodeSelectorTerms ?? []).some((term) =>
    (term.matchExpressions ?? []).some(({ values }) => hasInvalidValue(values)),
  )
}

/**
 * Label keys whose values the pod's own labels give. `path` is that of the term or constraint. Upstream puts an index
 * of the key right behind it.
 */
export function validateMatchLabelKeys(
  errors: FieldError[],
  matchKeys: readonly string[] | undefined,
  mismatchKeys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: string,
): void {
  if (!matchKeys?.length && !mismatchKeys?.length) return
  checkKeys(errors, matchKeys, selector, `${path}.matchLabelKeys`)
  checkKeys(errors, mismatchKeys, selector, `${path}.mismatchLabelKeys`)
  if (selector) {
    const selected = new Set(Object.keys(selector.matchLabels ?? {}))
    for (const { key } of selector.matchExpressions ?? []) {
      const i = matchKeys?.lastIndexOf(key) ?? -1
      if (i >= 0 && selected.has(key)) {
        errors.push(invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
      }
      selected.add(key)
    }
  }
  for (const [i, key] of (matchKeys ?? []).entries()) {
    if (mismatchKeys?.includes(key)) {
      errors.push(invalid(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
    }
  }
}

function checkKeys(
  errors: FieldError[],
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: string,
): void {
  if (!keys?.length) return
  if (!selector) {
    errors.push(forbidden(path, 'must not be specified when labelSelector is not set'))
    return
  }
  for (const [i, key] of keys.entries()) addInvalid(errors, `${path}[${i}]`, key, isQualifiedName(key))
}

function validateNodeSelectorTerm(
  errors: FieldError[],
  term: NodeSelectorTerm,
  path: string,
  allowInvalidValues: boolean,
): void {
  for (const [i, requirement] of (term.matchExpressions ?? []).entries()) {
    validateNodeRequirement(errors, requirement, `${path}.matchExpressions[${i}]`, allowInvalidValues)
  }
  for (const [i, { key = '', operator = '', values = [] }] of (term.matchFields ?? []).entries()) {
    const at = `${path}.matchFields[${i}]`
    if (operator !== 'In' && operator !== 'NotIn') {
      errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    } else if (values.length !== 1) {
      errors.push(
        required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
      )
    }
    if (key !== 'metadata.name') {
      errors.push(invalid(`${at}.key`, key, 'not a valid field selector key'))
      continue
    }
    for (const [j, value] of values.entries()) {
      addInvalid(errors, `${at}.values[${j}]`, value, nameIsDNSSubdomain(value, false))
    }
  }
}

function validateNodeRequirement(
  errors: FieldError[],
  { key = '', operator = '', values = [] }: NodeSelectorRequirement,
  path: string,
  allowInvalidValues: boolean,
): void {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      }
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      }
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      }
      break
    default:
      errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'))
  }
  addInvalid(errors, `${path}.key`, key, isQualifiedName(key))
  if (allowInvalidValues) return
  for (const [i, value] of values.entries()) {
    addInvalid(errors, `${path}.values[${i}]`, value, isValidLabelValue(value))
  }
}

function validatePodAffinity(
  errors: FieldError[],
  affinity: PodAffinity,
  path: string,
  options: PodValidationOptions,
): void {
  const { requiredDuringSchedulingIgnoredDuringExecution: needed, preferredDuringSchedulingIgnoredDuringExecution } =
    affinity
  for (const [i, term] of (needed ?? []).entries()) {
    validatePodTerm(errors, term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, options)
  }
  for (const [i, { weight = 0, podAffinityTerm }] of (
    preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
    checkWeight(errors, weight, at)
    validatePodTerm(errors, podAffinityTerm ?? { topologyKey: '' }, `${at}.podAffinityTerm`, options)
  }
}

function validatePodTerm(
  errors: FieldError[],
  term: PodAffinityTerm,
  path: string,
  options: PodValidationOptions,
): void {
  const selectorOptions = { allowInvalidLabelValue: options.allowInvalidSelectorValues }
  if (term.labelSelector) {
    errors.push(...validateLabelSelector(term.labelSelector, `${path}.labelSelector`, selectorOptions))
  }
  if (term.namespaceSelector) {
    errors.push(...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`, selectorOptions))
  }
  for (const namespace of term.namespaces ?? []) {
    addInvalid(errors, `${path}.namespace`, namespace, isDNS1123Label(namespace))
  }
  validateMatchLabelKeys(errors, term.matchLabelKeys, term.mismatchLabelKeys, term.labelSelector, path)
  const { topologyKey = '' } = term
  if (!topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  addInvalid(errors, `${path}.topologyKey`, topologyKey, isQualifiedName(topologyKey))
}

function checkWeight(errors: FieldError[], weight: number, path: string): void {
  if (weight < 1 || weight > 100) errors.push(invalid(`${path}.weight`, weight, 'must be in the range 1-100'))
}

const hasInvalidValue = (values: readonly string[] | undefined): boolean =>
  (values ?? []).some((value) => isValidLabelValue(value).length > 0)

const termHasInvalidValue = (term: PodAffinityTerm | undefined): boolean =>
  selectorHasInvalidValue(term?.labelSelector) || selectorHasInvalidValue(term?.namespaceSelector)
