import { isDeepStrictEqual } from 'node:util'
import { pathOf } from '../../client/client.ts'
import { changeText } from '../changing.ts'
import { dryRunOption, dryRunQuery, parseDryRun } from '../dry-run.ts'
import { CliError } from '../errors.ts'
import { collectList } from '../flags.ts'
import type { ServedKind } from '../kinds.ts'
import { readManifests } from '../manifests.ts'
import { getObject, type NamedObject } from '../objects.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { parseOutput } from '../print/printer.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { lastApplied, rememberingPatch } from './last-applied.ts'

interface SetFlags extends OutputFlags {
  filename?: string[]
  createAnnotation?: boolean
  dryRun?: string
}

/** An object that is to remember something else than it does. */
interface Change {
  kind: ServedKind
  live: NamedObject
  asked: NamedObject
}

export const setLastApplied: Verb<SetFlags> & { summary: string } = {
  summary: 'take what files say for what was asked for the last time',
  usage: '-f FILE',
  examples: [
    'gantry apply set-last-applied -f web.yaml',
    'gantry apply set-last-applied -f web.yaml --create-annotation',
  ],
  define: (command) =>
    void addOutputFlags(command)
      .option('-f, --filename <file>', 'a file, a directory, a URL, or - for standard input', collectList)
      .option('--create-annotation', 'also of objects that remember nothing')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (!flags.filename || args.length > 0) throw new CliError('name files with -f, and nothing else')
    const dryRun = parseDryRun(flags.dryRun)
    const output = await parseOutput(flags)
    for (const { kind, live, asked } of await changesOf(session, flags.filename, flags)) {
      const { namespace, name } = live.metadata
      const told =
        dryRun === 'client'
          ? live
          : await session.json<NamedObject>('PATCH', pathOf(kind, namespace, name), {
              query: { fieldManager: 'kubectl', ...dryRunQuery(dryRun) },
              headers: { 'content-type': 'application/merge-patch+json' },
              body: JSON.stringify(rememberingPatch(asked)),
            })
      session.io.out(changeText(output, told, 'configured', dryRun))
    }
    return 0
  },
}

/** Looks at all before any is changed. */
async function changesOf(session: Session, files: readonly string[], flags: SetFlags): Promise<Change[]> {
  const changes: Change[] = []
  for (const { object } of await readManifests(files, { io: session.io })) {
    const kind = (await session.kinds()).of(object.apiVersion, object.kind)
    const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
    const asked = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } } as NamedObject
    const { name } = asked.metadata
    const live = await getObject(session, kind, name, namespace)
    const before = lastApplied(live)
    if (!before && !flags.createAnnotation)
      throw new CliError(
        `no last-applied-configuration annotation found on resource: ${name}, to create the annotation, run the command with --create-annotation`,
      )
    if (isDeepStrictEqual(before, asked)) session.io.out(`set-last-applied ${name}: no changes required.\n`)
    else changes.push({ kind, live, asked })
  }
  return changes
}
