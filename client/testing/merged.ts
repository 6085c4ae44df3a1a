/** By these, lists of objects are merged where a patch is strategic. */
const mergeKeys = ['type', 'name', 'uid', 'ip', 'key', 'containerPort']

const deleteFrom = '$deleteFromPrimitiveList/'

/** What a merge patch, or a strategic one, makes of a value; shares with it what stays. */
export function merged(old: unknown, patch: unknown, strategic: boolean): unknown {
  if (Array.isArray(patch) && strategic && Array.isArray(old)) return mergedList(old, patch)
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...(old as object) } : {}
  const result = base as Record<string, unknown>
  for (const [field, value] of Object.entries(patch)) {
    if (strategic && field.startsWith(deleteFrom)) {
      const name = field.slice(deleteFrom.length)
      const list = result[name]
      if (Array.isArray(list)) result[name] = list.filter((item) => !(value as unknown[]).includes(item))
    }
    if (field.startsWith('$')) continue
    if (value === null) delete result[field]
    else result[field] = merged(result[field], value, strategic)
  }
  return result
}

function mergedList(old: unknown[], patch: unknown[]): unknown[] {
  const isObject = (item: unknown): item is Record<string, unknown> => typeof item === 'object' && item !== null
  if (!patch.every(isObject)) return [...old, ...patch.filter((item) => !old.includes(item))]
  const key = mergeKeys.find((candidate) => patch.every((item) => candidate in item))
  if (!key) return patch
  const result = [...old] as Record<string, unknown>[]
  for (const item of patch) {
    const at = result.findIndex((standing) => standing[key] === item[key])
    if (item.$patch === 'delete') {
      if (at >= 0) result.splice(at, 1)
    } else if (at >= 0) result[at] = merged(result[at], item, true) as Record<string, unknown>
    else result.push(item)
  }
  return result
}
