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
    // `create -f FILE` beside `create namespace NAME`: a verb with flags of its own is one by itself, too.
    if (!verb.define || !word?.startsWith('-')) return refuseWord(name, summary, verb.verbs, word, io)
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
  verb.define?.(command)
  addSharedFlags(command)
  let session: Session | undefined
  try {
    command.parse(normalizeArgs(own, command.options), { from: 'user' })
    const flags = command.opts<SharedFlags>()
    session = new Session(io, flags, clock)
    return await verb.run(session, command.args, flags, rest)
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
  const width = Math.max(...Object.keys(below).map((verb) => verb.length))
  const list = Object.entries(below).map(([verb, { summary: what }]) => `  ${verb.padEnd(width)}  ${what}`)
  const help = `${summary}\n\nUsage: ${name} COMMAND [flags]\n\n${list.join('\n')}\n`
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    io.out(help)
    return word === undefined ? 1 : 0
  }
  const meant = nearest(word, Object.keys(below))
  io.err(`error: unknown command "${word}"${meant ? `. Did you mean "${meant}"?` : ''}\n\n${help}`)
  return 1
}
