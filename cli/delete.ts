import type { Command } from 'commander'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { isNotFound } from '../client/errors.ts'
import { type DryRun, dryRunOption, parseDryRun } from './dry-run.ts'
import { CliError, explain } from './errors.ts'
import { keptBy } from './finalizers.ts'
import { addFileFlags, areGiven, optionalValue, parseDuration } from './flags.ts'
import { kindName } from './kinds.ts'
import { getObject } from './objects.ts'
import { placesGiven } from './places.ts'
import { sendRaw } from './raw.ts'
import type { Session } from './session.ts'
import type { SubjectFlags } from './subjects.ts'
import { parseTargets } from './targets.ts'
import { inTime, objectAt, type Place, untilGone } from './until.ts'
import type { Verb } from './verb.ts'

interface DeleteFlags extends SubjectFlags {
  gracePeriod?: string
  now?: boolean
  force?: boolean
  wait: boolean
  timeout?: string
  cascade?: string
  ignoreNotFound?: boolean
  output?: string
  dryRun?: string
  interactive?: boolean
  raw?: string
}

const unnamed =
  'You must provide one or more resources by argument or filename: `gantry delete pod NAME`, `gantry delete -f FILE`'
const propagation: Record<string, string> = {
  background: 'Background',
  foreground: 'Foreground',
  orphan: 'Orphan',
  true: 'Background',
  false: 'Orphan',
}

export const deleteVerb: Verb<DeleteFlags> = {
  usage: '(-f FILE | TYPE NAME... | TYPE/NAME... | TYPE -l LABELS | TYPE --all)',
  examples: [
    'gantry delete -f web.yaml',
    'gantry delete pod web-1 --now',
    'gantry delete pods -l app=web --wait=false',
  ],
  define(command: Command) {
    addFileFlags(command)
      .option('-l, --selector <labels>', 'all objects with these labels')
      .option('--field-selector <fields>', 'all objects with these fields')
      .option('--all', 'all objects of the kind, in the namespace')
      .option('-A, --all-namespaces', 'in every namespace')
      .option('--grace-period <seconds>', 'how long pods may take to end; negative for what they say themselves')
      .option('--now', 'the same as --grace-period=1')
      .option('--force', 'with --grace-period=0: do not wait for the node to say that the pod has ended')
      .option('--wait', 'return when they are gone', true)
      .option('--no-wait', 'do not')
      .option('--timeout <duration>', 'how long to wait')
      .addOption(
        optionalValue('--cascade', 'background, foreground or orphan: what becomes of what they own', 'background'),
      )
      .option('--ignore-not-found', 'what is not there is no failure')
      .option('-o, --output <format>', 'name: only the names')
      .option('-i, --interactive', 'show what would go, and ask before')
      .option('--raw <path>', 'send a DELETE to this path of the server, and show the answer')
      .addOption(dryRunOption())
  },
  async run(session, args, flags) {
    if (flags.raw) {
      if (flags.interactive) throw new CliError('--interactive can not be used with --raw')
      if (args.length > 0 || areGiven(flags)) throw new CliError('--raw goes without words and files')
      return sendRaw(session, 'DELETE', flags.raw)
    }
    const graceSeconds = graceOf(flags)
    const dryRun = parseDryRun(flags.dryRun)
    const policy = propagation[flags.cascade ?? 'background']
    if (!policy)
      throw new CliError(`invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan"`)
    if (flags.output && flags.output !== 'name')
      throw new CliError(`unexpected -o output mode: ${flags.output}. We only support '-o name'`)
    const doomed = await whatGoes(session, args, flags)
    if (doomed.length === 0) {
      session.io.out('No resources found\n')
      return 0
    }
    if (flags.force && graceSeconds === 0)
      session.io.err(
        'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
      )
    if (flags.interactive && !(await agreed(session, doomed))) {
      session.io.out('deletion is cancelled\n')
      return 0
    }
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: policy,
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
      ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
    }
    let failed = false
    const going: (Place & { uid: string | undefined })[] = []
    for (const one of doomed) {
      try {
        const answer =
          dryRun === 'client'
            ? await getObject(session, one.kind, one.name, one.namespace)
            : await remove(session, one, body)
        session.io.out(
          flags.output === 'name'
            ? `${kindName(one.kind)}/${one.name}\n`
            : told(one, { graceSeconds, flags, dryRun, all: doomed }),
        )
        going.push({ ...one, uid: answer.metadata?.uid ?? (answer as { details?: { uid?: string } }).details?.uid })
      } catch (error) {
        if (isNotFound(error) && (flags.ignoreNotFound || flags.all || flags.selector)) continue
        if (!isNotFound(error)) throw error
        session.io.err(explain(error).text)
        session.io.err(await (await import('./mistakes/in-names.ts')).nameHint(session, error))
        failed = true
      }
    }
    if (flags.wait && dryRun === 'none' && !(await allGone(session, going, flags))) failed = true
    return failed ? 1 : 0
  },
}

/** Only a y says yes. */
async function agreed(session: Session, doomed: readonly Place[]): Promise<boolean> {
  const names = doomed.map(({ kind, name }) => `${kindName(kind)}/${name}`)
  session.io.out(
    `You are about to delete the following ${names.length} resource(s):\n${names.join('\n')}\nDo you want to continue? (y/N): `,
  )
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: session.io.stdin })
  for await (const line of lines) {
    lines.close()
    return /^\s*y\s*$/i.test(line)
  }
  return false
}

/** Seconds of grace; undefined for what each object says itself. */
function graceOf({ gracePeriod, now, force }: DeleteFlags): number | undefined {
  if (gracePeriod !== undefined && !/^-?\d+$/.test(gracePeriod))
    throw new CliError(`--grace-period must be a number of seconds, not "${gracePeriod}"`)
  const seconds = gracePeriod === undefined ? -1 : Number(gracePeriod)
  if (now && seconds >= 0) throw new CliError('--now and --grace-period cannot be specified together')
  if (force && seconds > 0) throw new CliError('--force and --grace-period greater than 0 cannot be specified together')
  if (now) return 1
  if (force) return 0
  // Zero is a forced deletion, and that has to be asked for by name.
  if (seconds === 0) return 1
  return seconds < 0 ? undefined : seconds
}

async function whatGoes(session: Session, args: readonly string[], flags: DeleteFlags): Promise<Place[]> {
  const isNamed = !areGiven(flags) && args.length > 0 && parseTargets(args, await session.kinds()).type === 'named'
  if (isNamed && (flags.all || flags.selector))
    throw new CliError('name cannot be provided when a selector is specified')
  return placesGiven(session, args, flags, unnamed)
}

const remove = (session: Session, { kind, name, namespace }: Place, body: object): Promise<AnyObject> =>
  session.json<AnyObject>('DELETE', pathOf(kind, namespace, name), { body: JSON.stringify(body) })

interface Telling {
  graceSeconds: number | undefined
  flags: DeleteFlags
  dryRun: DryRun
  all: readonly Place[]
}

function told({ kind, name, namespace }: Place, { graceSeconds, dryRun, flags }: Telling): string {
  const verb = graceSeconds === 0 && flags.force ? 'force deleted' : 'deleted'
  const where = namespace ? ` from ${namespace} namespace` : ''
  const how = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : ''
  return `${kindName(kind)} "${name}" ${verb}${where}${how}\n`
}

/** Waits until each is gone, or another stands under its name. False when the time is up. */
async function allGone(
  session: Session,
  going: readonly (Place & { uid: string | undefined })[],
  { timeout }: DeleteFlags,
): Promise<boolean> {
  const limitMs = timeout ? parseDuration(timeout) : 0
  if (limitMs === undefined) throw new CliError(`invalid --timeout "${timeout}": write 30s, 2m or 1h`)
  const deadline = limitMs ? session.clock.now() + limitMs : Number.POSITIVE_INFINITY
  for (const one of going) {
    if (await inTime(session, untilGone(session, one), deadline - session.clock.now())) continue
    session.io.err(`error: timed out waiting for the condition on ${one.kind.plural}/${one.name}\n`)
    session.io.err(await whatKeeps(session, one))
    return false
  }
  return true
}

/** Why something that was deleted is still there, where its finalizers say so: they are what people run into. */
async function whatKeeps(session: Session, { kind, name, namespace }: Place): Promise<string> {
  const object = await objectAt(session, { kind, name, namespace })
  const why = object && keptBy(kind, object)
  return why ? `${why[0]?.toUpperCase()}${why.slice(1)}\n` : ''
}
