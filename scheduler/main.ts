import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { Client } from '../client/client.ts'
import { systemClock } from '../client/clock.ts'
import { loadConfig } from '../client/config.ts'
import { EventRecorder } from '../client/events.ts'
import { InformerFactory } from '../client/informer.ts'
import { runLeaderElection } from '../client/leader-election.ts'
import { type Logger, makeLogger } from '../client/logger.ts'
import { announceReady } from '../client/ready.ts'
import { ConfigurationError, configHelp, type FromFile, parseConfig, type SchedulerConfig } from './config.ts'
import { given } from './given.ts'
import { SchedulerMetrics } from './metrics.ts'
import { Scheduler, type SchedulerOptions } from './scheduler.ts'
import { startServer } from './server.ts'

/** What happened last is still told, but nobody waits long for it. */
const longestFarewellMs = 500

/**
 * `gantry scheduler`: schedules until it is told to stop, or until it loses the lease. Resolves to the exit code: 0 after a
 * clean stop, 1 when another leads now or something failed, 2 for flags that make no sense.
 */
export async function runScheduler(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(configHelp())
    return 0
  }
  let config: SchedulerConfig
  let client: Client
  let file: Configured = {}
  try {
    config = parseConfig(args)
    if (config.configFile !== '') {
      const read = await readFile(config.configFile)
      file = read
      config = parseConfig(args, read)
    }
    const source = config.kubeconfig === '' ? {} : { kubeconfig: config.kubeconfig }
    // Bindings come in bursts; what connections cost is not kept for the next.
    client = new Client({ ...loadConfig(source), userAgent: 'gantry-scheduler' }, { maxSockets: 16 })
  } catch (error) {
    process.stderr.write(`gantry scheduler: ${(error as Error).message}\n`)
    return 2
  }
  const log = makeLogger('scheduler', config.verbosity >= 4 ? 'debug' : 'info')
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      process.once(name, () => process.exit(1))
      log.info({ signal: name }, 'stopping')
      stop.abort(new Error(`stopped by ${name}`))
    })
  }
  try {
    return await serve(config, file, client, log, stop.signal)
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(`gantry scheduler: ${config.configFile}: ${error.message}\n`)
      return 2
    }
    log.error({ err: error }, (error as Error).message)
    return 1
  }
}

/** What a configuration file makes of the scheduler. */
type Configured = Pick<SchedulerOptions, 'profiles' | 'extenders' | 'initialBackoffMs' | 'maxBackoffMs'>

/** Loaded late: most schedulers run without a file. */
async function readFile(path: string): Promise<Configured & FromFile> {
  const { readConfiguration } = await import('./configuration/read.ts')
  const { assembleProfile } = await import('./configuration/assemble.ts')
  const { newHttpExtender } = await import('./extenders/http-extender.ts')
  const { kubeconfig, leaderElection, initialBackoffMs, maxBackoffMs, ...file } = readConfiguration(path)
  return {
    kubeconfig,
    leaderElection,
    initialBackoffMs,
    maxBackoffMs,
    profiles: file.profiles.map(assembleProfile),
    extenders: file.extenders.map(newHttpExtender),
  }
}

async function serve(
  config: SchedulerConfig,
  { profiles, extenders, initialBackoffMs, maxBackoffMs }: Configured,
  client: Client,
  log: Logger,
  signal: AbortSignal,
): Promise<number> {
  // Ends with the leading as well: whoever may not schedule has nothing to follow the cluster for.
  const ended = new AbortController()
  const following = AbortSignal.any([signal, ended.signal])
  setMaxListeners(0, following)
  const metrics = new SchedulerMetrics()
  const recorders = new Map<string, EventRecorder>()
  const eventsOf = (component: string): EventRecorder => {
    const known = recorders.get(component) ?? new EventRecorder(client, { component })
    recorders.set(component, known)
    return known
  }
  const informers = new InformerFactory(client, {
    onError: (error, what) => log.warn({ what, err: (error as Error).message }, 'a watch has failed, trying again'),
  })
  const { maxUnschedulableMs } = config
  const scheduler = new Scheduler({
    api: client,
    informers,
    eventsOf,
    clock: systemClock,
    log,
    metrics,
    maxUnschedulableMs,
    takesOver: config.leaderElect,
    ...given({ profiles, extenders, initialBackoffMs, maxBackoffMs }),
  })
  let isSynced = false
  const server = config.securePort === 0 ? undefined : await startReporting(config, scheduler, metrics, () => isSynced)
  const synced = informers.start(following).then(() => {
    isSynced = true
  })
  const lead = async (leading: AbortSignal) => {
    setMaxListeners(0, leading)
    metrics.leading(config.leaseName, true)
    await Promise.race([synced, firing(leading)]).catch((error: unknown) => {
      if (!leading.aborted) throw error
    })
    if (leading.aborted) return
    log.info({ nodes: scheduler.cache.nodes.length, pending: scheduler.queue.sizes().active }, 'scheduling')
    announceReady()
    await scheduler.run(leading).finally(() => metrics.leading(config.leaseName, false))
  }
  try {
    if (config.leaderElect) await leadWhenElected(config, client, log, metrics, signal, lead)
    else await lead(signal)
  } finally {
    await Promise.all([...recorders.values()].map((events) => events.flush(longestFarewellMs)))
    ended.abort(new Error('no longer leading'))
    await server?.stop()
  }
  if (signal.aborted) {
    log.info('stopped')
    return 0
  }
  log.error('leading has ended: another may lead now, so this process must not go on')
  return 1
}

const firing = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

function startReporting(
  config: SchedulerConfig,
  scheduler: Scheduler,
  metrics: SchedulerMetrics,
  isSynced: () => boolean,
) {
  const { bindAddress: address, securePort: port } = config
  const ready = { 'informer-sync': () => (isSynced() ? undefined : 'the first lists are not in yet') }
  return startServer({ address, port, metrics, ready, why: (...pod) => scheduler.why(...pod) })
}

/** Those that stand by keep their caches warm, so that whoever takes over starts at once. */
async function leadWhenElected(
  config: SchedulerConfig,
  client: Client,
  log: Logger,
  metrics: SchedulerMetrics,
  signal: AbortSignal,
  lead: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const identity = `${hostname()}_${randomUUID()}`
  metrics.leading(config.leaseName, false)
  await runLeaderElection({
    api: client,
    name: config.leaseName,
    namespace: config.leaseNamespace,
    identity,
    leaseDurationMs: config.leaseDurationMs,
    renewDeadlineMs: config.renewDeadlineMs,
    retryPeriodMs: config.retryPeriodMs,
    signal,
    onStarted: lead,
    onNewLeader: (leader) => {
      log.info({ leader }, leader === identity ? 'leading' : 'another leads')
      if (leader !== identity) announceReady()
    },
    onError: (error) => log.warn({ err: (error as Error).message }, 'the lease could not be taken or renewed'),
  })
}
