import { Command, CommanderError } from 'commander'
import { StatusError } from '../api/machinery/errors.ts'
import type { Clock } from '../client/types.ts'
import { explain, WhileDoing } from './errors.ts'
import { addSharedFlags, normalizeArgs, type SharedFlags } from './flags.ts'
import type { Io } from './io.ts'
import { leadingFlags } from './leading-flags.ts'
import { nearest } from './nearest.ts'
import { Session } from './session.ts'
import type { Verb } from './verb.ts'
import { verbs } from './verbs.ts'

/** Runs a verb; resolves to the exit code, and throws nothing. */
export async function run(name: string, args: readonly string[], io: Io, clock?: Clock): Promise<number> {
  const entry = verbs[name]
  if (!entry) {
    io.err(`error: unknown command "${name}"\n`)
    return 1
  }
  return runOne(`gantry ${name}`, entry.summary, await entry.load(), args, io, clock)
}

async function runOne(
  name: string,
  summary: string,
  verb: Verb,
  args: readonly string[],
  io: Io,
  clock: Clock | undefined,
): Promise<number> {
  if (verb.verbs) {
    const { flags, rest } = leadingFlags(args)
    const [word, ...others] = rest
    const below = verb.verbs[word ?? '']
    if (below) return runOne(`${name} ${word}`, below.summary, below, [...flags, ...others], io, clock)
    if (!verb.alone || (word !== undefined && !word.startsWith('-')))
      return refuseWord(name, summary, verb.verbs, word, io)
  }
  const split = args.indexOf('--')
  const [own, rest] = split < 0 ? [args, undefined] : [args.slice(0, split), args.slice(split + 1)]
  const command = new Command(name)
    .description(summary)
    .usage(`[flags] ${verb.usage}`)
    .allowExcessArguments()
    .argument('[args...]')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: () => {} })
    .addHelpText('after', `\nExamples:\n${verb.examples.map((line) => `  ${line}`).join('\n')}`)
  if (verb.verbs) command.addHelpText('after', `\nBelow it:\n${listOf(verb.verbs)}`)
  verb.define?.(command)
  // What a verb means by a flag of its own is no matter of the connection: the --user of a binding.
  const meant = new Set(command.options.map((option) => option.attributeName()))
  addSharedFlags(command)
  let session: Session | undefined
  try {
    command.parse(normalizeArgs(own, command.options), { from: 'user' })
    const flags = command.opts<SharedFlags>()
    session = new Session(io, Object.fromEntries(Object.entries(flags).filter(([name]) => !meant.has(name))), clock)
    const code = await verb.run(session, command.args, flags, rest)
    return code === 0 && flags.warningsAsErrors ? codeOfWarnings(session) : code
  } catch (error) {
    if (error instanceof CommanderError) return refuseFlags(name, error, io)
    const { text, code } = explain(error, session?.server)
    io.err(text)
    if (session && (error instanceof StatusError || error instanceof WhileDoing))
      io.err(await (await import('./mistakes/in-names.ts')).nameHint(session, error))
    return code
  } finally {
    session?.close()
  }
}

function codeOfWarnings({ warnings, io }: Session): number {
  if (warnings === 0) return 0
  io.err(`error: ${warnings} warning${warnings === 1 ? '' : 's'} received\n`)
  return 1
}

function refuseFlags(name: string, error: CommanderError, io: Io): number {
  if (error.exitCode === 0) return 0
  const message = error.message.replace(/^error: /, '').split('\n')
  io.err(`error: ${message.join(' ')}\nSee '${name} --help' for usage.\n`)
  return 1
}

function refuseWord(
  name: string,
  summary: string,
  below: Record<string, { summary: string; usage: string }>,
  word: string | undefined,
  io: Io,
): number {
  const help = `${summary}\n\nUsage: ${name} COMMAND [flags]\n\n${listOf(below)}\n`
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    io.out(help)
    return word === undefined ? 1 : 0
  }
  const meant = nearest(word, Object.keys(below))
  io.err(`error: unknown command "${word}"${meant ? `. Did you mean "${meant}"?` : ''}\n\n${help}`)
  return 1
}

/** A line for each verb below another. */
function listOf(below: Record<string, { summary: string }>): string {
  const width = Math.max(...Object.keys(below).map((verb) => verb.length))
  return Object.entries(below)
    .map(([verb, { summary }]) => `  ${verb.padEnd(width)}  ${summary}`)
    .join('\n')
}
