import type { NamedObject } from '../objects.ts'
import { describes } from './describer.ts'
import { identity, indent, sortedEntries } from './lines.ts'

/** Any kind nobody knows more of: all its fields, under titles made from their names. */
export const generic = describes<NamedObject>((object) => {
  const {
    managedFields: _,
    name: _name,
    namespace: _namespace,
    labels: _labels,
    annotations: _own,
    ...metadata
  } = object.metadata
  return [...identity(object as Parameters<typeof identity>[0]), ...fieldsLines({ ...object, metadata })]
})

function fieldsLines(content: Readonly<Record<string, unknown>>): string[] {
  return sortedEntries(content).flatMap(([name, value]) => {
    const title = titleOf(name)
    if (isObject(value)) return [`${title}:`, ...indent(fieldsLines(value))]
    if (!Array.isArray(value)) return [`${title}:\t${plain(value)}`]
    return [
      `${title}:`,
      ...indent(value.flatMap((item: unknown) => (isObject(item) ? fieldsLines(item) : [plain(item)]))),
    ]
  })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const plain = (value: unknown): string =>
  value === null ? '<nil>' : Array.isArray(value) ? `[${value.map(plain).join(' ')}]` : String(value)

const acronyms = new Set(['API', 'URL', 'UID', 'GUID'])

/** `apiVersion` is `API Version`, `creationTimestamp` is `Creation Timestamp`; what has more than letters stays. */
export function titleOf(name: string): string {
  if (!/^[\p{L}-]+$/u.test(name)) return name
  const words: string[] = []
  const parts = name.match(/\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|-/gu) ?? [name]
  for (let i = 0; i < parts.length; i++) {
    const [part = '', next = ''] = [parts[i], parts[i + 1]]
    // Letters all large keep the word after them: `PDFLoader`.
    if (/^\p{Lu}{2,}$/u.test(part) && /^\p{Lu}/u.test(next)) words.push(part + parts[++i])
    else words.push(part)
  }
  return words
    .map((word) => {
      if (acronyms.has(word.toUpperCase())) return word.toUpperCase()
      return word === word.toLowerCase() ? word.charAt(0).toUpperCase() + word.slice(1) : word
    })
    .join(' ')
}
