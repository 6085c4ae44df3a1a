import type { Command } from 'commander'
import { addChangeFlags, type ChangeFlags, changeText, parseWhere } from './changing.ts'
import type { DryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addFileFlags, type FileFlags } from './flags.ts'
import { parseOutput } from './print/printer.ts'
import type { Session } from './session.ts'
import { subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'
import { patchSubject, type Subject } from './workloads.ts'

interface LabelFlags extends ChangeFlags, FileFlags {
  all?: boolean
  allNamespaces?: boolean
  overwrite?: boolean
  list?: boolean
  selector?: string
  fieldSelector?: string
  resourceVersion?: string
}

/** What is to be set, and what taken away. */
export interface Changes {
  set: Record<string, string>
  remove: string[]
}

type Texts = Readonly<Record<string, string>>

/** Sorts the words of a command line: what names objects, and after that `key=value` and `key-`. */
export function parseChanges(args: readonly string[], what: string): { words: string[]; changes: Changes } {
  const isChange = (word: string) => word.includes('=') || (word.length > 1 && word.endsWith('-'))
  const first = args.findIndex(isChange)
  const words = first < 0 ? [...args] : args.slice(0, first)
  const changes: Changes = { set: {}, remove: [] }
  for (const word of args.slice(words.length)) {
    const at = word.indexOf('=')
    if (at > 0) changes.set[word.slice(0, at)] = word.slice(at + 1)
    else if (at < 0 && isChange(word)) changes.remove.push(word.slice(0, -1))
    else throw new CliError(`all resources must be specified before ${what} changes: ${word}`)
  }
  const both = changes.remove.find((key) => key in changes.set)
  if (both) throw new CliError(`can not both modify and remove a ${what.slice(0, -1)} in the same command: ${both}`)
  return { words, changes }
}

/** The values an object has already that would be written over. */
export const inTheWay = (before: Texts, { set }: Changes): [string, string][] =>
  Object.entries(before).filter(([key, value]) => key in set && set[key] !== value)

const verbOf = (field: 'labels' | 'annotations'): Verb<LabelFlags> => {
  const isLabels = field === 'labels'
  return {
    usage: '(TYPE NAME... | TYPE/NAME... | -f FILE | TYPE -l LABELS | TYPE --all) KEY=VALUE... KEY-...',
    examples: isLabels
      ? [
          'gantry label pod web-1 tier=front',
          'gantry label pods --all tier-',
          'gantry label --overwrite pod web-1 tier=back',
        ]
      : ['gantry annotate pod web-1 example.com/note=hello', 'gantry annotate pod web-1 example.com/note-'],
    define: (command: Command) =>
      void addChangeFlags(addFileFlags(command))
        .option('--all', 'all objects of the kind, in the namespace')
        .option('-A, --all-namespaces', 'in every namespace')
        .option('--overwrite', 'also what has another value already')
        .option('--list', 'show what there is')
        .option('-l, --selector <labels>', 'the objects with these labels')
        .option('--field-selector <fields>', 'the objects with these fields')
        .option('--resource-version <version>', 'only if the object is at this version'),
    async run(session, args, flags) {
      const { words, changes } = parseChanges(args, field)
      if (Object.keys(changes.set).length + changes.remove.length === 0 && !flags.list)
        throw new CliError(`at least one ${isLabels ? 'label' : 'annotation'} update is required`)
      const dryRun = parseWhere(flags)
      let failed = false
      for (const subject of await subjectsGiven(session, words, flags)) {
        const before: Texts = subject.object.metadata[field] ?? {}
        const [clash] = flags.overwrite ? [] : inTheWay(before, changes)
        if (clash) {
          session.io.err(
            isLabels
              ? `error: '${clash[0]}' already has a value (${clash[1]}), and --overwrite is false\n`
              : `error: --overwrite is false but found the following declared annotation(s): '${clash[0]}' already has a value (${clash[1]})\n`,
          )
          failed = true
        } else await changeOne(session, subject, { before, changes, field, dryRun, flags })
      }
      return failed ? 1 : 0
    },
  }
}

interface Change {
  before: Texts
  changes: Changes
  field: 'labels' | 'annotations'
  dryRun: DryRun
  flags: LabelFlags
}

async function changeOne(session: Session, subject: Subject, { before, changes, field, dryRun, flags }: Change) {
  const removed = changes.remove.filter((key) => key in before)
  const added = Object.keys(changes.set).filter((key) => before[key] !== changes.set[key])
  for (const key of changes.remove.filter((one) => !(one in before)))
    if (field === 'labels') session.io.out(`label "${key}" not found.\n`)
  const patch = { ...changes.set, ...Object.fromEntries(changes.remove.map((key) => [key, null])) }
  const nothing = added.length + removed.length === 0
  const { resourceVersion, local, fieldManager } = flags
  const changed =
    nothing || local || dryRun === 'client'
      ? { ...subject.object, metadata: { ...subject.object.metadata, [field]: applied(before, changes) } }
      : await patchSubject(
          session,
          subject,
          { metadata: { ...(resourceVersion ? { resourceVersion } : {}), [field]: patch } },
          {
            type: 'merge',
            manager: fieldManager ?? (field === 'labels' ? 'kubectl-label' : 'kubectl-annotate'),
            dryRun,
          },
        )
  if (flags.list) {
    for (const [key, value] of Object.entries(changed.metadata[field] ?? {}).sort()) session.io.out(`${key}=${value}\n`)
    return
  }
  const output = await parseOutput(flags)
  const done =
    field === 'annotations' ? 'annotated' : nothing ? 'not labeled' : added.length > 0 ? 'labeled' : 'unlabeled'
  session.io.out(changeText(output, changed, done, dryRun))
}

const applied = (before: Texts, { set, remove }: Changes): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...before, ...set }).filter(([key]) => !remove.includes(key)))

export const label = verbOf('labels')
export const annotate = verbOf('annotations')
