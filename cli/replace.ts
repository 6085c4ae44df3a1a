import type { Command } from 'commander'
import { StatusError } from '../api/machinery/errors.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { isNotFound } from '../client/errors.ts'
import { withLastApplied } from './apply/last-applied.ts'
import { type DryRun, dryRunOption, dryRunQuery, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError, explain, WhileDoing } from './errors.ts'
import { addFileFlags, areGiven, type FileFlags } from './flags.ts'
import { kindName } from './kinds.ts'
import type { ManifestObject } from './manifests.ts'
import { manifestsGiven, oneFile } from './manifests-given.ts'
import { showPlaces } from './mistakes/show-places.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { objectName, parseOutput, printObject } from './print/printer.ts'
import { bodyOf, sendRaw } from './raw.ts'
import type { Session } from './session.ts'
import { addTakingFlags, type TakingFlags, takeAway } from './take-away.ts'
import { validationOf } from './validation.ts'
import type { Verb } from './verb.ts'

interface ReplaceFlags extends OutputFlags, FileFlags, TakingFlags {
  force?: boolean
  saveConfig?: boolean
  raw?: string
  subresource?: string
  fieldManager?: string
  validate?: string
  dryRun?: string
}

export const replace: Verb<ReplaceFlags> = {
  usage: '-f FILE',
  examples: ['gantry replace -f web.yaml', 'gantry replace --force -f web.yaml'],
  define: (command: Command) =>
    void addTakingFlags(addOutputFlags(addFileFlags(command)).option('--force', 'delete and make anew'))
      .option('--wait', 'with --force: until the old one is gone, which is so anyway')
      .option('--raw <path>', 'send the file of -f to this path of the server, and show the answer')
      .option('--save-config', 'remember what was asked for, for a later apply')
      .option('--subresource <name>', 'only this part: status, scale')
      .option('--field-manager <name>', 'who owns the fields')
      .option('--validate <how>', 'strict (unknown fields are refused), warn or ignore')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]; name files with -f`)
    if (!areGiven(flags)) throw new CliError('must specify one of -f and -k')
    if (flags.raw !== undefined) return sendRaw(session, 'PUT', flags.raw, await bodyOf(session, oneFile(flags)))
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
  if (dryRun === 'none' && (await takeAway(session, { kind, name, namespace }, flags)))
    session.io.out(`${kindName(kind)} "${name}" deleted${namespace ? ` from ${namespace} namespace` : ''}\n`)
  return session.json<AnyObject>('POST', pathOf(kind, namespace), { query, body: JSON.stringify(body) })
}
