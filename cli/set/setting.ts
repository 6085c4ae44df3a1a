import type { Command } from 'commander'
import type { Container, PodSpec } from '../../api/generated/types.ts'
import { threeWayPatch } from '../apply/three-way.ts'
import { addChangeFlags, type ChangeFlags, changeText, parseWhere } from '../changing.ts'
import { CliError } from '../errors.ts'
import { addFileFlags, areGiven } from '../flags.ts'
import type { NamedObject } from '../objects.ts'
import { parseOutput } from '../print/printer.ts'
import type { Session } from '../session.ts'
import { type SubjectFlags, subjectsGiven } from '../subjects.ts'
import type { Verb } from '../verb.ts'
import { patchSubject, podSpecOf, type Subject } from '../workloads.ts'

/** What every verb below `set` understands. */
export interface SetFlags extends ChangeFlags, SubjectFlags {
  /** Show what it would be, and change nothing; where a setter can show it. */
  list?: boolean
}

/** The words that name objects, and what is made of each. */
interface Change {
  words: readonly string[]
  /** The object as it is to be. What it is given may be changed. */
  change(object: NamedObject): NamedObject
}

/** One verb below `set`. */
interface Setter<F> {
  summary: string
  usage: string
  examples: readonly string[]
  /** What is told of an object: `image updated`. */
  done: string
  /** Also of an object that is so already. */
  tellsAlways?: boolean
  define?(command: Command): void
  parse(session: Session, args: readonly string[], flags: F): Promise<Change> | Change
  /** Shows what an object would be; false where a part of it could not be read. */
  list?(session: Session, object: NamedObject, flags: F): Promise<boolean>
}

/** The verb that sets what a setter describes. */
export const setting = <F extends SetFlags>(setter: Setter<F>): Verb<F> & { summary: string } => ({
  summary: setter.summary,
  usage: setter.usage,
  examples: setter.examples,
  define(command) {
    addChangeFlags(addFileFlags(command)).option('--all', 'all objects of the kind')
    setter.define?.(command)
  },
  async run(session, args, flags) {
    if (flags.all && flags.selector) throw new CliError('cannot set --all and --selector at the same time')
    const dryRun = parseWhere(flags)
    const output = await parseOutput(flags)
    const { words, change } = await setter.parse(session, args, flags)
    if (words.length === 0 && !areGiven(flags))
      throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>')
    let failed = false
    for (const subject of await subjectsGiven(session, words, flags)) {
      const changed = attempted(session, subject, change)
      failed ||= !changed
      if (!changed) continue
      if (flags.list && setter.list) {
        if (!(await setter.list(session, changed, flags))) failed = true
        continue
      }
      const patch = await patchTo(subject, changed)
      // As in kubectl, what is so already is told by few.
      if (Object.keys(patch).length === 0 && !setter.tellsAlways) continue
      const isSent = !flags.local && dryRun !== 'client'
      const manager = flags.fieldManager ?? 'kubectl-set'
      const told = isSent ? await patchSubject(session, subject, patch, { manager, dryRun }) : changed
      session.io.out(changeText(output, told, setter.done, dryRun))
    }
    return failed ? 1 : 0
  },
})

/** One that cannot be changed keeps nobody from the others. */
function attempted(session: Session, { object }: Subject, change: Change['change']): NamedObject | undefined {
  try {
    return change(structuredClone(object))
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    session.io.err(`error: ${error.message}\n`)
    return undefined
  }
}

/** What changes, and nothing else: others may write the rest meanwhile. */
async function patchTo({ kind, object }: Subject, changed: NamedObject): Promise<object> {
  const { schemaOf } = await import('../apply/schema-of.ts')
  return threeWayPatch(object, changed, object, schemaOf(kind))
}

/** How the pods of an object are made. Throws for what has none. */
export function podSpecOrThrow(object: NamedObject): PodSpec {
  const spec = podSpecOf(object)
  if (!spec)
    throw new CliError(
      `${object.kind} ${object.metadata.name} has no pod template: pods, deployments, daemonsets, statefulsets, replicasets, jobs and cronjobs have`,
    )
  return spec
}

/** The containers whose names a pattern fits, such as `*` or `web-*`; those that initialize come last. */
export function chosenContainers({ containers = [], initContainers = [] }: PodSpec, pattern: string): Container[] {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  const fits = new RegExp(`^${escaped.replace(/\*/g, '.*').replace(/\?/g, '.')}$`)
  return [...containers, ...initContainers].filter(({ name }) => fits.test(name))
}

/** `-l`, where a verb has it. */
export const addSelectorFlag = (command: Command): Command =>
  command.option('-l, --selector <labels>', 'the objects with these labels')

/** `-c`. */
export const addContainersFlag = (command: Command): Command =>
  command.option('-c, --containers <pattern>', 'of the containers with names like this', '*')
