import { type FieldError, invalid, required, tooLong } from '../machinery/field-errors.ts'
import { isDNS1123Subdomain } from '../machinery/names.ts'

const maxDriverNameBytes = 63

/** Faults of the name of a CSI driver (or of another driver named alike): a DNS subdomain in any case. */
export function validateDriverName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [required(path)]
  const errors = isDNS1123Subdomain(name.toLowerCase()).map((message) => invalid(path, name, message))
  if (Buffer.byteLength(name) > maxDriverNameBytes) errors.unshift(tooLong(path, maxDriverNameBytes))
  return errors
}
