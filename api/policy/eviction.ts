import type { Eviction } from '../generated/types.ts'
import { type FieldError, invalid } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** Body of pods/eviction. It is acted on and never stored. */
export const evictionSchema = builtinSchema('io.k8s.api.policy.v1.Eviction')

/** Faults of an eviction as such; that its name is the pod's is checked where the path is known. */
export function validateEviction(eviction: Stored<Eviction>): FieldError[] {
  return eviction.deleteOptions?.ignoreStoreReadErrorWithClusterBreakingPotential
    ? [
        invalid(
          'deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential',
          true,
          'can not be set for pod eviction, try after removing the option',
        ),
      ]
    : []
}
