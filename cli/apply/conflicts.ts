import { isDeepStrictEqual } from 'node:util'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { CliError } from '../errors.ts'
import { lastAppliedAnnotation } from './last-applied.ts'
import { fieldSchema, mergesItems, threeWayPatch } from './three-way.ts'

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Throws where a patch would take back what others have changed since the last apply. kubectl takes its own annotation for
 * such a change and so refuses whatever changes anything; we do not.
 */
export function refuseOverwriting(
  patch: Fields,
  original: AnyObject | undefined,
  current: AnyObject,
  schema: Schema | undefined,
): void {
  const changes = threeWayPatch(original, current, original ?? {}, schema)
  const found = conflictsOf(patch, changes, '', schema).filter((path) => !path.endsWith(lastAppliedAnnotation))
  if (found.length > 0)
    throw new CliError(
      `others have changed since the last apply what this one would change: ${found.join(', ')}. Without --overwrite=false it is taken back`,
    )
}

/** The fields that two patches make into different things. */
function conflictsOf(ours: Fields, theirs: Fields, above: string, schema: Schema | undefined): string[] {
  return Object.entries(ours).flatMap(([name, value]) => {
    // The order of a list, or which fields of a union stay, is no change by itself.
    if (!(name in theirs) || name.startsWith('$')) return []
    const path = above ? `${above}.${name}` : name
    const other = theirs[name]
    if (isDeepStrictEqual(value, other)) return []
    const field = fieldSchema(schema, name)
    if (isFields(value) && isFields(other)) return conflictsOf(value, other, path, field)
    if (Array.isArray(value) && Array.isArray(other) && field && mergesItems(field))
      return conflictsOfItems(value, other, path, field)
    return [path]
  })
}

/** What one adds to a list keeps nobody from adding something else. */
function conflictsOfItems(ours: readonly unknown[], theirs: readonly unknown[], path: string, list: Schema): string[] {
  const key = list.patchMergeKey
  if (!key) return []
  return ours.filter(isFields).flatMap((item) => {
    const other = theirs.filter(isFields).find((one) => one[key] === item[key])
    return other ? conflictsOf(item, other, `${path}[${String(item[key])}]`, list.items) : []
  })
}
