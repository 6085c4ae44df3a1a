import type { Command } from 'commander'
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../api/generated/types.ts'
import { formatTime } from '../api/machinery/time.ts'
import type { Live } from '../client/types.ts'
import { lastApplied } from './apply/last-applied.ts'
import { changeText } from './changing.ts'
import { templateLines } from './describe/pod-template.ts'
import { type DryRun, dryRunOption, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addFileFlags, areGiven, parseDuration } from './flags.ts'
import { kindName } from './kinds.ts'
import type { NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { type Output, parseOutput, printObject } from './print/printer.ts'
import { alignTabs } from './print/tabs.ts'
import { controllerRevisionsOf, isAt, revisionToRestore, templateOfRevision } from './rollout/controller-revisions.ts'
import { progressOf } from './rollout/progress.ts'
import { changeCause, revisionsOf, rollbackPatch, rollbackTarget } from './rollout/revisions.ts'
import type { Session } from './session.ts'
import { type SubjectFlags, subjectsGiven } from './subjects.ts'
import { inTime } from './until.ts'
import type { Verb } from './verb.ts'
import { watchKind } from './watch.ts'
import { isDeployment, patchSubject, type Subject, templateOf } from './workloads.ts'

type SubVerb<F> = Verb<F> & { summary: string }

/** `-f`, `-k`, `-R` and `-l`. */
const addWhichFlags = (command: Command): Command =>
  addFileFlags(command).option('-l, --selector <labels>', 'the objects with these labels')

interface ChangeFlags extends SubjectFlags, OutputFlags {
  fieldManager?: string
}

const addRolloutFlags = (command: Command): Command =>
  addOutputFlags(addWhichFlags(command)).option('--field-manager <name>', 'who owns the fields')

/** As in kubectl, a kind that stands alone means all of its objects in the namespace. */
async function subjectsOf(session: Session, args: readonly string[], flags: SubjectFlags): Promise<Subject[]> {
  if (args.length === 0 && !areGiven(flags))
    throw new CliError('required resource not specified: write deployment/NAME')
  const subjects = await subjectsGiven(session, args, { ...flags, all: true })
  if (subjects.length === 0) session.io.err(`No resources found in ${session.namespace} namespace.\n`)
  return subjects
}

function deploymentOnly(subject: Subject, what: string): Live<Deployment> {
  if (isDeployment(subject)) return subject.object as Live<Deployment>
  throw unsupported(subject, what)
}

const unsupported = ({ kind, object }: Subject, what: string): CliError =>
  new CliError(`${kind.plural}.${kind.group} "${object.metadata.name}" ${what} is not supported`)

/** Those whose revisions are objects of their own. */
const isRevised = ({ kind }: Subject): boolean =>
  kind.group === 'apps' && (kind.kind === 'StatefulSet' || kind.kind === 'DaemonSet')

const status: SubVerb<SubjectFlags & { watch: boolean; timeout?: string; revision?: string }> = {
  summary: 'show how far a rollout is, until it is done',
  usage: 'TYPE/NAME',
  examples: ['gantry rollout status deployment/web --timeout=60s'],
  define: (command: Command) =>
    void addWhichFlags(command)
      .option('-w, --watch', 'until it is done', true)
      .option('--no-watch', 'only how far it is now')
      .option('--timeout <duration>', 'how long to wait')
      .option('--revision <n>', 'only while this revision is the one rolled out'),
  async run(session, args, flags) {
    const limitMs = flags.timeout ? parseDuration(flags.timeout) : 0
    if (limitMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
    let current: Subject | undefined
    const following = (async () => {
      for (const subject of await subjectsOf(session, args, flags)) {
        current = subject
        await follow(session, subject, flags.watch, Number(flags.revision ?? 0))
      }
    })()
    try {
      if (!(await inTime(session, following, limitMs || Number.POSITIVE_INFINITY)))
        throw new CliError('timed out waiting for the condition')
    } catch (error) {
      throw current && error instanceof CliError ? await withHint(session, current, error) : error
    }
    return 0
  },
}

/** The same with what keeps the pods of the workload from getting on, where that can be said. */
async function withHint(session: Session, { object }: Subject, error: CliError): Promise<CliError> {
  const { workloadHint } = await import('./describe/workload-hint.ts')
  const { surroundings } = await import('./describe/describe-object.ts')
  const hint = await workloadHint(object, surroundings(session)).catch(() => undefined)
  return hint ? new CliError(`${error.message}\nHint: ${hint}`) : error
}

async function follow(session: Session, subject: Subject, watch: boolean, revision: number): Promise<void> {
  const show = (object: NamedObject): boolean => {
    const { message, done } = progressOf({ ...subject, object }, revision)
    session.io.out(`${message}\n`)
    return done
  }
  const { metadata } = subject.object
  if (show(subject.object) || !watch) return
  await watchKind<NamedObject>(
    session,
    subject.kind,
    { namespace: metadata.namespace, fieldSelector: `metadata.name=${metadata.name}` },
    {
      resourceVersion: metadata.resourceVersion ?? '',
      onEvent: (type, object) => {
        if (type === 'DELETED') throw new CliError('object has been deleted')
        return show(object)
      },
    },
  )
}

const history: SubVerb<SubjectFlags & OutputFlags & { revision?: string }> = {
  summary: 'show the revisions there have been',
  usage: 'TYPE/NAME',
  examples: ['gantry rollout history deployment/web', 'gantry rollout history deployment/web --revision=2'],
  define: (command: Command) =>
    void addOutputFlags(addWhichFlags(command), 'the revision as yaml or json').option(
      '--revision <n>',
      'what this revision was',
    ),
  async run(session, args, { revision, ...flags }) {
    const output = await parseOutput(flags)
    for (const subject of await subjectsOf(session, args, flags)) {
      const revisions = await historyOf(session, subject)
      const wanted = Number(revision ?? 0)
      const name = `${kindName(subject.kind)}/${subject.object.metadata.name}`
      if (wanted > 0) {
        const found = revisions.get(wanted)
        if (!found) throw new CliError('unable to find the specified revision')
        session.io.out(
          output.type === 'table'
            ? `${name} with revision #${wanted}\n${revisionText(found)}\n`
            : printObject(output, found.object),
        )
        continue
      }
      if (revisions.size === 0) session.io.out(`${name}\nNo rollout history found.\n\n`)
      else {
        const rows = [
          'REVISION\tCHANGE-CAUSE',
          ...Array.from(revisions, ([number, { object }]) => `${number}\t${changeCause(object)}`),
        ]
        session.io.out(`${name} \n${alignTabs(rows.join('\n'), { padding: 2 })}\n\n`)
      }
    }
    return 0
  },
}

/** What keeps a revision, and the pod template it is of. */
interface Kept {
  object: NamedObject
  template: PodTemplateSpec
}

async function historyOf(session: Session, subject: Subject): Promise<Map<number, Kept>> {
  if (isDeployment(subject)) {
    const sets = await revisionsOf(session, subject.object as Live<Deployment>)
    const kept = (set: Live<ReplicaSet>): Kept => ({ object: set as NamedObject, template: set.spec?.template ?? {} })
    return new Map([...sets].map(([number, set]) => [number, kept(set)]))
  }
  if (!isRevised(subject)) throw unsupported(subject, 'history')
  const revisions = await controllerRevisionsOf(session, subject)
  return new Map(
    [...revisions].map(([number, each]) => [
      number,
      { object: each as unknown as NamedObject, template: templateOfRevision(each) },
    ]),
  )
}

/** The template of a revision as it is described, with what led to it. */
function revisionText({ object, template }: Kept): string {
  const cause = object.metadata.annotations?.['kubernetes.io/change-cause']
  const annotations = { ...template?.metadata?.annotations, ...(cause ? { 'kubernetes.io/change-cause': cause } : {}) }
  const lines = templateLines({ ...template, metadata: { ...template?.metadata, annotations } })
  return `${alignTabs(lines.join('\n'), { padding: 2 })}\n`
}

const undo: SubVerb<SubjectFlags & OutputFlags & { toRevision?: string; dryRun?: string }> = {
  summary: 'go back to an earlier revision',
  usage: 'TYPE/NAME',
  examples: ['gantry rollout undo deployment/web', 'gantry rollout undo deployment/web --to-revision=3'],
  define: (command: Command) =>
    void addOutputFlags(addWhichFlags(command))
      .option('--to-revision <n>', 'to this one; 0 for the one before')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    const dryRun = parseDryRun(flags.dryRun)
    const wanted = Number(flags.toRevision ?? 0)
    if (!Number.isInteger(wanted) || wanted < 0)
      throw new CliError(`revision must be a positive integer: ${flags.toRevision}`)
    const output = await parseOutput(flags)
    for (const subject of await subjectsOf(session, args, flags)) {
      warnOfApply(session, subject)
      const back = isRevised(subject)
        ? await restore(session, subject, wanted, dryRun)
        : await rollBack(session, subject, wanted, dryRun)
      const done =
        back.skipped === undefined
          ? 'rolled back'
          : `skipped rollback (current template already matches revision ${back.skipped})`
      if (back.template && output.type === 'table') {
        const text = alignTabs(templateLines(back.template).join('\n'), { padding: 2 })
        session.io.out(`${kindName(subject.kind)}/${subject.object.metadata.name} ${text}\n${dryRunSuffix(dryRun)}\n`)
      } else session.io.out(changeText(output, back.object, done, back.skipped === undefined ? dryRun : 'none'))
    }
    return 0
  },
}

/** The next `apply` of an unchanged file would find nothing to do, and bring nothing back. */
function warnOfApply(session: Session, { kind, object }: Subject): void {
  if (lastApplied(object))
    session.io.err(
      `Warning: resource ${kind.plural}/${object.metadata.name} was previously managed with 'apply', and what was applied last is not rolled back: bring your files to the same state before you apply them again\n`,
    )
}

/** What an object has become, or the revision that it is at already. */
interface Back {
  object: NamedObject
  skipped?: string
  /** What its pods would be like again, where nothing is sent. */
  template?: PodTemplateSpec
}

async function rollBack(session: Session, subject: Subject, wanted: number, dryRun: DryRun): Promise<Back> {
  const deployment = deploymentOnly(subject, 'rollback')
  if (deployment.spec?.paused)
    throw new CliError(
      `you cannot rollback a paused deployment; resume it first with 'gantry rollout resume deployment/${deployment.metadata.name}' and try again`,
    )
  const target = rollbackTarget(await revisionsOf(session, deployment), wanted)
  const patch = rollbackPatch(deployment, target)
  if (!patch)
    return {
      object: subject.object,
      skipped: String(target.metadata.annotations?.['deployment.kubernetes.io/revision']),
    }
  if (dryRun === 'client') return { object: subject.object, template: target.spec?.template ?? {} }
  return {
    object: await patchSubject(session, subject, patch, { type: 'json', manager: 'kubectl-rollout', dryRun }),
  }
}

/** Of stateful and daemon sets a revision is a patch: it is applied. */
async function restore(session: Session, subject: Subject, wanted: number, dryRun: DryRun): Promise<Back> {
  const revision = revisionToRestore(await controllerRevisionsOf(session, subject), wanted)
  if (isAt(subject, revision)) return { object: subject.object, skipped: String(revision.revision) }
  if (dryRun === 'client') return { object: subject.object, template: templateOfRevision(revision) }
  return {
    object: await patchSubject(session, subject, revision.data as object, { manager: 'kubectl-rollout', dryRun }),
  }
}

/** Tells of each object what a change has made of it; one that is refused keeps nobody from the others. */
async function changeEach(
  session: Session,
  args: readonly string[],
  flags: ChangeFlags,
  done: string,
  patchOf: (subject: Subject) => object,
): Promise<number> {
  const output: Output = await parseOutput(flags)
  let failed = false
  for (const subject of await subjectsOf(session, args, flags)) {
    try {
      const manager = flags.fieldManager ?? 'kubectl-rollout'
      const changed = await patchSubject(session, subject, patchOf(subject), { manager })
      session.io.out(changeText(output, changed, done, 'none'))
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      session.io.err(`error: ${error.message}\n`)
      failed = true
    }
  }
  return failed ? 1 : 0
}

const pausing = (paused: boolean): SubVerb<ChangeFlags> => ({
  summary: paused ? 'make no changes of the template take effect for now' : 'let them take effect again',
  usage: 'TYPE/NAME',
  examples: [`gantry rollout ${paused ? 'pause' : 'resume'} deployment/web`],
  define: (command) => void addRolloutFlags(command),
  run: (session, args, flags) =>
    changeEach(session, args, flags, paused ? 'paused' : 'resumed', (subject) => {
      const { spec, metadata } = deploymentOnly(subject, paused ? 'pausing' : 'resuming')
      if (Boolean(spec?.paused) === paused)
        throw new CliError(
          `${subject.kind.plural}.${subject.kind.group} "${metadata.name}" is ${paused ? 'already paused' : 'not paused'}`,
        )
      return { spec: { paused: paused || null } }
    }),
})

const restart: SubVerb<ChangeFlags> = {
  summary: 'replace all pods, one after the other',
  usage: 'TYPE/NAME',
  examples: ['gantry rollout restart deployment/web', 'gantry rollout restart deployment -l app=web'],
  define: (command) => void addRolloutFlags(command),
  run: (session, args, flags) =>
    changeEach(session, args, flags, 'restarted', ({ kind, object }) => {
      if (!templateOf(object))
        throw new CliError(`${kind.plural}/${object.metadata.name} has no pod template to restart`)
      if ((object.spec as { paused?: boolean }).paused)
        throw new CliError("can't restart paused deployment (run rollout resume first)")
      const annotations = { 'kubectl.kubernetes.io/restartedAt': formatTime(session.clock.now()) }
      return { spec: { template: { metadata: { annotations } } } }
    }),
}

export const rollout: Verb = {
  usage: 'COMMAND TYPE/NAME',
  examples: ['gantry rollout status deployment/web'],
  run: async () => 1,
  verbs: { status, history, undo, pause: pausing(true), resume: pausing(false), restart },
}
