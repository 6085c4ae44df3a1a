import type { Command } from 'commander'
import type { Scale } from '../api/generated/types.ts'
import { pathOf } from '../client/client.ts'
import { changeText } from './changing.ts'
import { type DryRun, dryRunOption, dryRunQuery, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addFileFlags, parseDuration } from './flags.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { parseOutput } from './print/printer.ts'
import type { Session } from './session.ts'
import { type SubjectFlags, subjectsGiven } from './subjects.ts'
import { inTime } from './until.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

interface ScaleFlags extends SubjectFlags, OutputFlags {
  timeout?: string
  replicas?: string
  currentReplicas?: string
  resourceVersion?: string
  dryRun?: string
}

export const scale: Verb<ScaleFlags> = {
  usage: '--replicas=COUNT (-f FILE | TYPE NAME... | TYPE/NAME...)',
  examples: [
    'gantry scale --replicas=3 deployment/web',
    'gantry scale --current-replicas=2 --replicas=3 deployment/web',
  ],
  define: (command: Command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--replicas <count>', 'how many there shall be')
      .option('--current-replicas <count>', 'only if there are so many now')
      .option('--resource-version <version>', 'only if the object is at this version')
      .option('-l, --selector <labels>', 'the objects with these labels')
      .option('--all', 'all objects of the kind')
      .option('--timeout <duration>', 'wait until there are so many, and no longer than this; without, not at all')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (!/^\d+$/.test(flags.replicas ?? ''))
      throw new CliError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0')
    const limitMs = parseDuration(flags.timeout ?? '0')
    if (limitMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
    const dryRun = parseDryRun(flags.dryRun)
    const output = await parseOutput(flags)
    const replicas = Number(flags.replicas)
    const subjects = await subjectsGiven(session, args, flags)
    if (flags.resourceVersion && subjects.length > 1)
      throw new CliError('cannot use --resource-version with multiple resources')
    for (const subject of subjects) {
      await scaleOne(session, subject, replicas, flags, dryRun)
      if (limitMs > 0 && dryRun === 'none' && !(await inTime(session, thereAre(session, subject, replicas), limitMs)))
        throw new CliError(
          `timed out waiting for "${subject.object.metadata.name}" to be scaled: \`gantry describe ${subject.kind.singular} ${subject.object.metadata.name}\` tells how far it is`,
        )
      const scaled = { ...subject.object, spec: { ...(subject.object.spec as object), replicas } }
      session.io.out(changeText(output, scaled, 'scaled', dryRun))
    }
    return 0
  },
}

async function scaleOne(
  session: Session,
  { kind, object }: Subject,
  replicas: number,
  flags: ScaleFlags,
  dryRun: DryRun,
) {
  const { name, namespace } = object.metadata
  if (!kind.subresources.includes('scale'))
    throw new CliError(
      `cannot scale ${kind.plural}: they have no replicas. Deployments, replicasets and statefulsets have`,
    )
  const path = pathOf(kind, namespace, name, 'scale')
  const { currentReplicas: expected, resourceVersion } = flags
  if (expected !== undefined) {
    const { spec } = await session.json<Scale>('GET', path)
    if ((spec?.replicas ?? 0) !== Number(expected))
      throw new CliError(`Expected replicas to be ${expected}, was ${spec?.replicas ?? 0}`)
  }
  if (dryRun === 'client') return
  await session.json('PATCH', path, {
    query: { fieldManager: 'kubectl-scale', ...dryRunQuery(dryRun) },
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ ...(resourceVersion ? { metadata: { resourceVersion } } : {}), spec: { replicas } }),
  })
}

/** Asks again every second: where a kind keeps the number, only its scale knows. */
async function thereAre(session: Session, { kind, object }: Subject, replicas: number): Promise<void> {
  const path = pathOf(kind, object.metadata.namespace, object.metadata.name, 'scale')
  for (;;) {
    const { spec, status } = await session.json<Scale>('GET', path)
    // Somebody else has other plans for it: there is nothing to wait for any longer.
    if ((spec?.replicas ?? 0) !== replicas || (status?.replicas ?? 0) === replicas) return
    await session.clock.sleep(1000, session.signal)
  }
}
