import type { Command } from 'commander'
import type { Node, Pod } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'
import type { Live } from '../client/types.ts'
import { setSchedulable } from './cordon.ts'
import { evictPods } from './drain/evict.ts'
import { type DrainPlan, planDrain } from './drain/plan.ts'
import { type DryRun, dryRunOption, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { parseDuration } from './flags.ts'
import { listObjects } from './objects.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'
import { readSubjects, type Subject } from './workloads.ts'

interface DrainFlags {
  selector?: string
  podSelector?: string
  ignoreDaemonsets?: boolean
  deleteEmptydirData?: boolean
  force?: boolean
  disableEviction?: boolean
  gracePeriod: string
  timeout: string
  skipWaitForDeleteTimeout: string
  dryRun?: string
}

export const drain: Verb<DrainFlags> = {
  usage: 'NODE',
  examples: ['gantry drain node-1 --ignore-daemonsets', 'gantry drain node-1 --force --delete-emptydir-data'],
  define: (command: Command) =>
    void command
      .option('-l, --selector <labels>', 'the nodes with these labels')
      .option('--pod-selector <labels>', 'only the pods with these labels')
      .option('--ignore-daemonsets', 'leave the pods of daemon sets where they are')
      .option('--delete-emptydir-data', 'also pods whose emptyDir volumes go with them')
      .option('--force', 'also pods that no controller would make again')
      .option('--disable-eviction', 'delete, whatever disruption budgets say')
      .option('--grace-period <seconds>', 'how long pods may take to end; negative for what they say themselves', '-1')
      .option('--timeout <duration>', 'how long to try; 0 without end', '0s')
      .option('--skip-wait-for-delete-timeout <seconds>', 'do not wait for pods that have been going for so long', '0')
      .option('--chunk-size <n>', 'objects to ask for at once; 0 for all')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (args.length === 0 && !flags.selector)
      throw new CliError("USAGE: drain NODE [flags]\nSee 'gantry drain -h' for help and examples")
    if (args.length > 0 && flags.selector)
      throw new CliError('error: cannot specify both a node name and a --selector option')
    const timeoutMs = parseDuration(flags.timeout)
    if (timeoutMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
    const dryRun = parseDryRun(flags.dryRun)
    const selection = flags.selector ? { labelSelector: flags.selector } : {}
    const nodes = await readSubjects(session, ['nodes', ...args], selection)
    for (const node of nodes) await setSchedulable(session, node, false, { dryRun, word: 'cordon' })
    const fatal: string[] = []
    const pending: string[] = []
    for (const node of nodes) {
      const { name } = node.object.metadata
      try {
        await drainOne(session, node, flags, dryRun, timeoutMs)
        session.io.out(`node/${name} drained${dryRunSuffix(dryRun)}\n`)
      } catch (error) {
        if (!(error instanceof CliError || error instanceof StatusError)) throw error
        const reasons = error instanceof Refused ? error.reasons : [error.message]
        const why = reasons.length > 1 ? `[${reasons.join(', ')}]` : reasons[0]
        session.io.err(`error: unable to drain node "${name}" due to error: ${why}, continuing command...\n`)
        fatal.push(...reasons)
        pending.push(name)
      }
    }
    if (fatal.length === 0) return 0
    session.io.err(`There are pending nodes to be drained:\n${pending.map((name) => ` ${name}\n`).join('')}`)
    session.io.err(`${fatal.join('\n')}\n`)
    return 1
  },
}

class Refused extends CliError {
  readonly reasons: readonly string[]

  constructor(refusals: DrainPlan['refusals']) {
    const reasons = Array.from(refusals, ([why, pods]) => `cannot delete ${why}: ${pods.join(', ')}`)
    super(reasons.join('\n'))
    this.reasons = reasons
  }
}

async function drainOne(
  session: Session,
  node: Subject & { object: { metadata: Node['metadata'] } },
  flags: DrainFlags,
  dryRun: DryRun,
  timeoutMs: number,
): Promise<void> {
  const pods = (await listObjects(session, (await session.kinds()).named('pods'), {
    fieldSelector: `spec.nodeName=${node.object.metadata.name}`,
    labelSelector: flags.podSelector,
  })) as Live<Pod>[]
  const plan = planDrain(pods, flags)
  if (plan.refusals.size > 0) throw new Refused(plan.refusals)
  if (plan.warnings.size > 0) {
    const texts = Array.from(plan.warnings, ([text, names]) => `${text}: ${names.join(', ')}`)
    session.io.err(`Warning: ${texts.join('; ')}\n`)
  }
  const graceSeconds = Number(flags.gracePeriod)
  if (!Number.isInteger(graceSeconds))
    throw new CliError(`--grace-period must be a number of seconds, not "${flags.gracePeriod}"`)
  await evictPods(session, plan.evict, {
    dryRun,
    byDeletion: Boolean(flags.disableEviction),
    timeoutMs,
    graceSeconds: graceSeconds < 0 ? undefined : graceSeconds,
    skipAfterSeconds: Number(flags.skipWaitForDeleteTimeout),
  })
}
