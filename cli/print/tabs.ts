/** Cells end at tabs; a column is as wide as its widest cell over lines that follow each other. */
export interface TabOptions {
  minWidth?: number
  padding: number
}

/** Text with tabs as aligned columns, as Go's tabwriter sets it. The last cell of a line is no column's. */
export function alignTabs(text: string, { minWidth = 0, padding }: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const widths: number[][] = lines.map(() => [])
  const columns = Math.max(...lines.map((cells) => cells.length - 1))
  for (let column = 0; column < columns; column++) {
    for (let from = 0; from < lines.length; from++) {
      if (lines[from]!.length - 1 <= column) continue
      let to = from
      let width = minWidth
      for (; to < lines.length && lines[to]!.length - 1 > column; to++)
        width = Math.max(width, textWidth(lines[to]![column]!) + padding)
      for (let i = from; i < to; i++) widths[i]![column] = width
      from = to
    }
  }
  return lines.map((cells, i) => cells.map((cell, column) => pad(cell, widths[i]![column] ?? 0)).join('')).join('\n')
}

const pad = (cell: string, width: number): string => cell + ' '.repeat(Math.max(0, width - textWidth(cell)))

/** Letters as a terminal counts them, near enough: those beyond 16 bits are one, and colours none. */
function textWidth(text: string): number {
  let width = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  for (const _ of text.includes('\u001b') ? text.replace(/\u001b\[\d+m/g, '') : text) width++
  return width
}
