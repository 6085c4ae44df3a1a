import type { DeleteOptions } from '../../api/generated/types.ts'
import { conflictError, type GroupResource } from '../../api/machinery/errors.ts'
import { type FieldError, forbidden, invalid, notSupported } from '../../api/machinery/field-errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import { formatTime } from '../../api/machinery/time.ts'

const orphanFinalizer = 'orphan'
const foregroundFinalizer = 'foregroundDeletion'

/** What a delete request does to an object. */
export type DeletionStep =
  /** Gone at once; the object as it is told of: what may be deleted gracefully has got its time, if only this one. */
  | { step: 'remove'; object: AnyObject }
  /** Written back with a deletion timestamp: finalizers or a grace period hold it. */
  | { step: 'mark'; object: AnyObject }
  /** It is being deleted already and nothing changes. */
  | { step: 'pending' }

/**
 * Decides what deleting `object` means: preconditions, grace period, and the finalizer that records the propagation
 * policy for the garbage collector. Changes `object`. Throws a 409 when a precondition does not hold.
 */
export function planDeletion(
  resource: Resource,
  object: AnyObject,
  options: DeleteOptions,
  nowMs: number,
): DeletionStep {
  checkPreconditions(resource, object, options)
  const meta = object.metadata
  const grace = planGrace(resource, object, options, nowMs)
  if (grace === 'pending') return { step: 'pending' }
  recordPropagation(resource, object, options)
  const held = (meta.finalizers?.length ?? 0) > 0
  if (grace === 'graceful') {
    if (held || (meta.deletionGracePeriodSeconds ?? 0) > 0) return { step: 'mark', object }
    return { step: 'remove', object }
  }
  if (!held) return { step: 'remove', object }
  if (meta.deletionTimestamp === undefined) {
    meta.deletionTimestamp = formatTime(nowMs)
    if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation as number) + 1
  }
  meta.deletionGracePeriodSeconds = 0
  return { step: 'mark', object }
}

/** Faults in the options of a delete request, in upstream's words. */
export function validateDeleteOptions(options: DeleteOptions): FieldError[] {
  const errors: FieldError[] = []
  const policy = options.propagationPolicy
  if (policy !== undefined && options.orphanDependents !== undefined) {
    errors.push(invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, ['Background', 'Foreground', 'Orphan', 'nil']))
  }
  for (const [i, value] of (options.dryRun ?? []).entries()) {
    if (value !== 'All') errors.push(notSupported(`dryRun[${i}]`, value, ['All']))
  }
  return errors
}

/** Finalizers an object may not have at once. */
export function conflictingFinalizers(finalizers: readonly string[] | undefined): FieldError[] {
  if (!finalizers?.includes(orphanFinalizer) || !finalizers.includes(foregroundFinalizer)) return []
  return [
    forbidden('metadata.finalizers', `finalizers ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`),
  ]
}

function checkPreconditions(resource: Resource, { metadata }: AnyObject, { preconditions }: DeleteOptions): void {
  if (!preconditions) return
  const of: GroupResource = { group: resource.group, resource: resource.kind }
  const name = metadata.name ?? ''
  if (preconditions.uid !== undefined && preconditions.uid !== metadata.uid) {
    throw conflictError(
      of,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== metadata.resourceVersion) {
    throw conflictError(
      of,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

function planGrace(
  resource: Resource,
  object: AnyObject,
  options: DeleteOptions,
  nowMs: number,
): 'now' | 'graceful' | 'pending' {
  const graceOf = resource.strategy.gracefulDeletion
  if (!graceOf) return 'now'
  const meta = object.metadata
  const requested =
    options.gracePeriodSeconds === undefined
      ? undefined
      : options.gracePeriodSeconds < 0
        ? 1
        : options.gracePeriodSeconds
  if (meta.deletionTimestamp !== undefined) {
    const current = meta.deletionGracePeriodSeconds ?? 0
    if (current === 0) return 'now'
    // A grace period once granted can only be shortened.
    if (requested === undefined || requested >= current) return 'pending'
    let until = Date.parse(meta.deletionTimestamp) + (requested - current) * 1000
    let seconds = requested
    if (until < nowMs) {
      until = nowMs
      // Asked for with grace, and the grace is over: still somebody else's to finish.
      if (seconds !== 0) seconds = 1
    }
    meta.deletionTimestamp = formatTime(until)
    meta.deletionGracePeriodSeconds = seconds
    return 'graceful'
  }
  const seconds = graceOf(object, requested)
  meta.deletionTimestamp = formatTime(nowMs + seconds * 1000)
  meta.deletionGracePeriodSeconds = seconds
  if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation as number) + 1
  return 'graceful'
}

function recordPropagation(resource: Resource, { metadata }: AnyObject, options: DeleteOptions): void {
  const finalizers = metadata.finalizers ?? []
  const wanted = propagation(resource, finalizers, options)
  const kept = finalizers.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer)
  if (wanted === 'Orphan') kept.push(orphanFinalizer)
  if (wanted === 'Foreground') kept.push(foregroundFinalizer)
  if (kept.length > 0) metadata.finalizers = kept
  else delete metadata.finalizers
}

function propagation(resource: Resource, finalizers: readonly string[], options: DeleteOptions): string {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background'
  if (options.propagationPolicy !== undefined) return options.propagationPolicy
  if (finalizers.includes(orphanFinalizer)) return 'Orphan'
  if (finalizers.includes(foregroundFinalizer)) return 'Foreground'
  return resource.strategy.defaultPropagation ?? 'Background'
}
