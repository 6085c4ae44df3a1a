import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { compileSelector } from '../api/machinery/labels.ts'
import { pathOf } from '../client/client.ts'
import { lastApplied } from './apply/last-applied.ts'
import { schemaOf } from './apply/schema-of.ts'
import { threeWayPatch } from './apply/three-way.ts'
import { maskSecrets } from './diff/mask.ts'
import { CliError, explain } from './errors.ts'
import { addFileFlags } from './flags.ts'
import type { ServedKind } from './kinds.ts'
import { readManifests } from './manifests.ts'
import type { NamedObject } from './objects.ts'
import { toYaml } from './print/documents.ts'
import type { Session } from './session.ts'
import { objectAt } from './until.ts'
import type { Verb } from './verb.ts'

interface DiffFlags {
  filename?: string[]
  recursive?: boolean
  serverSide?: boolean
  forceConflicts?: boolean
  fieldManager?: string
  selector?: string
  showManagedFields?: boolean
  showSecrets?: boolean
}

export const diff: Verb<DiffFlags> = {
  usage: '-f FILE|DIRECTORY|-',
  examples: ['gantry diff -f web.yaml', "KUBECTL_EXTERNAL_DIFF='diff -u --color=always' gantry diff -f manifests/"],
  define: (command: Command) =>
    void addFileFlags(command)
      .option('--server-side', 'as apply --server-side would')
      .option('--force-conflicts', 'with --server-side: take fields over from their owners')
      .option('--field-manager <name>', 'who owns what would be applied')
      .option('-l, --selector <labels>', 'only objects with these labels')
      .option('--show-managed-fields', 'with metadata.managedFields')
      .option('--show-secrets', 'the values of secrets as they are')
      .option('--concurrency <n>', 'has no effect: objects are compared one after the other'),
  async run(session, args, flags) {
    try {
      return await compare(session, args, flags)
    } catch (error) {
      // One says that there are differences: what fails must say something else.
      const { text, code } = explain(error, session.server)
      session.io.err(text)
      return Math.max(code, 2)
    }
  },
}

async function compare(session: Session, args: readonly string[], flags: DiffFlags): Promise<number> {
  if (args.length > 0) throw new CliError(`Unexpected args: [${args.join(' ')}]`)
  if (!flags.filename) throw new CliError('must specify one of -f and -k')
  const manifests = await readManifests(flags.filename, { io: session.io, recursive: flags.recursive })
  const isAsked = flags.selector ? compileSelector(flags.selector) : () => true
  const directories = ['LIVE-', 'MERGED-'].map((name) => mkdtempSync(join(tmpdir(), name))) as [string, string]
  try {
    for (const { object } of manifests) {
      if (!isAsked(object.metadata.labels ?? {})) continue
      const kind = (await session.kinds()).of(object.apiVersion, object.kind)
      const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
      const wanted = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } } as NamedObject
      const live = await objectAt(session, { kind, name: wanted.metadata.name, namespace })
      const after = await tried(session, { kind, wanted, live, namespace }, flags)
      const file = [kind.group, kind.version, kind.kind, namespace, wanted.metadata.name]
        .filter((part) => part)
        .join('.')
      const shown = flags.showSecrets || kind.kind !== 'Secret' ? { live, after } : maskSecrets(live, after)
      for (const [i, one] of [shown.live, shown.after].entries())
        if (one) writeFileSync(join(directories[i] as string, file), textOf(one, flags), { mode: 0o600 })
    }
    return runDiff(session, directories)
  } finally {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  }
}

interface Trial {
  kind: ServedKind
  wanted: NamedObject
  live: NamedObject | undefined
  namespace: string | undefined
}

/** What the server would make of it. */
async function tried(
  session: Session,
  { kind, wanted, live, namespace }: Trial,
  { serverSide, forceConflicts, fieldManager }: DiffFlags,
): Promise<NamedObject> {
  const query = { dryRun: 'All', fieldManager: fieldManager ?? (serverSide ? 'kubectl' : 'kubectl-client-side-apply') }
  const path = pathOf(kind, namespace, wanted.metadata.name)
  if (serverSide)
    return session.json<NamedObject>('PATCH', path, {
      query: { ...query, force: String(forceConflicts ?? false) },
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify(wanted),
    })
  if (!live) return session.json<NamedObject>('POST', pathOf(kind, namespace), { query, body: JSON.stringify(wanted) })
  const schema = schemaOf(kind)
  const patch = threeWayPatch(lastApplied(live), wanted, live, schema)
  if (Object.keys(patch).length === 0) return live
  return session.json<NamedObject>('PATCH', path, {
    query,
    headers: { 'content-type': `application/${schema ? 'strategic-merge' : 'merge'}-patch+json` },
    body: JSON.stringify(patch),
  })
}

function textOf(object: NamedObject, { showManagedFields }: DiffFlags): string {
  if (showManagedFields) return toYaml(object)
  const { managedFields: _, ...metadata } = object.metadata
  return toYaml({ ...object, metadata })
}

/** 0 where nothing differs, 1 where something does. */
function runDiff(session: Session, directories: [string, string]): number {
  const [program = 'diff', ...args] = session.io.env.KUBECTL_EXTERNAL_DIFF?.split(' ').filter((word) => word) ?? []
  const all = args.length > 0 || session.io.env.KUBECTL_EXTERNAL_DIFF ? args : ['-u', '-N']
  const { status, stdout, stderr, error } = spawnSync(program, [...all, ...directories], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (error)
    throw new CliError(`failed to run "${program}": ${error.message}. KUBECTL_EXTERNAL_DIFF names another program`)
  session.io.out(stdout)
  session.io.err(stderr)
  return status ?? 2
}
