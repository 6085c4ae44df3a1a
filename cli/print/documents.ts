import { stringify } from 'yaml'

/** An object as YAML, its fields in alphabetical order as kubectl shows them. */
export const toYaml = (value: unknown): string =>
  stringify(value, {
    indentSeq: false,
    lineWidth: 0,
    singleQuote: true,
    sortMapEntries: true,
    aliasDuplicateObjects: false,
    version: '1.1',
  })

/** An object as JSON, its fields in alphabetical order. */
export const toJson = (value: unknown): string => `${JSON.stringify(sorted(value), null, 4)}\n`

/** A copy with the fields of every object in alphabetical order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]))
}
