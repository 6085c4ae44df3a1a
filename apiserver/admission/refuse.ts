import { forbiddenError, type StatusError } from '../../api/machinery/errors.ts'
import type { AdmissionAttributes } from './types.ts'

/** The 403 of an admission plugin: `pods "web" is forbidden: why`. */
export function refuse({ resource, name, object }: AdmissionAttributes, why: string): StatusError {
  const { name: own, generateName } = object?.metadata ?? {}
  return forbiddenError(
    { group: resource.group, resource: resource.plural },
    name || own || generateName || 'Unknown',
    why,
  )
}
