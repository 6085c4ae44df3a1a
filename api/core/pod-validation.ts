import type { Pod, PodSpec } from '../generated/types.ts'
import { type FieldError, forbidden } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { validatePodAnnotations, validateProfileAnnotations } from './pod-spec/annotations.ts'
import { checkImagePadding } from './pod-spec/containers.ts'
import type { PodValidationOptions } from './pod-spec/options.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'
import { validatePodSpec } from './pod-spec/validation.ts'

/** A new pod. */
export function validatePodCreate(pod: Stored<Pod>): FieldError[] {
  const errors: FieldError[] = []
  const spec = pod.spec as PodSpec
  validatePodContent(errors, pod, podValidationOptions(true))
  if (spec.ephemeralContainers?.length) {
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  validateProfileAnnotations(errors, pod.metadata, spec, 'spec')
  return errors
}

/** What holds for every pod at all times. */
export function validatePodContent(errors: FieldError[], pod: Stored<Pod>, options: PodValidationOptions): void {
  const spec = pod.spec as PodSpec
  validatePodAnnotations(errors, pod.metadata.annotations, spec, 'metadata.annotations', options)
  validatePodSpec(errors, spec, pod.metadata, 'spec', options)
  if (!spec.serviceAccountName && spec.volumes) {
    for (const [i, { projected }] of spec.volumes.entries()) {
      for (const [j, source] of (projected?.sources ?? []).entries()) {
        if (!source.serviceAccountToken) continue
        errors.push(
          forbidden(
            `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`,
            'must not be specified when serviceAccountName is not set',
          ),
        )
      }
    }
  }
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = spec[list]
    if (!containers) continue
    for (let i = 0; i < containers.length; i++) checkImagePadding(errors, containers[i]!.image, `spec.${list}[${i}]`)
  }
}
