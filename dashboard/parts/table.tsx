import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { Virtual } from './virtual.tsx'

export interface Column<T> {
  id: string
  label: string
  /** Of its column in a CSS grid. */
  width: string
  cell: (item: T) => ComponentChildren
  /** What it is sorted by; without, it is not. */
  order?: (item: T) => string | number
  numeric?: boolean
}

interface Props<T> {
  label: string
  columns: readonly Column<T>[]
  items: readonly T[]
  keyOf: (item: T) => string
  /** Id of the column that sorts at first. */
  sortBy: string
  descending?: boolean
  empty: ComponentChildren
}

const rowHeight = 44

/** A table that sorts by its columns and draws the rows in sight. */
export function Table<T>({ label, columns, items, keyOf, sortBy, descending = false, empty }: Props<T>) {
  const [sort, setSort] = useState({ by: sortBy, descending })
  const order = columns.find(({ id }) => id === sort.by)?.order
  const sorted = useMemo(() => inOrder(items, order, sort.descending), [items, order, sort.descending])
  const grid = { gridTemplateColumns: columns.map(({ width }) => width).join(' ') }
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows that are not in sight are not in the document, which a table element cannot say
    <div class="table" role="table" aria-label={label} aria-rowcount={sorted.length + 1}>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: a row of headings is not focused, its buttons are */}
      <div class="table-head" role="row" style={grid}>
        {columns.map((column) => {
          const by = sort.by === column.id
          return (
            // biome-ignore lint/a11y/useSemanticElements: as above
            // biome-ignore lint/a11y/useFocusableInteractive: as above
            <div
              key={column.id}
              role="columnheader"
              class={column.numeric ? 'numeric' : ''}
              aria-sort={by ? (sort.descending ? 'descending' : 'ascending') : 'none'}
            >
              {column.order ? (
                <button type="button" onClick={() => setSort({ by: column.id, descending: by && !sort.descending })}>
                  {column.label}
                  <span class="sorted" aria-hidden="true">
                    {by ? (sort.descending ? '↓' : '↑') : ''}
                  </span>
                </button>
              ) : (
                column.label
              )}
            </div>
          )
        })}
      </div>
      {sorted.length === 0 ? (
        <div class="table-empty">{empty}</div>
      ) : (
        <Virtual
          label={`${label}, ${sorted.length} rows`}
          role="rowgroup"
          count={sorted.length}
          rowHeight={rowHeight}
          row={(i) => {
            const item = sorted[i] as T
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: a row is not focused, its link is
              <div key={keyOf(item)} class="table-row" role="row" aria-rowindex={i + 2} style={grid}>
                {columns.map((column) => (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  <div key={column.id} role="cell" class={column.numeric ? 'numeric' : ''}>
                    {column.cell(item)}
                  </div>
                ))}
              </div>
            )
          }}
        />
      )}
    </div>
  )
}

function inOrder<T>(
  items: readonly T[],
  order: ((item: T) => string | number) | undefined,
  descending: boolean,
): readonly T[] {
  if (!order) return items
  const keyed = items.map((item) => ({ item, by: order(item) }))
  const sign = descending ? -1 : 1
  keyed.sort((a, b) => (a.by < b.by ? -sign : a.by > b.by ? sign : 0))
  return keyed.map(({ item }) => item)
}
