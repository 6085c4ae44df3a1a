/** A deep copy as JSON would make one: what is undefined is left out. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf) as T
  const copy: Record<string, unknown> = {}
  for (const [field, part] of Object.entries(value)) if (part !== undefined) copy[field] = copyOf(part)
  return copy as T
}

/** The same as a {@link copyOf} that nobody can change. Parts that are frozen already are shared with it. */
export function frozenCopyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopyOf)) as T
  const copy: Record<string, unknown> = {}
  for (const [field, part] of Object.entries(value)) if (part !== undefined) copy[field] = frozenCopyOf(part)
  return Object.freeze(copy) as T
}
