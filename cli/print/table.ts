import type { ObjectMeta } from '../../api/generated/types.ts'
import { alignTabs } from './tabs.ts'

/** A server-side table (meta.k8s.io/v1). */
export interface Table {
  kind: 'Table'
  metadata?: { resourceVersion?: string; continue?: string }
  columnDefinitions?: { name: string; type: string; priority: number }[]
  rows?: TableRow[]
}

export interface TableRow {
  cells: unknown[]
  object?: { apiVersion?: string; kind?: string; metadata: ObjectMeta; [field: string]: unknown }
}

export interface TableStyle {
  wide: boolean
  headers: boolean
  namespace: boolean
  showLabels: boolean
  /** Labels with a column of their own. */
  labelColumns: readonly string[]
  /** `pod` makes the name `pod/web`. */
  kindPrefix?: string
  /** A first column, for the type of an event of a watch. */
  first?: { header: string; cell: string }
}

/** The cells of a table as text, the header first if the style has one. */
export function tableCells(table: Table, style: TableStyle): string[][] {
  const definitions = table.columnDefinitions ?? []
  const shown = definitions.flatMap(({ priority }, i) => (style.wide || priority === 0 ? [i] : []))
  const nameColumn = definitions.findIndex(({ name }) => name.toLowerCase() === 'name')
  const header = [
    ...(style.first ? [style.first.header] : []),
    ...(style.namespace ? ['NAMESPACE'] : []),
    ...shown.map((i) => definitions[i]!.name.toUpperCase()),
    ...style.labelColumns.map((label) => (label.split('/').at(-1) ?? label).toUpperCase()),
    ...(style.showLabels ? ['LABELS'] : []),
  ]
  const rows = (table.rows ?? []).map(({ cells, object }) => {
    const labels = object?.metadata.labels ?? {}
    return [
      ...(style.first ? [style.first.cell] : []),
      ...(style.namespace ? [object?.metadata.namespace ?? ''] : []),
      ...shown.map((i) => (i === nameColumn && style.kindPrefix ? `${style.kindPrefix}/` : '') + cellText(cells[i])),
      ...style.labelColumns.map((label) => labels[label] ?? ''),
      ...(style.showLabels ? [labelsText(labels)] : []),
    ]
  })
  return style.headers && rows.length > 0 ? [header, ...rows] : rows
}

/** Rows as aligned lines. With `widths`, no column becomes narrower than before, and they are kept there. */
export function alignRows(rows: readonly string[][], widths?: number[]): string {
  if (rows.length === 0) return ''
  if (!widths) return `${alignTabs(rows.map((row) => row.join('\t')).join('\n'), { minWidth: 6, padding: 3 })}\n`
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 6, cell.length + 3)
    })
  }
  return rows
    .map((row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('')}\n`)
    .join('')
}

/** A cell is one line; what would move the terminal's cursor is shown as what it is. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const end = text.search(/[\f\n\r]/)
  const line = end < 0 ? text : `${text.slice(0, end)}...`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return line.replace(/\t/g, ' ').replace(/\u001b/g, '^[')
}

const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.keys(labels).length === 0
    ? '<none>'
    : Object.entries(labels)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value}`)
        .join(',')
