import { readFileSync } from 'node:fs'
import { findPath } from '../../api/machinery/json-path.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { parseApiVersion } from '../../api/machinery/object.ts'
import { CliError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { parseCustomColumns } from './custom-columns.ts'
import { sorted, toJson, toYaml } from './documents.ts'
import { parseTemplate } from './jsonpath.ts'
import { alignRows } from './table.ts'

/** How objects are shown: as the server's table, or each by a printer of ours. */
export type Output =
  | { type: 'table'; wide: boolean }
  /** One text for one object, or for a list of them. */
  | { type: 'whole'; print: (object: unknown) => string }
  | { type: 'each'; print: (object: AnyObject) => string }
  | { type: 'columns'; print: (objects: readonly unknown[]) => string }

const formats = [
  'json',
  'yaml',
  'name',
  'wide',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'custom-columns',
  'custom-columns-file',
]

/** What `-o` asks for. Throws a CliError that lists the formats. */
export function parseOutput(text = '', { headers = true, allowMissing = true } = {}): Output {
  const [format = '', argument] = splitOnce(text)
  const needed = (what: string) => {
    if (!argument) throw new CliError(`${format} format specified but no ${what} given`)
    return argument
  }
  switch (format) {
    case '':
      return { type: 'table', wide: false }
    case 'wide':
      return { type: 'table', wide: true }
    case 'json':
      return { type: 'whole', print: toJson }
    case 'yaml':
      return { type: 'whole', print: toYaml }
    case 'name':
      return { type: 'each', print: (object) => `${objectName(object)}\n` }
    case 'jsonpath':
    case 'jsonpath-file': {
      const template = needed('template')
      const { print } = parseTemplate(format === 'jsonpath' ? template : readFileSync(template, 'utf8'), {
        allowMissing,
      })
      return { type: 'whole', print }
    }
    case 'jsonpath-as-json': {
      const find = findPath(needed('template'), { allowMissing })
      return { type: 'whole', print: (object) => `${JSON.stringify(sorted(find(object)), null, 4)}\n` }
    }
    case 'custom-columns':
    case 'custom-columns-file': {
      const spec = needed('custom columns')
      const columns = parseCustomColumns(format === 'custom-columns' ? spec : columnsOfFile(readFileSync(spec, 'utf8')))
      return {
        type: 'columns',
        print: (objects) => alignRows([...(headers ? [columns.header] : []), ...objects.map(columns.row)]),
      }
    }
  }
  const meant = nearest(format, formats)
  throw new CliError(
    `unable to match a printer suitable for the output format "${format}", allowed formats are: ${formats.join(',')}${meant ? `. Did you mean "${meant}"?` : ''}`,
  )
}

/** Shows one object after a change, as `-o` asks. */
export function printObject(output: Output, object: AnyObject): string {
  return output.type === 'whole' || output.type === 'each'
    ? output.print(object)
    : output.type === 'columns'
      ? output.print([object])
      : ''
}

/** `deployment.apps/web`. */
export function objectName(object: AnyObject): string {
  const { group } = parseApiVersion(object.apiVersion ?? 'v1')
  return `${(object.kind ?? '').toLowerCase()}${group ? `.${group}` : ''}/${object.metadata.name ?? ''}`
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** A file of custom columns: a line of headers, and below each its path. */
function columnsOfFile(text: string): string {
  const [headers = [], paths = []] = text.split('\n').map((line) => line.trim().split(/\s+/))
  return headers.map((header, i) => `${header}:${paths[i] ?? ''}`).join(',')
}
