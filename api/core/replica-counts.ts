import { type FieldError, invalid } from '../machinery/field-errors.ts'
import { checkNonNegative } from './pod-spec/checks.ts'

interface Counts {
  replicas?: number
  readyReplicas?: number
  availableReplicas?: number
}

/** Counts of pods in a workload's status: none is negative, and none of `parts` exceeds the whole. */
export function validateReplicaCounts<S extends Counts>(
  errors: FieldError[],
  status: S | undefined,
  ...parts: (keyof S & string)[]
): void {
  if (!status) return
  const countOf = (name: string): number => {
    const count = (status as Readonly<Record<string, unknown>>)[name]
    return typeof count === 'number' ? count : 0
  }
  for (const [name, count] of Object.entries(status)) {
    if (typeof count === 'number') checkNonNegative(errors, count, 'status', name)
  }
  for (const part of parts) {
    if (countOf(part) <= countOf('replicas')) continue
    errors.push(invalid(`status.${part}`, countOf(part), 'cannot be greater than status.replicas'))
  }
}

/** How upstream says that more pods are available than ready; the wording differs between kinds. */
export function validateAvailableAreReady(
  errors: FieldError[],
  status: Counts | undefined,
  readyName = 'readyReplicas',
): void {
  const available = status?.availableReplicas ?? 0
  if (available > (status?.readyReplicas ?? 0)) {
    errors.push(invalid('status.availableReplicas', available, `cannot be greater than ${readyName}`))
  }
}

/** A collision count only rises. */
export function validateCollisionCount(errors: FieldError[], count: number | undefined, old: number | undefined): void {
  if (old !== undefined && (count === undefined || count < old)) {
    errors.push(invalid('status.collisionCount', count ?? 0, 'cannot be decremented'))
  }
}
