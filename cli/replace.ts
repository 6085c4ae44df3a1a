import type { Command } from 'commander'
import { StatusError } from '../api/machinery/errors.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { isNotFound } from '../client/errors.ts'
import { withLastApplied } from './apply/last-applied.ts'
import { type DryRun, dryRunOption, dryRunQuery, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError, explain, WhileDoing } from './errors.ts'
import { addFileFlags, areGiven, type FileFlags, parseDuration } from './flags.ts'
import { kindName } from './kinds.ts'
import type { ManifestObject } from './manifests.ts'
import { manifestsGiven } from './manifests-given.ts'
import { showPlaces } from './mistakes/show-places.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { objectName, parseOutput, printObject } from './print/printer.ts'
import type { Session } from './session.ts'
import { inTime, type Place, untilGone } from './until.ts'
import { validationOf } from './validation.ts'
import type { Verb } from './verb.ts'

interface ReplaceFlags extends OutputFlags, FileFlags {
  force?: boolean
  gracePeriod?: string
  timeout?: string
  cascade?: string
  saveConfig?: boolean
  subresource?: string
  fieldManager?: string
  validate?: string
  dryRun?: string
}

export const replace: Verb<ReplaceFlags> = {
  usage: '-f FILE',
  examples: ['gantry replace -f web.yaml', 'gantry replace --force -f web.yaml'],
  define: (command: Command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--force', 'delete and make anew')
      .option('--grace-period <seconds>', 'with --force: how long pods may take to end')
      .option('--timeout <duration>', 'with --force: how long to wait for the end')
      .option('--cascade <how>', 'with --force: background, foreground or orphan', 'background')
      .option('--save-config', 'remember what was asked for, for a later apply')
      .option('--subresource <name>', 'only this part: status, scale')
      .option('--field-manager <name>', 'who owns the fields')
      .option('--validate <how>', 'strict (unknown fields are refused), warn or ignore')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]; name files with -f`)
    if (!areGiven(flags)) throw new CliError('must specify one of -f and -k')
    const dryRun = parseDryRun(flags.dryRun)
    const output = await parseOutput(flags)
    const manifests = await manifestsGiven(session.io, flags)
    let failed = false
    for (const manifest of manifests) {
      const { object, source } = manifest
      try {
        const replaced = await replaceOne(session, object, flags, dryRun)
        session.io.out(
          output.type === 'table'
            ? `${objectName(replaced)} replaced${dryRunSuffix(dryRun)}\n`
            : printObject(output, replaced),
        )
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        const told = explain(new WhileDoing(`when replacing "${source}"`, error)).text
        const hint = isNotFound(error) ? 'It is not there yet: `gantry create -f` or `gantry apply -f` makes it\n' : ''
        session.io.err(told + hint)
        await showPlaces(session, error, manifest)
        failed = true
      }
    }
    return failed ? 1 : 0
  },
}

async function replaceOne(
  session: Session,
  object: ManifestObject['object'],
  flags: ReplaceFlags,
  dryRun: DryRun,
): Promise<AnyObject> {
  const kind = (await session.kinds()).of(object.apiVersion, object.kind)
  const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
  const name = object.metadata.name ?? ''
  const body = flags.saveConfig ? withLastApplied(object as Parameters<typeof withLastApplied>[0]) : object
  if (dryRun === 'client') return body
  const query = {
    fieldManager: flags.fieldManager ?? 'kubectl-replace',
    fieldValidation: validationOf(flags.validate),
    ...dryRunQuery(dryRun),
  }
  if (!flags.force)
    return session.json<AnyObject>('PUT', pathOf(kind, namespace, name, flags.subresource), {
      query,
      body: JSON.stringify(namespace ? { ...body, metadata: { ...body.metadata, namespace } } : body),
    })
  if (dryRun === 'none') await takeAway(session, { kind, name, namespace }, flags)
  return session.json<AnyObject>('POST', pathOf(kind, namespace), { query, body: JSON.stringify(body) })
}

const propagation: Record<string, string> = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' }

async function takeAway(session: Session, place: Place, flags: ReplaceFlags): Promise<void> {
  const { kind, name, namespace } = place
  const propagationPolicy = propagation[flags.cascade ?? 'background']
  if (!propagationPolicy)
    throw new CliError(`invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan"`)
  const limitMs = flags.timeout ? parseDuration(flags.timeout) : 0
  if (limitMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy,
    gracePeriodSeconds: flags.gracePeriod === undefined ? 0 : Number(flags.gracePeriod),
  }
  try {
    await session.json('DELETE', pathOf(kind, namespace, name), { body: JSON.stringify(body) })
  } catch (error) {
    if (isNotFound(error)) return
    throw error
  }
  session.io.out(`${kindName(kind)} "${name}" deleted${namespace ? ` from ${namespace} namespace` : ''}\n`)
  if (!(await inTime(session, untilGone(session, place), limitMs || Number.POSITIVE_INFINITY)))
    throw new CliError(`timed out waiting for the end of ${kind.plural}/${name}: it may have a finalizer`)
}
