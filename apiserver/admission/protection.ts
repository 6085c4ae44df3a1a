import { qualifiedName } from '../../api/machinery/errors.ts'
import { refuse } from './refuse.ts'
import type { AdmissionPlugin } from './types.ts'

export const protectedAnnotation = 'gantry.dev/protected'

/** An object annotated as protected is not deleted until someone takes the annotation away. */
export function createProtection(): AdmissionPlugin {
  return {
    name: 'Protection',
    handles: ({ operation, subresource, old }) =>
      operation === 'DELETE' && subresource === '' && old?.metadata.annotations?.[protectedAnnotation] === 'true',
    validate(attributes) {
      const { resource, namespace, name } = attributes
      const kind = qualifiedName({ group: resource.group, resource: resource.plural })
      const inNamespace = resource.namespaced && namespace !== '' ? ` -n ${namespace}` : ''
      const command = `kubectl annotate ${kind} ${name}${inNamespace} ${protectedAnnotation}-`
      throw refuse(
        attributes,
        `it is protected from deletion by the annotation ${protectedAnnotation}; to delete it, first remove the annotation: ${command}`,
      )
    },
  }
}
