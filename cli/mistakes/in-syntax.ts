import { LineCounter } from 'yaml'
import { CliError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { fieldPlace, type ManifestText } from './in-manifest.ts'

/** What a beginner does not read out of the parser's words. */
const advice: readonly (readonly [said: string, meant: string])[] = [
  ['Nested mappings', 'are this line and the next indented alike?'],
  ['All collection items must start at the same column', 'is this line indented as those beside it?'],
  ['Tabs are not allowed', 'indent with spaces'],
  ['Missing closing', 'the quote that is not closed is before this'],
  ['Implicit keys need to be on a single line', 'is there a colon missing, or a space after it?'],
]

/** The refusal of a text that is no YAML or JSON: what is wrong with it, and the line of the file that it is in. */
export function syntaxError({ message }: Error, { source, text, linesBefore }: ManifestText): CliError {
  const { what, line, column } = placeIn(message, text)
  const meant = advice.find(([said]) => what.startsWith(said))?.[1]
  const said = `error parsing ${source}: ${what}${meant ? `: ${meant}` : ''}`
  if (line === undefined) return new CliError(said)
  const shown = (text.split('\n')[line - 1] ?? '').trim()
  const at = `${source}:${line + linesBefore}${column === undefined ? '' : `:${column}`}`
  return new CliError(`${said}\n  ${at}${shown === '' ? '' : `: ${shown}`}`)
}

interface Fault {
  what: string
  line?: number
  column?: number
}

/** Where the parsers say it is: of YAML the line and the column, of a key that stands twice the line, of JSON the letter. */
function placeIn(message: string, text: string): Fault {
  const [, yaml = '', line, column] = /^(.*) at line (\d+), column (\d+):?$/s.exec(message) ?? []
  if (line) return { what: yaml, line: Number(line), column: Number(column) }
  const [, keyLine, key = ''] = /^line (\d+): ([^,]*)/.exec(message) ?? []
  if (keyLine) return { what: key, line: Number(keyLine) }
  const [, json = '', position] = /^(.*?) in JSON at position (\d+)/s.exec(message) ?? []
  if (!position) return { what: message }
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  const { line: at, col } = lines.linePos(Number(position))
  return { what: json, line: at, column: col }
}

/** What to do about a manifest without one of the fields that each has: which was meant for it, or where it is told. */
export function missingText(
  field: 'kind' | 'apiVersion',
  object: Readonly<Record<string, unknown>>,
  manifest: ManifestText,
): string {
  const word = nearest(field, Object.keys(object))
  if (word !== undefined) return `\n  ${fieldPlace(manifest, [word])}: ${word}: did you mean "${field}"?`
  const { kind } = object
  return field === 'apiVersion' && typeof kind === 'string'
    ? `\n\`gantry explain ${kind.toLowerCase()}\` says which it has`
    : ''
}
