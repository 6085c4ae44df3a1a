import { descriptionsOf, elementOf, resolved, type Schema, type Schemas, typeName } from './schema.ts'

const width = 80

/** Words in lines no wider than a terminal of old, each so far in. */
export function wrapped(text: string, indent: number): string[] {
  const pad = ' '.repeat(indent)
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(/\s+/).filter((one) => one)) {
      if (line && indent + line.length + 1 + word.length > width) {
        lines.push(pad + line)
        line = word
      } else line = line ? `${line} ${word}` : word
    }
    return [...lines, pad + line]
  })
}

export interface Explained {
  group: string
  version: string
  kind: string
  /** The last name of the path; undefined for the kind itself. */
  field: string | undefined
  schema: Schema
}

/** What a kind or a field is, and which fields it has; `recursive` names those below them instead of telling of each. */
export function explanation(what: Explained, schemas: Schemas, recursive: boolean): string {
  const { group, version, kind, field, schema } = what
  const element = elementOf(schema, schemas)
  const texts = descriptionsOf(schema, schemas)
  return `${[
    ...(group ? [`GROUP:      ${group}`] : []),
    `KIND:       ${kind}`,
    `VERSION:    ${version}`,
    '',
    ...(field ? [`FIELD: ${field} <${typeName(schema, schemas)}>`, ...enumLines(schema, 0), '', ''] : []),
    'DESCRIPTION:',
    ...(texts.length === 0 ? wrapped('<empty>', 4) : texts.flatMap((text) => wrapped(text, 4))),
    '    ',
    ...(element.properties
      ? ['FIELDS:', ...(recursive ? treeLines(element, schemas, 1, []) : fieldLines(element, schemas))]
      : []),
    '',
  ].join('\n')}\n`
}

function enumLines(schema: Schema, indent: number): string[] {
  if (!schema.enum) return []
  return [`${' '.repeat(indent)}ENUM:`, ...schema.enum.map((value) => `${' '.repeat(indent + 4)}${value}`)]
}

const sortedFields = ({ properties = {} }: Schema) => Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))
const requiredMark = ({ required = [] }: Schema, name: string) => (required.includes(name) ? ' -required-' : '')

const fieldLines = (element: Schema, schemas: Schemas): string[] =>
  sortedFields(element).flatMap(([name, schema]) => [
    `  ${name}\t<${typeName(schema, schemas)}>${requiredMark(element, name)}`,
    ...enumLines(schema, 2),
    ...wrapped(resolved(schema, schemas).description ?? '<no description>', 4),
    '',
  ])

/** Kinds that hold themselves are not followed twice. */
function treeLines(element: Schema, schemas: Schemas, level: number, above: readonly Schema['properties'][]): string[] {
  return sortedFields(element).flatMap(([name, schema]) => {
    const below = elementOf(schema, schemas)
    const line = `${'  '.repeat(level)}${name}\t<${typeName(schema, schemas)}>${requiredMark(element, name)}`
    const again = below.properties === element.properties || above.includes(below.properties)
    return [
      line,
      ...enumLines(schema, level * 2),
      ...(below.properties && !again ? treeLines(below, schemas, level + 1, [...above, element.properties]) : []),
    ]
  })
}
