/**
 * How upstream prints JSON values inside error messages (the %v and %T of its language). Clients match on such messages,
 * so ours must read the same.
 */

/** `map[a:1 b:[x y]]`, keys sorted; null is `<nil>`. */
export function printGo(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(printGo).join(' ')}]`
  if (typeof value === 'object') {
    const fields = value as Record<string, unknown>
    const names = Object.keys(fields).sort()
    return `map[${names.map((name) => `${name}:${printGo(fields[name])}`).join(' ')}]`
  }
  return String(value)
}

/** The name of the type a decoded JSON value has upstream. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value
}
