import type { Command } from 'commander'
import { StatusError } from '../api/machinery/errors.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { isConflict, isInvalid, isNotFound } from '../client/errors.ts'
import { leftOver, parentOf, partOfLabel, readApplySet, writeParent } from './apply/apply-set.ts'
import { applyAtomically } from './apply/atomic.ts'
import { refuseOverwriting } from './apply/conflicts.ts'
import { editLastApplied } from './apply/edit-last-applied.ts'
import { lastApplied, withLastApplied } from './apply/last-applied.ts'
import { type Doomed, kindsToPrune, noLongerApplied, prune } from './apply/prune.ts'
import { setLastApplied } from './apply/set-last-applied.ts'
import { threeWayPatch } from './apply/three-way.ts'
import { viewLastApplied } from './apply/view-last-applied.ts'
import { changeText } from './changing.ts'
import { type DryRun, dryRunOption, dryRunQuery, parseDryRun } from './dry-run.ts'
import { CliError, explain, WhileDoing } from './errors.ts'
import { addFileFlags, areGiven, collectList, type FileFlags, parseDuration } from './flags.ts'
import { type ServedKind, UnknownKind } from './kinds.ts'
import type { ManifestObject } from './manifests.ts'
import { manifestsGiven, selectedBy } from './manifests-given.ts'
import { showPlaces } from './mistakes/show-places.ts'
import { getObject, type NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { type Output, parseOutput } from './print/printer.ts'
import type { Session } from './session.ts'
import { addTakingFlags, propagationOf, type TakingFlags, takeAway } from './take-away.ts'
import { inTime, untilGone } from './until.ts'
import { validationOf } from './validation.ts'
import type { Verb } from './verb.ts'

interface ApplyFlags extends OutputFlags, FileFlags, TakingFlags {
  dryRun?: string
  serverSide?: boolean
  forceConflicts?: boolean
  fieldManager?: string
  validate?: string
  selector?: string
  atomic?: boolean
  prune?: boolean
  applyset?: string
  all?: boolean
  pruneAllowlist?: string[]
  force?: boolean
  overwrite: boolean
  wait?: boolean
  subresource?: string
}

/** An object to apply, and how. */
interface Application {
  kind: ServedKind
  object: NamedObject
  source: string
  namespace: string | undefined
  dryRun: DryRun
  query: Record<string, string>
  flags: ApplyFlags
}

const clientSideManager = 'kubectl-client-side-apply'
const attempts = 5

export const apply: Verb<ApplyFlags> = {
  usage: '-f FILE|DIRECTORY|- | -k DIRECTORY',
  examples: [
    'gantry apply -f web.yaml',
    'gantry apply -f manifests/ -R',
    'cat web.yaml | gantry apply -f -',
    'gantry apply -k overlays/production',
    'gantry apply -f manifests/ --prune --applyset=web    # and delete what is no longer there',
    'gantry apply -f manifests/ --atomic    # all, or nothing',
  ],
  define(command: Command) {
    addOutputFlags(addFileFlags(command))
      .option('--server-side', 'let the server merge, and keep account of who owns which field')
      .option('--force-conflicts', 'with --server-side: take fields over from their owners')
      .option('--field-manager <name>', 'who owns what is applied')
      .option('--validate <how>', 'strict (unknown fields are refused), warn or ignore')
      .option('-l, --selector <labels>', 'only objects with these labels')
      .option('--atomic', 'all objects or none, at once; the server merges')
      .option('--applyset <[TYPE/]NAME>', 'the secret or config map that remembers what is applied together')
      .option('--prune', 'delete what was applied before with the set, or with -l or --all, and is not now')
      .option('--all', 'with --prune: whatever was applied before, whichever labels it has')
      .option('--prune-allowlist <group/version/kind>', 'with -l or --all: only objects of these kinds', collectList)
      .option('--overwrite', 'take back what others have changed since the last apply', true)
      .option('--no-overwrite', 'refuse to')
      .option('--force', 'where a change is refused, delete and make anew')
      .option('--wait', 'until what is pruned is gone')
      .option('--subresource <name>', 'with --server-side: this part, status or scale')
      .addOption(dryRunOption())
    addTakingFlags(command)
  },
  alone: true,
  verbs: {
    'view-last-applied': viewLastApplied,
    'set-last-applied': setLastApplied,
    'edit-last-applied': editLastApplied,
  },
  async run(session, args, flags) {
    if (args.length > 0)
      throw new CliError(`Unexpected args: [${args.join(' ')}]\nSee 'gantry apply -h' for help and examples`)
    if (!areGiven(flags)) throw new CliError('must specify one of -f and -k')
    const dryRun = parseDryRun(flags.dryRun)
    if (flags.forceConflicts && !flags.serverSide) throw new CliError('--force-conflicts only works with --server-side')
    if (dryRun === 'client' && flags.serverSide)
      throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
    const output = await parseOutput(flags)
    const manifests = await manifestsGiven(session.io, flags)
    refuseContradictions(flags, dryRun)
    const chosen = await selectedBy(flags.selector, manifests, 'apply')
    if (flags.applyset || flags.atomic) return applySet(session, chosen, dryRun, flags, output)
    const toPrune = flags.prune ? await kindsToPrune(session, flags.pruneAllowlist) : []
    let failed = false
    const applied: NamedObject[] = []
    for (const manifest of chosen) {
      try {
        const application = await prepare(session, manifest, dryRun, flags)
        const { object, done } = await (flags.serverSide
          ? applyThere(session, application)
          : applyHere(session, application))
        applied.push(object as NamedObject)
        session.io.out(changeText(output, object, done, dryRun))
      } catch (error) {
        // One that fails keeps nobody from the others.
        if (
          session.io.signal.aborted ||
          !(error instanceof StatusError || error instanceof WhileDoing || error instanceof CliError)
        )
          throw error
        session.io.err(explain(error).text)
        await showPlaces(session, error, manifest)
        failed = true
      }
    }
    if (failed) return 1
    if (flags.prune) {
      const going = await noLongerApplied(session, applied, toPrune, flags.selector)
      await pruneAll(session, going, dryRun, flags, output)
    }
    return 0
  },
}

function refuseContradictions(flags: ApplyFlags, dryRun: DryRun): void {
  if (flags.force && flags.serverSide) throw new CliError('--force cannot be used with --server-side')
  if (flags.force && dryRun === 'server') throw new CliError('--dry-run=server cannot be used with --force')
  if (flags.force && flags.prune) throw new CliError('--force cannot be used with --prune')
  if (flags.all && flags.selector) throw new CliError('cannot set --all and --selector at the same time')
  if (flags.subresource && !flags.serverSide)
    throw new CliError('--subresource can only be specified for --server-side')
  if (flags.applyset && !flags.prune) throw new CliError('--applyset requires --prune')
  if (flags.applyset && (flags.all || flags.pruneAllowlist))
    throw new CliError('--all and --prune-allowlist are incompatible with --applyset: the set knows what was applied')
  if (!flags.prune || flags.applyset) return
  if (!flags.all && !flags.selector)
    throw new CliError(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector, or --applyset=NAME for a set that knows what was applied',
    )
  if (flags.serverSide)
    throw new CliError('--prune with labels finds only what was applied without --server-side: use --applyset=NAME')
  if (flags.atomic) throw new CliError('--atomic and --prune need a set: add --applyset=NAME')
}

/** Deletes what is applied no longer, and tells of each. */
async function pruneAll(
  session: Session,
  going: readonly Doomed[],
  dryRun: DryRun,
  flags: ApplyFlags,
  output: Output,
): Promise<void> {
  const grace = Number(flags.gracePeriod ?? -1)
  const limitMs = parseDuration(flags.timeout ?? '0')
  if (limitMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
  const options = {
    propagationPolicy: propagationOf(flags.cascade),
    ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}),
    ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
  }
  for (const doomed of going) {
    if (dryRun !== 'client') await prune(session, doomed, options)
    session.io.out(changeText(output, doomed.object, 'pruned', dryRun))
  }
  if (!flags.wait || dryRun !== 'none') return
  const gone = Promise.all(
    going.map(({ kind, object: { metadata } }) =>
      untilGone(session, { kind, name: metadata.name, namespace: metadata.namespace, uid: metadata.uid }),
    ),
  )
  if (!(await inTime(session, gone, limitMs || Number.POSITIVE_INFINITY)))
    throw new CliError('timed out waiting for what is pruned to be gone: it may have a finalizer')
}

/** Several as one: what the set had before goes, or all happens at once, or both. */
async function applySet(
  session: Session,
  manifests: readonly ManifestObject[],
  dryRun: DryRun,
  flags: ApplyFlags,
  output: Output,
): Promise<number> {
  if (dryRun === 'client') throw new CliError('--atomic and --prune need the server: use --dry-run=server')
  const set = flags.applyset ? await readApplySet(session, flags.applyset) : undefined
  const applications: Application[] = []
  for (const manifest of manifests) {
    const application = await prepare(session, manifest, dryRun, flags)
    const { object } = application
    const labels = set ? { ...object.metadata.labels, [partOfLabel]: set.id } : object.metadata.labels
    applications.push({
      ...application,
      object: { ...object, metadata: { ...object.metadata, ...(labels ? { labels } : {}) } },
    })
  }
  const gone = set ? await leftOver(session, set, applications) : []
  const show = (object: AnyObject, done: string) => session.io.out(changeText(output, object, done, dryRun))
  // Whatever happens on the way, what was applied can be found again.
  if (set && dryRun === 'none') await writeParent(session, parentOf(set, applications, true), set)
  if (flags.atomic) {
    const results = await applyAtomically(
      session,
      applications.map(({ object }) => object),
      gone.map(({ object }) => object),
      { dryRun, fieldManager: flags.fieldManager ?? 'kubectl', force: Boolean(flags.forceConflicts) },
    )
    for (const { operation, object, outcome } of results)
      show(object, operation === 'delete' ? 'pruned' : outcome === 'unchanged' ? 'unchanged' : 'serverside-applied')
  } else {
    for (const application of applications) {
      const { object, done } = await (flags.serverSide ? applyThere : applyHere)(session, application)
      show(object, done)
    }
    for (const doomed of gone) {
      await prune(session, doomed, {
        propagationPolicy: 'Background',
        ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
      })
      show(doomed.object, 'pruned')
    }
  }
  if (set && dryRun === 'none') await writeParent(session, parentOf(set, applications, false), set)
  return 0
}

async function prepare(
  session: Session,
  { object, source }: ManifestObject,
  dryRun: DryRun,
  flags: ApplyFlags,
): Promise<Application> {
  const kind = await kindOf(session, object, source)
  const { name, namespace: own } = object.metadata
  if (!name)
    throw new CliError(
      object.metadata.generateName
        ? `error when applying "${source}": ${kind.kind} has a generateName and no name: it can be created, but not applied`
        : `error when applying "${source}": resource name may not be empty`,
    )
  if (own && session.namespaceGiven && kind.namespaced && own !== session.namespace)
    throw new CliError(
      `the namespace from the provided object "${own}" does not match the namespace "${session.namespace}". You must pass '--namespace=${own}' to perform this operation.`,
    )
  const namespace = kind.namespaced ? own || session.namespace : undefined
  return {
    kind,
    object: { ...object, metadata: { ...object.metadata, name, ...(namespace ? { namespace } : {}) } },
    source,
    namespace,
    dryRun,
    query: {
      fieldManager: flags.fieldManager ?? (flags.serverSide ? 'kubectl' : clientSideManager),
      fieldValidation: validationOf(flags.validate),
      ...dryRunQuery(dryRun),
    },
    flags,
  }
}

/** Kinds that an earlier file has made are known to the server only now. */
async function kindOf(
  session: Session,
  { apiVersion, kind }: ManifestObject['object'],
  source: string,
): Promise<ServedKind> {
  for (let attempt = 0; ; attempt++) {
    try {
      return (await session.kinds()).of(apiVersion, kind)
    } catch (error) {
      if (!(error instanceof UnknownKind)) throw error
      if (attempt > 0) throw new UnknownKind(`resource mapping not found in "${source}": ${error.message}`, error.field)
      session.forgetKinds()
    }
  }
}

type Applied = { object: AnyObject; done: 'created' | 'configured' | 'unchanged' | 'serverside-applied' }

/** The server merges. */
async function applyThere(
  session: Session,
  { kind, object, namespace, query, flags, source }: Application,
): Promise<Applied> {
  const { managedFields: _, ...metadata } = object.metadata
  try {
    const path = pathOf(kind, namespace, object.metadata.name, flags.subresource)
    const applied = await session.json<AnyObject>('PATCH', path, {
      query: { ...query, force: String(flags.forceConflicts ?? false) },
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify({ ...object, metadata }),
    })
    return { object: applied, done: 'serverside-applied' }
  } catch (error) {
    if (!isConflict(error)) throw doing('when applying', source, error)
    throw new CliError(
      `Apply failed: ${(error as Error).message}\nPlease review the fields above--they currently have other managers. Here are the ways you can resolve this warning:\n* If you intend to manage all of these fields, please re-run the apply command with the \`--force-conflicts\` flag.\n* If you do not intend to manage all of the fields, please edit your manifest to remove references to the fields that should keep their current managers.\n* You may co-own fields by updating your manifest to match the existing value; in this case, you'll become the manager if the other manager(s) stop managing the field (remove it from their configuration).\nSee https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`,
    )
  }
}

/** We merge: what was asked for last, what is asked for now, and what is there. */
async function applyHere(session: Session, application: Application): Promise<Applied> {
  const { kind, object, namespace, query, source, dryRun } = application
  const wanted = withLastApplied(object)
  for (let attempt = 1; ; attempt++) {
    try {
      const current = await currentOf(session, application)
      if (!current) {
        if (dryRun === 'client') return { object: wanted, done: 'created' }
        const made = await session
          .json<AnyObject>('POST', pathOf(kind, namespace), { query, body: JSON.stringify(wanted) })
          .catch((error) => Promise.reject(doing('when creating', source, error)))
        return { object: made, done: 'created' }
      }
      if (!lastApplied(current))
        session.io.err(
          `Warning: resource ${kind.plural}/${object.metadata.name} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by gantry apply. gantry apply should only be used on resources created declaratively by either gantry create --save-config or gantry apply. The missing annotation will be patched automatically.\n`,
        )
      const { schemaOf } = await import('./apply/schema-of.ts')
      const schema = schemaOf(kind)
      const patch = threeWayPatch(lastApplied(current), wanted, current, schema)
      if (!application.flags.overwrite) refuseOverwriting(patch, lastApplied(current), current, schema)
      if (Object.keys(patch).length === 0) return { object: current, done: 'unchanged' }
      if (dryRun === 'client') return { object: { ...current, ...wanted }, done: 'configured' }
      const changed = await session.json<AnyObject>('PATCH', pathOf(kind, namespace, object.metadata.name), {
        query,
        headers: { 'content-type': schema ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json' },
        body: JSON.stringify(patch),
      })
      return { object: changed, done: 'configured' }
    } catch (error) {
      const { force } = application.flags
      if (force && dryRun === 'none' && (isInvalid(error) || (isConflict(error) && attempt === attempts)))
        return madeAnew(session, application, wanted)
      if (!isConflict(error) || attempt === attempts) throw doing('when applying patch of', source, error)
      await session.clock.sleep(1000, session.io.signal)
    }
  }
}

/** What cannot be changed is deleted, and made as it is asked for. */
async function madeAnew(
  session: Session,
  { kind, object, namespace, query, source, flags }: Application,
  wanted: AnyObject,
): Promise<Applied> {
  await takeAway(session, { kind, name: object.metadata.name, namespace }, flags)
  const made = await session
    .json<AnyObject>('POST', pathOf(kind, namespace), { query, body: JSON.stringify(wanted) })
    .catch((error) => Promise.reject(doing('when creating', source, error)))
  return { object: made, done: 'configured' }
}

async function currentOf(
  session: Session,
  { kind, object, namespace, source }: Application,
): Promise<NamedObject | undefined> {
  try {
    return await getObject(session, kind, object.metadata.name, namespace)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw doing('when retrieving current configuration of', source, error)
  }
}

const doing = (what: string, source: string, error: unknown): unknown =>
  error instanceof StatusError ? new WhileDoing(`${what} "${source}"`, error) : error
