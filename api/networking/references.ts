import { dnsSubdomain } from '../core/field-formats.ts'
import { child, type FieldError, invalid, required } from '../machinery/field-errors.ts'
import { pathSegmentName } from '../machinery/names.ts'

/** Faults of a reference to an object of any kind: group, kind and name. */
export function validateTypedReference(
  { apiGroup, kind, name }: { apiGroup?: string; kind: string; name: string },
  path: string,
): FieldError[] {
  return [
    ...(apiGroup === undefined ? [] : dnsSubdomain(child(path, 'apiGroup'), apiGroup)),
    ...requiredSegment(child(path, 'kind'), kind),
    ...requiredSegment(child(path, 'name'), name),
  ]
}

/** A value that must be there and can stand in a URL between slashes. */
export const requiredSegment = (path: string, value = ''): FieldError[] =>
  value === '' ? [required(path)] : segment(path, value)

/** A value that can stand in a URL between slashes. */
export const segment = (path: string, value: string): FieldError[] =>
  pathSegmentName(value, false).map((fault) => invalid(path, value, fault))
