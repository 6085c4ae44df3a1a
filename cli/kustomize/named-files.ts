import type { ManifestObject } from '../manifests.ts'
import { identityOf, isClusterWide } from './resource.ts'

type Made = ManifestObject['object']

/** The name of the file of each object: `apps_v1_deployment_web.yaml`; where there are several namespaces, after its own. */
export function namedFiles(objects: readonly Made[]): [name: string, object: Made][] {
  const placed = objects.map((object) => {
    const { namespace, kind } = identityOf(object)
    return { object, namespace: isClusterWide(kind) ? '' : namespace || 'default' }
  })
  const isOfSeveral = new Set(placed.flatMap(({ namespace }) => namespace || [])).size > 1
  return placed.map(({ object, namespace }) => {
    const { group, version, kind, name } = identityOf(object)
    const words = [isOfSeveral ? namespace : '', group, version, kind, name].filter((word) => word !== '')
    return [`${words.join('_').toLowerCase()}.yaml`, object]
  })
}
