import pc from 'picocolors'
import { humanDuration } from '../../api/machinery/print.ts'
import type { Health } from '../health.ts'
import { alignRows, cellText } from '../print/table.ts'
import { type Overview, subjectName } from './overview.ts'

export interface TextOptions {
  nowMs: number
  colour: boolean
  /** Lines of each part at most: what is left out is counted. */
  most: number
}

/** An overview as text for people: a screen of it, however large the cluster is. */
export function overviewText({ nodes, pods, troubles, rollouts, warnings }: Overview, options: TextOptions): string {
  const { nowMs, most } = options
  const colours = pc.createColors(options.colour)
  const readyNodes = nodes.filter(({ health }) => health.state === 'well').length
  const paint = ({ state, text }: Health) =>
    state === 'ill' ? colours.red(text) : state === 'going' ? colours.yellow(text) : text
  // The worst are shown where not all are.
  const shownNodes = [...nodes].sort((a, b) => Number(a.health.state === 'well') - Number(b.health.state === 'well'))
  const percent = (part: number | undefined) => (part === undefined ? '-' : `${Math.round(part * 100)}%`)
  const parts = [
    `${readyNodes} of ${nodes.length} nodes are ready, ${pods.ready} of ${pods.total} pods.\n`,
    section(
      ['NODE', 'PODS', 'CPU', 'MEMORY', 'STATUS'],
      shownNodes.map((node) => [
        node.subject.object.metadata.name,
        String(node.pods),
        percent(node.cpu),
        percent(node.memory),
        paint(node.health),
      ]),
      most,
    ),
    troubles.length === 0
      ? nodes.length > 0 || pods.total > 0
        ? colours.green('All workloads are as they should be.\n')
        : ''
      : section(
          ['NOT AS IT SHOULD BE', 'STATE', 'WHY'],
          troubles.map(({ subject, health, why }) => [subjectName(subject), paint(health), cellText(why)]),
          most,
        ),
    section(
      ['ROLLING OUT', 'READY'],
      rollouts.map(({ subject, health }) => [subjectName(subject), health.text]),
      most,
    ),
    section(
      ['WARNING', 'AGE', 'REASON', 'MESSAGE'],
      warnings.map(({ namespace, object, reason, message, count, lastMs }) => [
        `${namespace ? `${namespace}/` : ''}${object}`,
        humanDuration(nowMs - lastMs),
        count > 1 ? `${reason} (x${count})` : reason,
        cellText(message),
      ]),
      most,
    ),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function section(header: string[], rows: readonly string[][], most: number): string {
  if (rows.length === 0) return ''
  const more = rows.length > most ? `and ${rows.length - most} more\n` : ''
  return alignRows([header, ...rows.slice(0, most)]) + more
}
