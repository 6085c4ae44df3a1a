import { type FieldError, invalid, required, tooLong } from '../machinery/field-errors.ts'
import { isQualifiedName } from '../machinery/names.ts'

const maxParametersBytes = 256 * 1024
const maxParameters = 512

/** Faults of the name of a provisioner or driver: a qualified name, in any case. */
export function validateProvisioner(provisioner: string | undefined, path: string): FieldError[] {
  if (!provisioner) return [required(path)]
  const lower = provisioner.toLowerCase()
  return isQualifiedName(lower).map((message) => invalid(path, lower, message))
}

/** Faults of the opaque parameters of a class. */
export function validateParameters(
  parameters: Record<string, string> | undefined,
  path: string,
  { allowEmpty }: { allowEmpty: boolean },
): FieldError[] {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > maxParameters) return [tooLong(path, maxParameters)]
  const errors: FieldError[] = []
  let totalBytes = 0
  for (const [name, value] of entries) {
    if (name === '') errors.push(invalid(path, name, 'field can not be empty.'))
    totalBytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  if (totalBytes > maxParametersBytes) errors.push(tooLong(path, maxParametersBytes))
  if (!allowEmpty && entries.length === 0) errors.push(required(path, 'must contain at least one key/value pair'))
  return errors
}
