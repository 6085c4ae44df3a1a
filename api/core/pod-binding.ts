import type { Binding } from '../generated/types.ts'
import { type FieldError, notSupported, required } from '../machinery/field-errors.ts'

/** What a scheduler asks for: the pod of the binding's name shall run on the target. */
export function validatePodBinding({ target }: Binding): FieldError[] {
  const errors: FieldError[] = []
  if (target?.kind && target.kind !== 'Node') {
    errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']))
  }
  if (!target?.name) errors.push(required('target.name'))
  return errors
}
