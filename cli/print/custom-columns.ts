import { findPath } from '../../api/machinery/json-path.ts'
import { CliError } from '../errors.ts'
import { printValue } from './jsonpath.ts'

export interface CustomColumns {
  header: string[]
  row(object: unknown): string[]
}

/** `NAME:.metadata.name,IMAGE:.spec.containers[*].image`. */
export function parseCustomColumns(spec: string): CustomColumns {
  if (spec === '') throw new CliError('custom-columns format specified but no custom columns given')
  const columns = splitColumns(spec).map((column) => {
    const colon = column.indexOf(':')
    if (colon < 0) throw new CliError(`unexpected custom-columns spec: ${column}, expected <header>:<json-path-expr>`)
    return { header: column.slice(0, colon), find: findPath(column.slice(colon + 1)) }
  })
  return {
    header: columns.map(({ header }) => header),
    row: (object) => columns.map(({ find }) => find(object).map(printValue).join(',') || '<none>'),
  }
}

/** At commas, but not at those inside brackets or quotes. */
function splitColumns(spec: string): string[] {
  return spec.match(/(?:[^,[\]"']|\[(?:[^\]"']|"[^"]*"|'[^']*')*\]|"[^"]*"|'[^']*')+/g) ?? []
}
