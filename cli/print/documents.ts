import { Document, visit } from 'yaml'
import { isAmbiguous } from './ambiguous.ts'

/** An object as YAML, its fields in alphabetical order and its texts quoted as kubectl shows them. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false, version: '1.1', sortMapEntries: true })
  visit(document, {
    Scalar(_, scalar) {
      // Single quotes are for what could not stand there without; these are for what would be something else.
      if (typeof scalar.value === 'string' && isAmbiguous(scalar.value)) scalar.type = 'QUOTE_DOUBLE'
    },
  })
  return document.toString({ indentSeq: false, lineWidth: 0, singleQuote: true })
}

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
