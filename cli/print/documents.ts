/** An object as JSON, its fields in alphabetical order. */
export const toJson = (value: unknown): string => `${jsonText(sorted(value), 4)}\n`

/** JSON as kubectl writes it: it escapes what would mean something in HTML. */
export const jsonText = (value: unknown, indentation = 0): string =>
  JSON.stringify(value, null, indentation).replace(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A copy with the fields of every object in alphabetical order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]))
}
