import { spawnSync } from 'node:child_process'

/** What a page of the docs has its reader do, in order. */
export type Step =
  /** A block that begins with a comment that names a file. */
  { kind: 'file'; path: string; text: string } | Command

export interface Command {
  kind: 'command'
  /** Where it stands in the page. */
  line: number
  text: string
  /** What the page shows it to print; absent: the page shows nothing. */
  shown?: string[]
  /** Why it cannot be run by a test. */
  notRun?: string
}

const fence = /^ *```(\w*)$/
const fileName = /^(?:#|\/\/) ([\w./-]+\.\w+)$/

/**
 * Reads a page: blocks of `sh` are commands, in blocks of `console` what stands behind `$ ` is one and the rest is what it
 * prints. The comment `<!-- not run: REASON -->` in front of a block keeps it from being run.
 */
export function readPage(page: string): Step[] {
  const steps: Step[] = []
  const lines = page.split('\n')
  let notRun: string | undefined
  for (let i = 0; i < lines.length; i++) {
    const [, reason] = /^ *<!-- not run: (.+) -->$/.exec(lines[i]!) ?? []
    notRun = reason ?? (lines[i]!.trim() === '' ? notRun : undefined)
    const [, language] = fence.exec(lines[i + 1] ?? '') ?? []
    if (language === undefined) continue
    const first = i + 2
    const end = lines.findIndex((line, at) => at >= first && /^ *```$/.test(line))
    const block = lines.slice(first, end)
    steps.push(...stepsOf(language, block, first + 1).map((step) => withReason(step, notRun)))
    notRun = undefined
    i = end
  }
  return steps
}

const withReason = (step: Step, notRun: string | undefined): Step =>
  notRun === undefined || step.kind === 'file' ? step : { ...step, notRun }

function stepsOf(language: string, block: readonly string[], firstLine: number): Step[] {
  if (language === 'sh') return commandsOf(block, firstLine, () => true)
  if (language === 'console') return commandsOf(block, firstLine, (line) => line.startsWith('$ '))
  const [, path] = fileName.exec(block[0] ?? '') ?? []
  return path ? [{ kind: 'file', path, text: `${block.join('\n')}\n` }] : []
}

function commandsOf(block: readonly string[], firstLine: number, begins: (line: string) => boolean): Command[] {
  const commands: Command[] = []
  for (let i = 0; i < block.length; i++) {
    const line = block[i]!
    if (!begins(line)) {
      const last = commands.at(-1)
      if (last) last.shown = [...(last.shown ?? []), line]
      continue
    }
    if (/^\s*(#|$)/.test(line)) continue
    const start = i
    let text = line.replace(/^\$ /, '')
    while (!isWhole(text) && i + 1 < block.length) text += `\n${block[++i]}`
    commands.push({ kind: 'command', line: firstLine + start, text })
  }
  return commands
}

/** Whether a shell would run this, and not wait for more. */
function isWhole(text: string): boolean {
  if (/\\$/.test(text)) return false
  const [, word] = /<<-?'?(\w+)'?/.exec(text) ?? []
  if (word) return text.split('\n').at(-1) === word
  return !/['"{(]/.test(text) || spawnSync('bash', ['-n', '-c', text]).status === 0
}
