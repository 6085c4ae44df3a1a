import type { Command } from 'commander'
import type { Node } from '../api/generated/types.ts'
import { type DryRun, dryRunOption, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'
import { patchSubject, readSubjects, type Subject } from './workloads.ts'

interface CordonFlags {
  selector?: string
  dryRun?: string
}

/** Opens a node for new pods, or closes it, and tells of it. */
export async function setSchedulable(
  session: Session,
  node: Subject,
  open: boolean,
  { dryRun, word }: { dryRun: DryRun; word: string },
): Promise<void> {
  const { spec } = node.object as unknown as Node
  const already = Boolean(spec?.unschedulable) !== open
  if (!already && dryRun !== 'client')
    await patchSubject(
      session,
      node,
      { spec: { unschedulable: open ? null : true } },
      { manager: `kubectl-${word}`, dryRun },
    )
  session.io.out(`node/${node.object.metadata.name} ${already ? 'already ' : ''}${word}ed${dryRunSuffix(dryRun)}\n`)
}

const verbOf = (close: boolean): Verb<CordonFlags> => {
  const word = close ? 'cordon' : 'uncordon'
  return {
    usage: 'NODE',
    examples: [`gantry ${word} node-1`],
    define: (command: Command) =>
      void command.option('-l, --selector <labels>', 'the nodes with these labels').addOption(dryRunOption()),
    async run(session, args, flags) {
      if (args.length === 0 && !flags.selector)
        throw new CliError(`USAGE: ${word} NODE [flags]: name a node, or give -l LABELS`)
      if (args.length > 0 && flags.selector)
        throw new CliError('error: cannot specify both a node name and a --selector option')
      const dryRun = parseDryRun(flags.dryRun)
      const subjects = await readSubjects(
        session,
        ['nodes', ...args],
        flags.selector ? { labelSelector: flags.selector } : {},
      )
      for (const subject of subjects) await setSchedulable(session, subject, !close, { dryRun, word })
      return 0
    },
  }
}

export const cordon = verbOf(true)
export const uncordon = verbOf(false)
