/**
 * JSON as expressions see it: whole numbers are integers. Made when it is first looked at, as few expressions look at
 * all of an object.
 */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(celValue)
  if (typeof value !== 'object' || value === null) return value ?? null
  const seen: Record<string, unknown> = Object.create(null)
  for (const [field, inner] of Object.entries(value)) if (inner !== undefined) seen[field] = celValue(inner)
  return seen
}

/** What an expression came to, as JSON. */
export function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(jsonValue)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [String(key), jsonValue(inner)]))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonValue(inner)]))
}

/** Variables of an expression, each made when it is first asked for. */
export function lazily(makers: Readonly<Record<string, () => unknown>>): Record<string, unknown> {
  const variables: Record<string, unknown> = Object.create(null)
  for (const [name, make] of Object.entries(makers)) {
    let known: { value: unknown } | undefined
    Object.defineProperty(variables, name, {
      enumerable: true,
      get() {
        known ??= { value: make() }
        return known.value
      },
    })
  }
  return variables
}
