import { compileSelector } from '../../api/machinery/labels.ts'
import { CliError } from '../errors.ts'
import type { Selector } from './kustomization.ts'
import { everyIdentity, type Identity, identityOf, type Resource } from './resource.ts'

const parts = ['group', 'version', 'kind', 'name', 'namespace'] as const

/** Those that a selector is about, by what they are or ever were called. */
export function selected(resources: readonly Resource[], selector: Selector): Resource[] {
  const patterns = parts.flatMap((part) => (selector[part] ? [[part, whole(selector[part])] as const] : []))
  const hasLabels = selector.labelSelector ? compileSelector(selector.labelSelector) : () => true
  const hasAnnotations = selector.annotationSelector ? compileSelector(selector.annotationSelector) : () => true
  return resources.filter((resource) => {
    const { labels = {}, annotations = {} } = resource.object.metadata
    const now = identityOf(resource.object)
    return (
      hasLabels(labels) &&
      hasAnnotations(annotations) &&
      everyIdentity(resource).some((identity) =>
        // A name it had once is still its name; its kind is what it is now.
        patterns.every(([part, pattern]) =>
          pattern.test(part === 'name' || part === 'namespace' ? identity[part] : now[part]),
        ),
      )
    )
  })
}

function whole(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch (error) {
    throw new CliError(`a target of the kustomization is no regular expression: ${(error as Error).message}`)
  }
}

/** Those that are exactly what is written, where it is written. */
export const exactly = (resources: readonly Resource[], wanted: Identity): Resource[] =>
  resources.filter((resource) =>
    everyIdentity(resource).some((identity) => parts.every((part) => !wanted[part] || wanted[part] === identity[part])),
  )
