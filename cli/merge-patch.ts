import { isDeepStrictEqual } from 'node:util'

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7396: objects are merged, null takes away, all else replaces. */
export function merged(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

/** The patch that makes one object into another; undefined where they are the same. */
export function mergePatchOf(before: Fields, after: Fields): Fields | undefined {
  const patch: Fields = {}
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const old = before[key]
    if (isDeepStrictEqual(old, value)) continue
    patch[key] = isFields(old) && isFields(value) ? mergePatchOf(old, value) : value
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}
