import type { ControllerRevision } from '../generated/types.ts'
import { type FieldError, required } from '../machinery/field-errors.ts'
import { immutable, nonNegative } from '../machinery/field-rules.ts'
import { parseApiVersion, type Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

type StoredRevision = Stored<ControllerRevision>

export const controllerRevisions = defineResource<StoredRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.apps.v1.ControllerRevision'),
  validate: (revision, old) => {
    const errors = nonNegative(revision.revision ?? 0, 'revision')
    if (old) errors.push(...immutable(revision.data, old.data, 'data'))
    else errors.push(...dataFaults(revision.data))
    return errors
  },
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', description: 'Controller of the object', value: controllerOf },
    {
      name: 'Revision',
      type: 'string',
      description: 'Number of the revision; the newest is the highest.',
      value: (revision) => revision.revision ?? 0,
    },
    ageColumn,
  ],
})

function dataFaults(data: unknown): FieldError[] {
  if (data === undefined || data === null) return [required('data', 'data is mandatory')]
  const isObject = typeof data === 'object' && !Array.isArray(data)
  return isObject ? [] : [required('data', 'data must be a valid JSON object')]
}

/** `daemonset.apps/fluentd` */
function controllerOf({ metadata }: StoredRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (!owner) return '<none>'
  const { group } = parseApiVersion(owner.apiVersion)
  return `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`
}
