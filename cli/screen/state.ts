import { humanDuration } from '../../api/machinery/print.ts'
import { healthOf } from '../health.ts'
import { type Overview, overviewOf, subjectName, type World } from '../overview/overview.ts'
import { cellText } from '../print/table.ts'
import type { Subject } from '../workloads.ts'

export const views = ['overview', 'workloads', 'pods', 'nodes', 'warnings'] as const
export type View = (typeof views)[number]

/** What the screen shows. */
export interface State {
  view: View
  /** The chosen row, from 0. */
  selected: number
  filter: string
  /** Keys go to the filter. */
  isTyping: boolean
  /** A text over the list: a description, a log. */
  page: Page | undefined
}

export interface Page {
  title: string
  lines: readonly string[]
  /** The first line shown; undefined: the last ones, whatever comes. */
  from: number | undefined
}

/** A row of a list, and what it is about. */
export interface Row {
  cells: string[]
  subject?: Subject
  state?: 'ill' | 'going'
}

export interface List {
  header: string[]
  rows: Row[]
}

export type Action = { do: 'describe' | 'logs' | 'exec'; subject: Subject } | { do: 'quit' } | { do: 'close' }

export const begin: State = { view: 'overview', selected: 0, filter: '', isTyping: false, page: undefined }

/** The rows of a view, those that the filter takes. */
export function listOf({ view, filter }: State, world: World, nowMs: number): List {
  const { header, rows } = wholeList(view, world, nowMs)
  const wanted = filter.toLowerCase()
  return {
    header,
    rows: wanted === '' ? rows : rows.filter(({ cells }) => cells.join(' ').toLowerCase().includes(wanted)),
  }
}

function wholeList(view: View, world: World, nowMs: number): List {
  switch (view) {
    case 'overview':
      return overviewList(overviewOf(world, nowMs))
    case 'workloads':
      return { header: ['NAME', 'STATE', 'AGE'], rows: world.workloads.map((subject) => subjectRow(subject, nowMs)) }
    case 'pods':
      return {
        header: ['NAME', 'STATE', 'AGE', 'NODE'],
        rows: world.pods.map((subject) => {
          const row = subjectRow(subject, nowMs)
          return { ...row, cells: [...row.cells, (subject.object.spec as { nodeName?: string })?.nodeName ?? ''] }
        }),
      }
    case 'nodes':
      return {
        header: ['NAME', 'STATE', 'PODS', 'CPU', 'MEMORY'],
        rows: overviewOf(world, nowMs).nodes.map(({ subject, health, pods, cpu, memory }) => ({
          subject,
          cells: [subject.object.metadata.name, health.text, String(pods), percent(cpu), percent(memory)],
          ...stateOf(health.state),
        })),
      }
    case 'warnings':
      return {
        header: ['OBJECT', 'AGE', 'REASON', 'MESSAGE'],
        rows: overviewOf(world, nowMs).warnings.map(({ namespace, object, reason, message, count, lastMs }) => ({
          cells: [
            `${namespace ? `${namespace}/` : ''}${object}`,
            humanDuration(nowMs - lastMs),
            count > 1 ? `${reason} (x${count})` : reason,
            cellText(message),
          ],
        })),
      }
  }
}

/** What is not as it should be, then what is on its way. */
function overviewList({ troubles, rollouts }: Overview): List {
  return {
    header: ['NOT AS IT SHOULD BE', 'STATE', 'WHY'],
    rows: [
      ...troubles.map(({ subject, health, why }) => ({
        subject,
        cells: [subjectName(subject), health.text, cellText(why)],
        ...stateOf(health.state),
      })),
      ...rollouts.map(({ subject, health }) => ({
        subject,
        cells: [subjectName(subject), health.text, 'rolling out'],
        state: 'going' as const,
      })),
    ],
  }
}

function subjectRow(subject: Subject, nowMs: number): Row {
  const health = healthOf(subject)
  const { creationTimestamp } = subject.object.metadata
  const age = creationTimestamp ? humanDuration(nowMs - Date.parse(creationTimestamp)) : ''
  return { subject, cells: [subjectName(subject), health.text, age], ...stateOf(health.state) }
}

const stateOf = (state: string): { state?: 'ill' | 'going' } => (state === 'ill' || state === 'going' ? { state } : {})

const percent = (part: number | undefined): string => (part === undefined ? '-' : `${Math.round(part * 100)}%`)

/** What a key does: to the screen, and beyond it. `rows` are those shown, `height` how many lines there is room for. */
export function onKey(
  state: State,
  key: string,
  { rows, height }: { rows: readonly Row[]; height: number },
): { state: State; action?: Action } {
  if (key === '\u0003') return { state, action: { do: 'quit' } }
  if (state.isTyping) return { state: onLetter(state, key) }
  if (state.page) return onPageKey(state, state.page, key, height)
  const selected = Math.min(state.selected, Math.max(rows.length - 1, 0))
  const to = (row: number) => ({ state: { ...state, selected: Math.max(0, Math.min(row, rows.length - 1)) } })
  const subject = rows[selected]?.subject
  const act = (what: 'describe' | 'logs' | 'exec') =>
    subject ? { state, action: { do: what, subject } as const } : { state }
  const show = (view: View) => ({ state: { ...state, view, selected: 0 } })
  switch (key) {
    case 'q':
      return { state, action: { do: 'quit' } }
    case '\u001b[A':
    case 'k':
      return to(selected - 1)
    case '\u001b[B':
    case 'j':
      return to(selected + 1)
    case '\u001b[5~':
      return to(selected - height)
    case '\u001b[6~':
      return to(selected + height)
    case '\t':
      return show(views[(views.indexOf(state.view) + 1) % views.length] as View)
    case '\r':
    case 'd':
      return act('describe')
    case 'l':
      return act('logs')
    case 'e':
      return act('exec')
    case '/':
      return { state: { ...state, isTyping: true } }
    case '\u001b':
      return { state: { ...state, filter: '' } }
  }
  const view = views[Number(key) - 1]
  return view ? show(view) : { state }
}

function onLetter(state: State, key: string): State {
  if (key === '\r') return { ...state, isTyping: false }
  if (key === '\u001b') return { ...state, isTyping: false, filter: '' }
  if (key === '\u007f') return { ...state, filter: state.filter.slice(0, -1) }
  return /^[\x20-\x7e]$/.test(key) ? { ...state, filter: state.filter + key, selected: 0 } : state
}

function onPageKey(state: State, page: Page, key: string, height: number): { state: State; action?: Action } {
  const last = Math.max(page.lines.length - height, 0)
  const from = page.from ?? last
  // At the end it goes along with what comes.
  const to = (line: number) => ({
    state: { ...state, page: { ...page, from: line >= last ? undefined : Math.max(line, 0) } },
  })
  switch (key) {
    case '\u001b':
    case 'q':
      return { state: { ...state, page: undefined }, action: { do: 'close' } }
    case '\u001b[A':
    case 'k':
      return to(from - 1)
    case '\u001b[B':
    case 'j':
      return to(from + 1)
    case '\u001b[5~':
      return to(from - height)
    case '\u001b[6~':
    case ' ':
      return to(from + height)
    case 'g':
      return to(0)
    case 'G':
      return to(last)
  }
  return { state }
}
