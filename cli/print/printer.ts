import { readFileSync } from 'node:fs'
import type { AnyObject } from '../../api/machinery/object.ts'
import { parseApiVersion } from '../../api/machinery/object.ts'
import { CliError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { OutputFlags } from './output-flags.ts'

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
  'kyaml',
  'name',
  'wide',
  'go-template',
  'go-template-file',
  'template',
  'templatefile',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'custom-columns',
  'custom-columns-file',
]

/** What `-o` and its companions ask for. What a format needs is loaded for it alone. Throws a CliError that lists the formats. */
export async function parseOutput(flags: OutputFlags, { headers = true } = {}): Promise<Output> {
  const [format = '', inWord] = splitOnce(flags.output || (flags.template ? 'go-template' : ''))
  const argument = inWord || flags.template
  const allowMissing = flags.allowMissingTemplateKeys !== 'false'
  const shown = flags.showManagedFields ? (object: unknown) => object : withoutManagedFields
  const needed = (what: string) => {
    if (!argument) throw new CliError(`${format} format specified but no ${what} given`)
    return argument
  }
  switch (format) {
    case '':
      return { type: 'table', wide: false }
    case 'wide':
      return { type: 'table', wide: true }
    case 'json': {
      const { toJson } = await import('./documents.ts')
      return { type: 'whole', print: (object) => toJson(shown(object)) }
    }
    case 'yaml': {
      const { toYaml } = await import('./yaml.ts')
      return { type: 'whole', print: (object) => toYaml(shown(object)) }
    }
    case 'kyaml': {
      const { toKyaml } = await import('./kyaml.ts')
      return { type: 'whole', print: (object) => toKyaml(shown(object)) }
    }
    case 'name':
      return { type: 'each', print: (object) => `${objectName(object)}\n` }
    case 'template':
    case 'templatefile':
    case 'go-template':
    case 'go-template-file': {
      const text = textOf(needed('template'), format.endsWith('file'))
      const { parseGoTemplate } = await import('./go-template/template.ts')
      return { type: 'whole', print: parseGoTemplate(text, { allowMissing }).print }
    }
    case 'jsonpath':
    case 'jsonpath-file': {
      const text = textOf(needed('template'), format === 'jsonpath-file')
      const { parseTemplate } = await import('./jsonpath.ts')
      return { type: 'whole', print: parseTemplate(text, { allowMissing }).print }
    }
    case 'jsonpath-as-json': {
      const [{ findPath }, { toJson }] = await Promise.all([
        import('../../api/machinery/json-path.ts'),
        import('./documents.ts'),
      ])
      const find = findPath(needed('template'), { allowMissing })
      return { type: 'whole', print: (object) => toJson(find(object)) }
    }
    case 'custom-columns':
    case 'custom-columns-file': {
      const spec = needed('custom columns')
      const [{ parseCustomColumns }, { alignRows }] = await Promise.all([
        import('./custom-columns.ts'),
        import('./table.ts'),
      ])
      const columns = parseCustomColumns(format === 'custom-columns' ? spec : columnsOfFile(textOf(spec, true)))
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

function textOf(argument: string, isFile: boolean): string {
  if (!isFile) return argument
  try {
    return readFileSync(argument, 'utf8')
  } catch (error) {
    throw new CliError(`error reading ${argument}: ${(error as Error).message}`)
  }
}

/** Who set which field fills pages: it is left out of an object, and of those of a list or of an event of a watch. */
function withoutManagedFields(value: unknown): unknown {
  const { metadata, items, object, ...rest } = value as Partial<AnyObject> & { items?: unknown; object?: unknown }
  const { managedFields: _, ...kept } = metadata ?? {}
  return {
    ...rest,
    ...(metadata ? { metadata: kept } : {}),
    ...(items === undefined ? {} : { items: Array.isArray(items) ? items.map(withoutManagedFields) : items }),
    ...(object === undefined ? {} : { object: withoutManagedFields(object) }),
  }
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
