import type { Command } from 'commander'
import type { AnyObject } from '../../api/machinery/object.ts'
import { pathOf } from '../../client/client.ts'
import { withLastApplied } from '../apply/last-applied.ts'
import { type DryRun, dryRunOption, dryRunQuery, dryRunSuffix, parseDryRun } from '../dry-run.ts'
import { CliError } from '../errors.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { objectName, parseOutput, printObject } from '../print/printer.ts'
import type { Session } from '../session.ts'
import { validationOf } from '../validation.ts'
import type { Verb } from '../verb.ts'

/** What every way of making an object understands. */
export interface CreateFlags extends OutputFlags {
  dryRun?: string
  fieldManager?: string
  validate?: string
  saveConfig?: boolean
}

type Made = AnyObject & { apiVersion: string; kind: string }

/** How one kind of object is made from the words of a command line. */
export interface Generator<F> {
  summary: string
  usage: string
  examples: readonly string[]
  define(command: Command): void
  /** The object, without its namespace. Throws what is missing. */
  make(args: readonly string[], flags: F, rest: readonly string[] | undefined): Made
}

/** Adds the flags that all share. */
export const addCreateFlags = (command: Command): Command =>
  addOutputFlags(command)
    .option('--field-manager <name>', 'who owns the fields')
    .option('--validate <how>', 'strict (unknown fields are refused), warn or ignore')
    .option('--save-config', 'remember what was asked for, for a later apply')
    .addOption(dryRunOption())

/** The verb that makes what a generator describes. */
export const creating = <F>({ make, define, ...about }: Generator<F>): Verb<F & CreateFlags> & { summary: string } => ({
  ...about,
  define(command) {
    define(command)
    addCreateFlags(command)
  },
  async run(session, args, flags, rest) {
    await createOne(session, make(args, flags, rest), flags)
    return 0
  },
})

/** Makes an object and tells what was done, or shows what it would be. */
export async function createOne(
  session: Session,
  made: Made,
  flags: CreateFlags,
  { manager = 'kubectl-create', done = 'created' } = {},
): Promise<AnyObject> {
  const dryRun = parseDryRun(flags.dryRun)
  const output = await parseOutput(flags)
  const created = await send(session, flags.saveConfig ? (withLastApplied(made) as Made) : made, flags, dryRun, manager)
  session.io.out(
    output.type === 'table' ? `${objectName(created)} ${done}${dryRunSuffix(dryRun)}\n` : printObject(output, created),
  )
  return created
}

async function send(
  session: Session,
  made: Made,
  flags: CreateFlags,
  dryRun: DryRun,
  manager: string,
): Promise<AnyObject> {
  const kind = (await session.kinds()).of(made.apiVersion, made.kind)
  const namespace = kind.namespaced ? made.metadata.namespace || session.namespace : undefined
  // What is only shown has the namespace that was asked for by name.
  if (dryRun === 'client') return session.namespaceGiven && namespace ? inNamespace(made, namespace) : made
  const object = namespace ? inNamespace(made, namespace) : made
  return session.json<AnyObject>('POST', pathOf(kind, namespace), {
    query: {
      fieldManager: flags.fieldManager ?? manager,
      fieldValidation: validationOf(flags.validate),
      ...dryRunQuery(dryRun),
    },
    body: JSON.stringify(object),
  })
}

const inNamespace = (object: Made, namespace: string): Made => ({
  ...object,
  metadata: { ...object.metadata, namespace },
})

/** The one name a generator takes. */
export function oneName(args: readonly string[], what: string): string {
  const [name, ...more] = args
  if (name === undefined) throw new CliError(`exactly one NAME is required, got 0: name the ${what} to create`)
  if (more.length > 0) throw new CliError(`exactly one NAME is required, got ${args.length}`)
  return name
}

/** `a=1` words as a map. Throws for a word without `=`. */
export function pairs(words: readonly string[] = [], what = 'key=value'): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at <= 0) throw new CliError(`invalid ${JSON.stringify(word)}, expected ${what}`)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
