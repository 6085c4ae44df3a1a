import type { Command } from 'commander'
import type { Node } from '../api/generated/types.ts'
import { isConflict } from '../client/errors.ts'
import { type DryRun, dryRunOption, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { getObject, type NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { objectName, parseOutput, printObject } from './print/printer.ts'
import type { Session } from './session.ts'
import { changedTaints, parseTaints, standsInTheWay, type TaintChanges } from './taint/changes.ts'
import type { Verb } from './verb.ts'
import { patchSubject, readSubjects, type Subject } from './workloads.ts'

interface TaintFlags extends OutputFlags {
  all?: boolean
  overwrite?: boolean
  selector?: string
  fieldManager?: string
  dryRun?: string
}

const attempts = 5

export const taint: Verb<TaintFlags> = {
  usage: 'node NAME KEY=VALUE:EFFECT... KEY:EFFECT-...',
  examples: ['gantry taint node node-1 dedicated=db:NoSchedule', 'gantry taint node node-1 dedicated-'],
  define: (command: Command) =>
    void addOutputFlags(command)
      .option('--all', 'all nodes')
      .option('--overwrite', 'also where there is one of the key and effect')
      .option('-l, --selector <labels>', 'the nodes with these labels')
      .option('--field-manager <name>', 'who owns the fields')
      .option('--validate <how>', 'strict, warn or ignore')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    const [word, ...others] = args
    if (word === undefined) throw new CliError('name the nodes: `gantry taint node NAME KEY=VALUE:NoSchedule`')
    const kind = (await session.kinds()).named(word)
    if (kind.plural !== 'nodes') throw new CliError(`invalid resource type ${word}, only node types are supported`)
    const isChange = (text: string) => text.includes('=') || text.includes(':') || text.endsWith('-')
    const names = others.filter((text) => !isChange(text))
    const changes = parseTaints(others.filter(isChange))
    if (changes.set.length + changes.remove.length === 0) throw new CliError('at least one taint update is required')
    if (names.length === 0 && !flags.all && !flags.selector)
      throw new CliError('at least one resource name must be specified since --all parameter is not set')
    const dryRun = parseDryRun(flags.dryRun)
    const output = await parseOutput(flags)
    const selection = flags.selector ? { labelSelector: flags.selector } : {}
    const failures: string[] = []
    for (const subject of await readSubjects(session, ['nodes', ...names], selection)) {
      const { object, done, missing } = await change(session, subject, changes, flags, dryRun)
      failures.push(...missing)
      if (missing.length > 0) continue
      session.io.out(output.type === 'table' ? `${objectName(object)} ${done}\n` : printObject(output, object))
    }
    if (failures.length > 0)
      session.io.err(failures.length === 1 ? `error: ${failures[0]}\n` : `${failures.join('\n')}\n`)
    return failures.length > 0 ? 1 : 0
  },
}

/** Changes one node; again where somebody else changed it meanwhile, because the list is written as a whole. */
async function change(
  session: Session,
  subject: Subject,
  changes: TaintChanges,
  flags: TaintFlags,
  dryRun: DryRun,
): Promise<{ object: NamedObject; done: string; missing: string[] }> {
  let { object } = subject
  for (let attempt = 1; ; attempt++) {
    const { name, resourceVersion } = object.metadata
    const before = (object as unknown as Node).spec?.taints ?? []
    if (!flags.overwrite && standsInTheWay(before, changes))
      throw new CliError(`node ${name} already has a taint(s) with same effect(s) and --overwrite is false`)
    const { taints, done, missing } = changedTaints(before, changes, Boolean(flags.overwrite))
    if (missing.length > 0 || dryRun === 'client') return { object, done, missing }
    try {
      const patch = { metadata: { resourceVersion }, spec: { taints } }
      const how = { type: 'merge', manager: flags.fieldManager ?? 'kubectl-taint', dryRun }
      return { object: await patchSubject(session, { ...subject, object }, patch, how), done, missing }
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error
      object = await getObject(session, subject.kind, name)
    }
  }
}
