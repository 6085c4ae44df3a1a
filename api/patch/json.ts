/** Plain JSON as the patches see it. */
export type JsonObject = Record<string, unknown>

/** A JSON object, not a list and not null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Sets a field whatever its name: a plain assignment to `__proto__` would change the object's prototype. */
export function setField(target: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  } else target[name] = value
}

/** A field of the object's own; never one that every object inherits, such as `constructor`. */
export const ownField = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined

/** A copy whose every part is its own. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(cloneJson) as T
  const copy: JsonObject = {}
  for (const name of Object.keys(value)) setField(copy, name, cloneJson((value as JsonObject)[name]))
  return copy as T
}
