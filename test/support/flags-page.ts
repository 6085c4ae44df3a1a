import { Command } from 'commander'
import { configHelp as apiServerHelp } from '../../apiserver/config.ts'
import { addSharedFlags } from '../../cli/flags.ts'
import type { Verb } from '../../cli/verb.ts'
import { verbs } from '../../cli/verbs.ts'
import { configHelp as managerHelp } from '../../controller-manager/config.ts'
import { nodeAgentHelp } from '../../node-agent/config.ts'
import { configHelp as schedulerHelp } from '../../scheduler/config.ts'
import { runGantry } from './cluster.ts'

/** Those that are no verbs of the API: they tell of themselves in their own words. */
const commands = ['up', 'down', 'status', 'why', 'plan', 'rebalance', 'snapshot', 'system', 'balancer']
const imageVerbs = ['build', 'load', 'save', 'ls', 'rm']

/** docs/flags.md: every flag of every program, as the programs themselves know them. */
export async function flagsPage(): Promise<string> {
  const components = [
    ['apiserver', apiServerHelp()],
    ['scheduler', schedulerHelp()],
    ['controller-manager', managerHelp()],
    ['node-agent', nodeAgentHelp()],
  ] as const
  const told = async (...words: string[]) => {
    const { stdout, stderr } = await runGantry([...words, '--help'])
    return `### gantry ${words.join(' ')}\n\n\`\`\`\n${(stdout || stderr).trim()}\n\`\`\`\n`
  }
  const ownHelp = await Promise.all([
    ...commands.map((name) => told(name)),
    ...imageVerbs.map((name) => told('image', name)),
  ])
  const shared = new Command()
  addSharedFlags(shared)
  const parts = [
    '# Every flag\n',
    'Made from the programs themselves; `npm run docs` makes it anew.\n',
    'Contents: [components](#components), [the cluster](#the-cluster), [objects](#objects).\n',
    '## Components\n',
    'Flags carry the names upstream has for the same. `gantry up --extra-config COMPONENT.FLAG=VALUE` sets one of them.\n',
    ...components.map(([name, help]) => `### gantry ${name}\n\n${componentTable(help)}`),
    '## The cluster\n',
    ...ownHelp,
    '## Objects\n',
    `Flags that all of these have, which \`gantry options\` tells, too:\n\n${optionTable(shared, { hidden: true })}`,
    ...(await Promise.all(
      Object.entries(verbs)
        .filter(([name]) => !name.startsWith('_'))
        .sort(([a], [b]) => a.localeCompare(b))
        .map(async ([name, { summary, load }]) => verbParts(name, summary, await load())),
    )),
  ]
  return parts.join('\n')
}

/** A line of a component's help: the flag, what it is for, and its default. */
const helpLine = /^ {2}(--[\w-]+) {2,}(.*?)(?: \(default (.*)\))?$/

function componentTable(help: string): string {
  const rows = help.split('\n').flatMap((line) => {
    const [, flag, what = '', standard = ''] = helpLine.exec(line) ?? []
    return flag ? [[`\`${flag}\``, what, standard && `\`${standard}\``]] : []
  })
  return table(['flag', 'what', 'default'], rows)
}

function verbParts(name: string, summary: string, verb: Verb): string {
  const below = Object.entries(verb.verbs ?? {})
  const own = new Command()
  verb.define?.(own)
  const usage = `### gantry ${name}\n\n${summary}: \`gantry ${name} ${verb.usage}\`\n`.replace(/ +`\n/g, '`\n')
  const flags = own.options.length > 0 ? `\n${optionTable(own)}` : ''
  return [`${usage}${flags}`, ...below.map(([word, more]) => belowParts(`${name} ${word}`, more))].join('\n')
}

function belowParts(name: string, verb: Verb & { summary: string }): string {
  const own = new Command()
  verb.define?.(own)
  const line = `#### gantry ${name}\n\n${verb.summary}: \`${`gantry ${name} ${verb.usage}`.trim()}\`\n`
  const below = Object.entries(verb.verbs ?? {})
  const told = own.options.length > 0 ? `${line}\n${optionTable(own)}` : line
  return [told, ...below.map(([word, more]) => belowParts(`${name} ${word}`, more))].join('\n')
}

const optionTable = (command: Command, show: { hidden?: boolean } = {}): string =>
  table(
    ['flag', 'what', 'default'],
    command.options
      .filter(({ hidden }) => !hidden || show.hidden)
      .map(({ flags, description, defaultValue }) => [`\`${flags}\``, description, defaultText(defaultValue)]),
  )

const defaultText = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? `\`${value}\`` : typeof value === 'number' ? `\`${value}\`` : ''

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')}\n`
}
