import type { Resource } from '../../api/machinery/resource.ts'

/** The collection's path in a version, and in a namespace where it has one. */
export function basePath(resource: Resource, group: string, version: string, namespace: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return `${root}${resource.namespaced ? `/namespaces/${namespace}` : ''}/${resource.plural}`
}
