import { StatusError } from '../../api/machinery/errors.ts'
import { type FieldPath, type FieldSet, has, paths, printPath } from './field-set.ts'
import type { Manager } from './managers.ts'

/** A field that an apply would change and somebody else owns. */
export interface Conflict {
  manager: Manager
  path: FieldPath
}

/** Thrown by an apply without force. */
export class Conflicts extends Error {
  readonly list: readonly Conflict[]

  constructor(list: readonly Conflict[]) {
    super('apply conflicts with other managers')
    this.list = list
  }

  static of(owned: readonly { manager: Manager; set: FieldSet }[]): Conflicts {
    return new Conflicts(owned.flatMap(({ manager, set }) => paths(set).map((path) => ({ manager, path }))))
  }

  /** Those whose fields are not in the set. */
  outside(set: FieldSet): readonly Conflict[] {
    return this.list.filter(({ path }) => !has(set, path))
  }
}

/** 409, with a cause for each field, as upstream words it. */
export function conflictStatus(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(manager)}`,
    field: printPath(path),
  }))
  return new StatusError(409, 'Conflict', conflictMessage(conflicts), { causes })
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [only] = conflicts
  if (only && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${printManager(only.manager)}: ${printPath(only.path)}`
  }
  const byManager = new Map<Manager, string[]>()
  for (const { manager, path } of conflicts) {
    const lines = byManager.get(manager) ?? []
    lines.push(`- ${printPath(path)}`)
    byManager.set(manager, lines)
  }
  const lines = [...byManager]
    .toSorted(([a], [b]) => (sortKey(a) < sortKey(b) ? -1 : 1))
    .flatMap(([manager, fields]) => [`conflicts with ${printManager(manager)}:`, ...fields])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

/** Upstream sorts by the identity it keeps, which is JSON in this order of fields. */
const sortKey = ({ name, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify({
    ...(name === '' ? {} : { manager: name }),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource === '' ? {} : { subresource }),
  })

/** An updater is told by the version it wrote too; an applier by its name alone. */
function printManager({ name, operation, apiVersion, subresource }: Manager): string {
  const who = JSON.stringify(name) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`)
  return operation === 'Update' ? `${who} using ${apiVersion}` : who
}
