import type { Command } from 'commander'
import { compileSelector } from '../api/machinery/labels.ts'
import { pathOf } from '../client/client.ts'
import { isNotFound } from '../client/errors.ts'
import { lastApplied } from './apply/last-applied.ts'
import { kindsToPrune, noLongerApplied } from './apply/prune.ts'
import { schemaOf } from './apply/schema-of.ts'
import { threeWayPatch } from './apply/three-way.ts'
import { type Pair, showDifferences } from './diff/pairs.ts'
import { CliError, explain } from './errors.ts'
import { addFileFlags, areGiven, collectList, type FileFlags } from './flags.ts'
import { resourceName, type ServedKind } from './kinds.ts'
import { manifestsGiven } from './manifests-given.ts'
import { showPlaces } from './mistakes/show-places.ts'
import { getObject, type NamedObject, namespaceFor } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { objectAt } from './until.ts'
import type { Verb } from './verb.ts'

interface DiffFlags extends FileFlags {
  serverSide?: boolean
  forceConflicts?: boolean
  fieldManager?: string
  selector?: string
  showManagedFields?: boolean
  showSecrets?: boolean
  prune?: boolean
  pruneAllowlist?: string[]
  from?: string
  to?: string
}

export const diff: Verb<DiffFlags> = {
  usage: '-f FILE|DIRECTORY|- | TYPE/NAME --from WHEN',
  examples: [
    'gantry diff -f web.yaml',
    'gantry diff deployment/web --from 1h',
    "KUBECTL_EXTERNAL_DIFF='diff -u --color=always' gantry diff -f manifests/",
  ],
  define: (command: Command) =>
    void addFileFlags(command)
      .option('--server-side', 'as apply --server-side would')
      .option('--force-conflicts', 'with --server-side: take fields over from their owners')
      .option('--field-manager <name>', 'who owns what would be applied')
      .option('--from <when>', 'instead of a file: since a revision, a time ago (1h), or a time')
      .option('--to <when>', 'with --from: until then; without, until now')
      .option('-l, --selector <labels>', 'only objects with these labels')
      .option('--prune', 'also what an apply with --prune would delete')
      .option('--prune-allowlist <group/version/kind>', 'with --prune: only objects of these kinds', collectList)
      .option('--show-managed-fields', 'with metadata.managedFields')
      .option('--show-secrets', 'the values of secrets as they are')
      .option('--concurrency <n>', 'has no effect: objects are compared one after the other'),
  async run(session, args, flags) {
    try {
      return await (flags.from ? compareMoments(session, args, flags) : compare(session, args, flags))
    } catch (error) {
      // One says that there are differences: what fails must say something else.
      const { text, code } = explain(error, session.server)
      session.io.err(text)
      return Math.max(code, 2)
    }
  },
}

async function compare(session: Session, args: readonly string[], flags: DiffFlags): Promise<number> {
  if (args.length > 0)
    throw new CliError(`Unexpected args: [${args.join(' ')}]; to compare with what was, say since when with --from`)
  if (!areGiven(flags)) throw new CliError('must specify one of -f and -k')
  const manifests = await manifestsGiven(session.io, flags)
  const isAsked = flags.selector ? compileSelector(flags.selector) : () => true
  const pairs: Pair[] = []
  for (const manifest of manifests) {
    const { object } = manifest
    if (!isAsked(object.metadata.labels ?? {})) continue
    const kind = (await session.kinds()).of(object.apiVersion, object.kind)
    const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
    const wanted = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } } as NamedObject
    const live = await objectAt(session, { kind, name: wanted.metadata.name, namespace })
    const after = await tried(session, { kind, wanted, live, namespace }, flags).catch(async (error) => {
      await showPlaces(session, error, manifest)
      throw error
    })
    pairs.push({ kind, namespace, name: wanted.metadata.name, before: live, after })
  }
  const going = flags.prune ? await pruned(session, pairs, flags) : []
  return showDifferences(session, [...pairs, ...going], flags)
}

/** What was applied before and is not now, as it is and as nothing. */
async function pruned(
  session: Session,
  pairs: readonly Pair[],
  { pruneAllowlist, selector }: DiffFlags,
): Promise<Pair[]> {
  const applied = pairs.flatMap(({ after }) => after ?? [])
  const kinds = await kindsToPrune(session, pruneAllowlist)
  // As in kubectl, what is in no namespace is looked for only where its kind is named.
  const looked = pruneAllowlist ? kinds : kinds.filter(({ namespaced }) => namespaced)
  const going = await noLongerApplied(session, applied, looked, selector)
  return going.map(({ kind, object }) => {
    const { namespace, name } = object.metadata
    return { kind, namespace, name, before: object, after: undefined }
  })
}

/** An object as it was at one moment, and now or at another. */
async function compareMoments(session: Session, args: readonly string[], flags: DiffFlags): Promise<number> {
  const targets = parseTargets(args, await session.kinds())
  if (targets.type !== 'named') throw new CliError('name the objects: gantry diff TYPE/NAME --from 1h')
  const at = (kind: ServedKind, name: string, namespace: string | undefined, when: string | undefined) =>
    getObject(session, kind, name, namespace, { at: when }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })
  const pairs = await Promise.all(
    targets.objects.map(async ({ kind, name }): Promise<Pair> => {
      const namespace = namespaceFor(session, kind)
      const [before, after] = await Promise.all([
        at(kind, name, namespace, flags.from),
        at(kind, name, namespace, flags.to),
      ])
      if (!before && !after) throw new CliError(`${resourceName(kind)} "${name}" was there at neither moment`)
      return { kind, namespace, name, before, after }
    }),
  )
  return showDifferences(session, pairs, flags)
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
  const query = {
    dryRun: 'All',
    // What apply would refuse shows no difference either.
    fieldValidation: 'Strict',
    fieldManager: fieldManager ?? (serverSide ? 'kubectl' : 'kubectl-client-side-apply'),
  }
  const path = pathOf(kind, namespace, wanted.metadata.name)
  if (serverSide)
    return session.json<NamedObject>('PATCH', path, {
      query: { ...query, force: String(forceConflicts ?? false) },
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify(wanted),
    })
  if (!live) return session.json<NamedObject>('POST', pathOf(kind, namespace), { query, body: JSON.stringify(wanted) })
  const schema = schemaOf(kind)
  // An apply remembers that there were none: without this, the one it has added would seem to go.
  const noted = { ...wanted, metadata: { ...wanted.metadata, annotations: wanted.metadata.annotations ?? {} } }
  const patch = threeWayPatch(lastApplied(live), noted, live, schema)
  if (Object.keys(patch).length === 0) return live
  return session.json<NamedObject>('PATCH', path, {
    query,
    headers: { 'content-type': `application/${schema ? 'strategic-merge' : 'merge'}-patch+json` },
    body: JSON.stringify(patch),
  })
}
