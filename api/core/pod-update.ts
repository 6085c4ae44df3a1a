import type { NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../generated/types.ts'
import { type FieldError, forbidden, invalid } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { inclusiveRangeError } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { objectDiff } from './object-diff.ts'
import { validatePodAnnotationsUpdate } from './pod-spec/annotations.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'
import { validatePodContent } from './pod-validation.ts'

const mutableFields = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')
const maxInt32 = 2147483647

/** An update of a pod itself: a pod is what it is, but for a few fields and for its directions while it is gated. */
export function validatePodUpdate(pod: Stored<Pod>, old: Stored<Pod>): FieldError[] {
  const errors: FieldError[] = []
  validatePodContent(errors, pod, podValidationOptions(true, old))
  validatePodAnnotationsUpdate(errors, pod.metadata.annotations, old.metadata.annotations, 'metadata.annotations')
  const spec = pod.spec as PodSpec
  const oldSpec = old.spec as PodSpec
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list]?.length ?? 0) !== (oldSpec[list]?.length ?? 0)) {
      errors.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'))
      return errors
    }
  }
  if (!validateDeadline(errors, spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds)) return errors
  validateTolerationsKept(errors, spec.tolerations ?? [], oldSpec.tolerations ?? [])
  const gates = oldSpec.schedulingGates ?? []
  for (const [i, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (gates.some((gate) => gate.name === name)) continue
    const rule = `only deletion is allowed, but found new scheduling gate '${name}'`
    errors.push(forbidden(`spec.schedulingGates[${i}].name`, rule))
  }
  if (semanticEqual(spec, oldSpec)) return errors

  const rest = withMutableFieldsOf(spec, oldSpec)
  if (gates.length > 0) restoreDirections(errors, rest, oldSpec)
  if (!semanticEqual(rest, oldSpec)) {
    const diff = objectDiff(oldSpec, rest)
    errors.push(forbidden('spec', `pod updates may not change fields other than ${mutableFields}\n${diff}`))
  }
  return errors
}

/** False: a fault after which upstream looks no further. */
function validateDeadline(errors: FieldError[], seconds: number | undefined, old: number | undefined): boolean {
  const path = 'spec.activeDeadlineSeconds'
  if (seconds === undefined) {
    if (old !== undefined) {
      errors.push(invalid(path, undefined, 'must not update from a positive integer to nil value'))
    }
    return true
  }
  if (seconds < 0 || seconds > maxInt32) {
    errors.push(invalid(path, seconds, inclusiveRangeError(0, maxInt32)))
    return false
  }
  if (old !== undefined && old < seconds) {
    errors.push(invalid(path, seconds, 'must be less than or equal to previous value'))
    return false
  }
  return true
}

function validateTolerationsKept(
  errors: FieldError[],
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
): void {
  const withoutTime = ({ tolerationSeconds: _, ...rest }: Toleration) => rest
  for (const before of old) {
    if (tolerations.some((now) => semanticEqual(withoutTime(now), withoutTime(before)))) continue
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
    return
  }
}

/** The new spec with the old values of all that may always change. */
function withMutableFieldsOf(spec: PodSpec, old: PodSpec): PodSpec {
  const rest = structuredClone(spec)
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (rest[list] ?? []).entries()) {
      const image = old[list]?.[i]?.image
      if (image !== undefined) container.image = image
    }
  }
  restore(rest, old, 'activeDeadlineSeconds')
  restore(rest, old, 'schedulingGates')
  restore(rest, old, 'tolerations')
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && rest.terminationGracePeriodSeconds === 1) {
    restore(rest, old, 'terminationGracePeriodSeconds')
  }
  return rest
}

function restore<K extends keyof PodSpec>(spec: PodSpec, old: PodSpec, field: K): void {
  const value = old[field]
  if (value === undefined) delete spec[field]
  else spec[field] = value
}

/** A gated pod's choice of nodes may be narrowed. Checks that, and takes the old choice back into `rest`. */
function restoreDirections(errors: FieldError[], rest: PodSpec, old: PodSpec): void {
  if (!semanticEqual(rest.nodeSelector, old.nodeSelector)) {
    const kept = Object.entries(old.nodeSelector ?? {}).every(([label, value]) => rest.nodeSelector?.[label] === value)
    if (!kept) {
      const rule = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
      errors.push(invalid('spec.nodeSelector', rest.nodeSelector, rule))
    }
    restore(rest, old, 'nodeSelector')
  }
  const before = old.affinity?.nodeAffinity
  const now = rest.affinity?.nodeAffinity
  if (semanticEqual(before, now)) return
  validateAffinityNarrowed(errors, now, before)
  if (before) rest.affinity = { ...rest.affinity, nodeAffinity: before }
  else if (rest.affinity) {
    delete rest.affinity.nodeAffinity
    if (!old.affinity && Object.keys(rest.affinity).length === 0) delete rest.affinity
  }
}

function validateAffinityNarrowed(
  errors: FieldError[],
  affinity: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
): void {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (before.length === 0) return
  const now = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (before.length !== now.length) {
    errors.push(invalid(path, now, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'))
    return
  }
  for (const [i, term] of before.entries()) {
    if (addsOnly(now[i] as NodeSelectorTerm, term)) continue
    errors.push(invalid(`${path}[${i}]`, now[i], 'only additions are allowed (no mutations or deletions)'))
  }
}

function addsOnly(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const parts = [
    [term.matchExpressions ?? [], old.matchExpressions ?? []],
    [term.matchFields ?? [], old.matchFields ?? []],
  ] as const
  // A term without conditions matches no node: conditions would widen it.
  if (parts.every(([, before]) => before.length === 0)) return parts.every(([now]) => now.length === 0)
  return parts.every(([now, before]) => semanticEqual(now.slice(0, before.length), before))
}
