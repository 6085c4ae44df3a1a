import type { Command } from 'commander'
import { quantityMilli, quantityToNumber } from '../../api/machinery/quantity.ts'
import { CliError } from '../errors.ts'
import { alignRows } from '../print/table.ts'

export type Usage = Readonly<Record<string, string>>

/** What both tables understand. */
export interface TopFlags {
  sortBy?: string
  headers: boolean
  selector?: string
  showSwap?: boolean
}

/** Adds the flags that both understand. */
export const addTopFlags = (command: Command): Command =>
  command
    .option('--sort-by <field>', 'cpu or memory, the most first')
    .option('--no-headers', 'no line with the names of the columns')
    .option('-l, --selector <labels>', 'only those with these labels')
    .option('--show-swap', 'also the memory that is swapped out')
    .option('--use-protocol-buffers [bool]', 'has no effect: JSON is what is asked for')

/** Throws for a field that nothing can be sorted by. */
export function checkSortBy({ sortBy = '' }: TopFlags): void {
  if (!['', 'cpu', 'memory'].includes(sortBy)) throw new CliError('--sort-by accepts only cpu or memory')
}

const mebibyte = 1024 * 1024

/** `10m` of processors. */
export const cpuText = (usage: Usage): string => `${quantityMilli(usage.cpu)}m`

/** `50Mi`. */
export const memoryText = (usage: Usage, name = 'memory'): string =>
  `${Math.floor(quantityToNumber(usage[name]) / mebibyte)}Mi`

/** `11%` of what there is; undefined where nothing is known of that. */
export function share(used: string | undefined, of: string | undefined): string | undefined {
  const whole = quantityToNumber(of)
  return used === undefined || whole === 0 ? undefined : `${Math.floor((quantityToNumber(used) / whole) * 100)}%`
}

/** Orders by the flag, the most first, else by name. */
export function inOrder<T extends { usage: Usage; key: string }>(rows: readonly T[], sortBy = ''): T[] {
  const by = (row: T) => (sortBy === '' ? 0 : quantityToNumber(row.usage[sortBy]))
  return [...rows].sort((a, b) => by(b) - by(a) || (a.key < b.key ? -1 : 1))
}

/** Two usages together. */
export function plus(a: Usage, b: Usage): Usage {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries(
    Array.from(names, (name) => {
      const total = quantityToNumber(a[name]) + quantityToNumber(b[name])
      return [name, name === 'cpu' ? `${Math.round(total * 1e9)}n` : String(Math.round(total))]
    }),
  )
}

/** Rows with the space that kubectl leaves at the end of each. */
export const topTable = (rows: readonly string[][]): string => alignRows(rows.map((row) => [...row, '']))
