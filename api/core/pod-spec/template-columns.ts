import type { PodTemplateSpec } from '../../generated/types.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Column } from '../../machinery/resource.ts'

/** The wide columns of a workload that tell what its pods run. */
export function templateColumns<T extends KubeObject>(
  templateOf: (object: T) => PodTemplateSpec | undefined,
  priority = 1,
): Column<T>[] {
  const join = (object: T, field: 'name' | 'image') =>
    (templateOf(object)?.spec?.containers ?? []).map((container) => container[field] ?? '').join(',')
  return [
    {
      name: 'Containers',
      type: 'string',
      priority,
      description: 'Names of each container in the template.',
      value: (object) => join(object, 'name'),
    },
    {
      name: 'Images',
      type: 'string',
      priority,
      description: 'Images referenced by each container in the template.',
      value: (object) => join(object, 'image'),
    },
  ]
}

/** Labels as `a=b,c=d`; `<none>` for none. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.keys(labels ?? {}).sort()
  return pairs.length === 0 ? '<none>' : pairs.map((key) => `${key}=${labels?.[key]}`).join(',')
}
