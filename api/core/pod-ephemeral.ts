import type { Pod } from '../generated/types.ts'
import { type FieldError, forbidden } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { objectDiff } from './object-diff.ts'
import { mirrorAnnotation, validatePodAnnotationsUpdate } from './pod-spec/annotations.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'
import { validatePodContent } from './pod-validation.ts'

/** A write to the ephemeralcontainers subresource: containers are added, none is changed or removed. */
export function validatePodEphemeralContainersUpdate(pod: Stored<Pod>, old: Stored<Pod>): FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [forbidden('', 'static pods do not support ephemeral containers')]
  }
  const errors: FieldError[] = []
  validatePodContent(errors, pod, podValidationOptions(true, old))
  validatePodAnnotationsUpdate(errors, pod.metadata.annotations, old.metadata.annotations, 'metadata.annotations')
  const path = 'spec.ephemeralContainers'
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const name = JSON.stringify(before.name)
    const now = pod.spec?.ephemeralContainers?.findLast((container) => container.name === before.name)
    if (!now) errors.push(forbidden(path, `existing ephemeral containers ${name} may not be removed\n`))
    else if (!semanticEqual(now, before)) {
      errors.push(
        forbidden(path, `existing ephemeral containers ${name} may not be changed\n${objectDiff(before, now)}`),
      )
    }
  }
  return errors
}
