import type { LabelSelector, PodSpec, PodTemplateSpec } from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, required } from '../../machinery/field-errors.ts'
import { labelSelectorMatcher, validateLabelSelector, validateLabels } from '../../machinery/labels.ts'
import { validateAnnotations } from '../../machinery/meta-validation.ts'
import { validatePodAnnotations, validateProfileAnnotations } from './annotations.ts'
import type { PodValidationOptions } from './options.ts'
import { validatePodSpec } from './validation.ts'

/** The template of a workload's pods. Its name and namespace play no part. */
export function validatePodTemplateSpec(
  errors: FieldError[],
  template: PodTemplateSpec,
  path: string,
  options: PodValidationOptions,
): void {
  const { metadata } = template
  const spec: PodSpec = template.spec ?? { containers: [] }
  errors.push(
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
  )
  validatePodAnnotations(errors, metadata?.annotations, spec, `${path}.annotations`, options)
  validatePodSpec(errors, spec, undefined, `${path}.spec`, options)
  validateProfileAnnotations(errors, metadata, spec, `${path}.spec`)
  if (spec.ephemeralContainers?.length) {
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  }
}

/**
 * The selector of a workload, which may not be empty (`kind` names the workload in the fault). Gives false if the
 * selector cannot be evaluated.
 */
export function validateWorkloadSelector(
  errors: FieldError[],
  selector: LabelSelector | undefined,
  kind: string,
  path: string,
): boolean {
  if (!selector) {
    errors.push(required(path))
    return false
  }
  const faults = validateLabelSelector(selector, path)
  errors.push(...faults)
  if (isEmptySelector(selector)) errors.push(invalid(path, selector, `empty selector is invalid for ${kind}`))
  return faults.length === 0
}

export const isEmptySelector = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0

/** The pods a template makes must be pods that the selector finds. `path` is the template's; the selector is sound. */
export function validateSelectorFindsTemplate(
  errors: FieldError[],
  selector: LabelSelector,
  template: PodTemplateSpec,
  path: string,
): void {
  const labels = template.metadata?.labels ?? {}
  if (!isEmptySelector(selector) && !labelSelectorMatcher(selector)(labels)) {
    const rule = '`selector` does not match template `labels`'
    errors.push(invalid(`${path}.metadata.labels`, template.metadata?.labels, rule))
  }
}
