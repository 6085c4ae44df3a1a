import type { Command } from 'commander'
import { objectChanges } from '../api/gantry/object-changes.ts'
import { pathOf } from '../client/client.ts'
import { isConflict } from '../client/errors.ts'
import { type DryRun, dryRunOption, dryRunQuery, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { kindName, type ServedKind } from './kinds.ts'
import { missingHint } from './mistakes/in-names.ts'
import { getObject, type NamedObject, namespaceFor } from './objects.ts'
import { changeText } from './past/change-text.ts'
import { type ObjectVersion, versionsOf } from './past/versions.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { planUndo, type UndoPlan } from './undo/plan.ts'
import { undoneText } from './undo/undone-text.ts'
import type { Verb } from './verb.ts'

/** How often a write is tried that controllers' own keep overtaking. */
const attempts = 5

interface UndoFlags {
  to?: string
  dryRun?: string
}

export const undo: Verb<UndoFlags> = {
  usage: 'TYPE/NAME [--to WHEN]',
  examples: [
    'gantry undo configmap/settings',
    'gantry undo deployment/web --to 1h --dry-run=server',
    'gantry undo service/web    # also when it was deleted',
  ],
  define: (command: Command) =>
    void command
      .option('--to <when>', 'back to what it was then: a revision, a time ago (1h), or a time')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    const dryRun = parseDryRun(flags.dryRun)
    const targets = parseTargets(args, await session.kinds())
    if (targets.type !== 'named') throw new CliError('say which object: gantry undo TYPE/NAME')
    for (const { kind, name } of targets.objects) await undoOne(session, kind, name, flags.to, dryRun)
    return 0
  },
}

/** Takes back what is last; again where a controller noted meanwhile how it goes, but nothing that is newer by somebody. */
async function undoOne(
  session: Session,
  kind: ServedKind,
  name: string,
  to: string | undefined,
  dryRun: DryRun,
): Promise<void> {
  const namespace = namespaceFor(session, kind)
  const subject = `${kindName(kind)}/${name}`
  const target = to === undefined ? undefined : await versionAt(session, kind, name, namespace, to)
  let first: UndoPlan | undefined
  for (let attempt = 1; ; attempt++) {
    const versions = await enoughVersions(session, kind, name, namespace, target !== undefined)
    const plan = planUndo(versions, target)
    if (first && lastOf(first) !== lastOf(plan))
      throw new CliError(`${subject} was changed by somebody else meanwhile; see what: gantry history ${subject}`)
    first ??= plan
    if (plan.step === 'refuse') {
      const hint = versions.length === 0 ? await missingHint(session, kind, name) : ''
      throw new CliError(`${subject} cannot be undone: ${plan.why}${hint && `\n${hint.trimEnd()}`}`)
    }
    const current = plan.step === 'update' ? versions[0]?.object : undefined
    const changes = current ? objectChanges(current, plan.object) : []
    if (current && changes.length === 0) {
      session.io.out(`${subject} unchanged: it is as it was at revision ${plan.to.revision}\n`)
      return
    }
    try {
      if (dryRun !== 'client') await write(session, kind, plan, namespace, dryRun)
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error
      continue
    }
    session.io.out(`${subject} ${undoneText(plan, session.clock.now(), dryRun)}\n`)
    for (const change of changes) session.io.out(`  ${changeText(change, { hide: kind.kind === 'Secret' })}\n`)
    return
  }
}

/** The revision of the change that is to be taken back. */
const lastOf = (plan: UndoPlan): string | undefined => ('undone' in plan ? plan.undone?.revision : undefined)

/** So many of the versions that what is to be undone is among them, and what it was before. */
async function enoughVersions(
  session: Session,
  kind: ServedKind,
  name: string,
  namespace: string | undefined,
  newestOnly: boolean,
): Promise<ObjectVersion[]> {
  const versions: ObjectVersion[] = []
  for await (const version of versionsOf(session, kind, name, namespace, true)) {
    versions.push(version)
    if (newestOnly || version.operation === 'created' || planUndo(versions).step !== 'refuse') break
  }
  return versions
}

async function versionAt(
  session: Session,
  kind: ServedKind,
  name: string,
  namespace: string | undefined,
  at: string,
): Promise<ObjectVersion> {
  const object = await getObject(session, kind, name, namespace, { at })
  return { revision: object.metadata.resourceVersion ?? '', operation: 'updated', changes: [], object }
}

function write(
  session: Session,
  kind: ServedKind,
  { step, object }: Exclude<UndoPlan, { step: 'refuse' }>,
  namespace: string | undefined,
  dryRun: DryRun,
): Promise<NamedObject> {
  const query = { fieldManager: 'gantry-undo', ...dryRunQuery(dryRun) }
  const body = JSON.stringify(object)
  return step === 'create'
    ? session.json<NamedObject>('POST', pathOf(kind, namespace), { query, body })
    : session.json<NamedObject>('PUT', pathOf(kind, namespace, object.metadata.name), { query, body })
}
