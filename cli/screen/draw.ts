import type { World } from '../overview/overview.ts'
import { overviewOf } from '../overview/overview.ts'
import { alignTabs } from '../print/tabs.ts'
import { type List, listOf, type State, views } from './state.ts'

export interface Size {
  columns: number
  rows: number
}

/** Lines that are no row: the head, the header of the list, and the keys. */
const aroundRows = 4
const colours = { ill: 31, going: 33 } as const

/** How many rows of a list, or lines of a page, there is room for. */
export const roomFor = ({ rows }: Size): number => Math.max(rows - aroundRows, 1)

/** The screen, line by line, none longer than it is wide. */
export function draw(state: State, world: World | undefined, size: Size, nowMs: number, server: string): string[] {
  const height = roomFor(size)
  const head = world ? headOf(world, nowMs, server) : `${server}   connecting…`
  return [head, ...belowHead(state, world, size, nowMs, height)].map((line) => cut(line, size.columns))
}

function belowHead(state: State, world: World | undefined, size: Size, nowMs: number, height: number): string[] {
  if (state.page) {
    const { title, lines, from = Math.max(lines.length - height, 0) } = state.page
    return [inverse(` ${title} `), ...padded(lines.slice(from, from + height), height + 1), pageKeys]
  }
  const tabs = views.map((view, i) => (view === state.view ? inverse(` ${i + 1} ${view} `) : ` ${i + 1} ${view} `))
  const body = world ? rowsOf(listOf(state, world, nowMs), state, size) : []
  return [tabs.join(''), ...padded(body, height + 1), state.isTyping || state.filter ? `/${state.filter}` : keys]
}

const keys = 'q quit  ↑↓ choose  tab view  enter describe  l logs  e exec  / filter'
const pageKeys = 'esc back  ↑↓ space scroll  g top  G end'

function headOf(world: World, nowMs: number, server: string): string {
  const { nodes, pods, troubles, rollouts } = overviewOf(world, nowMs)
  const ready = nodes.filter(({ health }) => health.state === 'well').length
  return [
    server.replace(/^https:\/\//, ''),
    `nodes ${ready}/${nodes.length}`,
    `pods ${pods.ready}/${pods.total}`,
    troubles.length > 0 ? coloured(`${troubles.length} not as they should be`, colours.ill) : 'all well',
    ...(rollouts.length > 0 ? [coloured(`${rollouts.length} rolling out`, colours.going)] : []),
  ].join('   ')
}

function rowsOf({ header, rows }: List, { selected, view }: State, size: Size): string[] {
  const height = roomFor(size)
  if (rows.length === 0) return [view === 'overview' ? 'Everything is as it should be.' : 'There is nothing here.']
  const chosen = Math.min(selected, rows.length - 1)
  const from = Math.max(0, Math.min(chosen - Math.floor(height / 2), rows.length - height))
  const shown = rows.slice(from, from + height)
  const [first = '', ...lines] = alignTabs(
    [header, ...shown.map(({ cells }) => cells)].map((cells) => cells.join('\t')).join('\n'),
    {
      padding: 3,
    },
  ).split('\n')
  return [
    first,
    ...lines.map((line, i) => {
      const state = shown[i]?.state
      if (from + i === chosen) return inverse(line.padEnd(size.columns))
      return state ? coloured(line, colours[state]) : line
    }),
  ]
}

const padded = (lines: readonly string[], height: number): string[] =>
  Array.from({ length: height }, (_, i) => lines[i] ?? '')

const coloured = (text: string, code: number): string => `\u001b[${code}m${text}\u001b[39m`
const inverse = (text: string): string => `\u001b[7m${text}\u001b[27m`

/** As many letters as the line has; colours are none. */
function cut(text: string, columns: number): string {
  let width = 0
  let out = ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  for (const [part] of text.matchAll(/\u001b\[\d+m|./gsu)) {
    if (part.length > 1 && part.startsWith('\u001b')) out += part
    else if (width < columns) {
      out += part
      width++
    }
  }
  return out
}
