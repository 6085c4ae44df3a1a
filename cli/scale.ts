import type { Command } from 'commander'
import type { Scale } from '../api/generated/types.ts'
import { pathOf } from '../client/client.ts'
import { type DryRun, dryRunOption, dryRunQuery, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addFileFlags } from './flags.ts'
import { kindName } from './kinds.ts'
import type { Session } from './session.ts'
import { type SubjectFlags, subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

interface ScaleFlags extends SubjectFlags {
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
    void addFileFlags(command)
      .option('--replicas <count>', 'how many there shall be')
      .option('--current-replicas <count>', 'only if there are so many now')
      .option('--resource-version <version>', 'only if the object is at this version')
      .option('-l, --selector <labels>', 'the objects with these labels')
      .option('--all', 'all objects of the kind')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (!/^\d+$/.test(flags.replicas ?? ''))
      throw new CliError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0')
    const dryRun = parseDryRun(flags.dryRun)
    for (const subject of await subjectsGiven(session, args, flags)) {
      await scaleOne(session, subject, Number(flags.replicas), flags, dryRun)
      session.io.out(`${kindName(subject.kind)}/${subject.object.metadata.name} scaled${dryRunSuffix(dryRun)}\n`)
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
