import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { Client } from '../client/client.ts'
import { systemClock } from '../client/clock.ts'
import { loadConfig } from '../client/config.ts'
import { runController } from '../client/controller.ts'
import { EventRecorder } from '../client/events.ts'
import { memoryKeeper } from '../client/give-back.ts'
import { InformerFactory } from '../client/informer.ts'
import { runLeaderElection } from '../client/leader-election.ts'
import { type Logger, makeLogger } from '../client/logger.ts'
import { announceReady } from '../client/ready.ts'
import { accountsOf } from './accounts.ts'
import { configHelp, type ManagerConfig, parseConfig } from './config.ts'
import { controllers } from './manager.ts'
import { ManagerMetrics } from './metrics.ts'
import { selectControllers } from './selection.ts'
import { startManagerServer } from './server.ts'
import type { ControllerEntry } from './types.ts'

/**
 * `gantry controller-manager`: runs the controllers until it is told to stop, or until it loses the lease. Resolves to the
 * exit code: 0 after a clean stop, 1 when another leads now or something failed, 2 for flags that make no sense.
 */
export async function runControllerManager(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(configHelp())
    return 0
  }
  let config: ManagerConfig
  let entries: ControllerEntry[]
  let client: Client
  try {
    config = parseConfig(args)
    entries = selectControllers(controllers, config.controllers)
    client = new Client({
      ...loadConfig(config.kubeconfig === '' ? {} : { kubeconfig: config.kubeconfig }),
      userAgent: 'gantry-controller-manager',
    })
  } catch (error) {
    process.stderr.write(`gantry controller-manager: ${(error as Error).message}\n`)
    return 2
  }
  const log = makeLogger('controller-manager', config.verbosity >= 4 ? 'debug' : 'info')
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      process.once(name, () => process.exit(1))
      log.info({ signal: name }, 'stopping')
      stop.abort(new Error(`stopped by ${name}`))
    })
  }
  try {
    return await serve(config, entries, client, log, stop.signal)
  } catch (error) {
    log.error({ err: error }, (error as Error).message)
    return 1
  }
}

async function serve(
  config: ManagerConfig,
  entries: readonly ControllerEntry[],
  client: Client,
  log: Logger,
  signal: AbortSignal,
): Promise<number> {
  const metrics = new ManagerMetrics()
  const lead = async (leading: AbortSignal) => {
    metrics.leading(config.leaseName, true)
    try {
      await runControllers(config, entries, client, metrics, log, leading)
    } finally {
      metrics.leading(config.leaseName, false)
    }
  }
  const { bindAddress: address, securePort: port } = config
  const checks = [{ name: 'ping', check: () => undefined }]
  const server = port === 0 ? undefined : await startManagerServer({ address, port, metrics, checks })
  try {
    if (!config.leaderElect) await lead(signal)
    else {
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
          // To stand by is the work of all but one.
          if (leader !== identity) announceReady()
        },
        onError: (error) => log.warn({ err: (error as Error).message }, 'the lease could not be taken or renewed'),
      })
    }
  } finally {
    await server?.stop()
  }
  if (signal.aborted) {
    log.info('stopped')
    return 0
  }
  log.error('leading has ended: another may lead now, so this process must not go on')
  return 1
}

/** Fills the caches and lets all controllers work; resolves when the signal has fired and they have ended. */
async function runControllers(
  config: ManagerConfig,
  entries: readonly ControllerEntry[],
  client: Client,
  metrics: ManagerMetrics,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  // Every cache and every queue listens to it.
  setMaxListeners(0, signal)
  const informers = new InformerFactory(client, {
    onError: (error, what) => log.warn({ what, err: (error as Error).message }, 'a watch has failed, trying again'),
  })
  const options = { ...config.options, apiServerCa: client.config.ca?.toString() ?? '' }
  const giveBack = memoryKeeper()
  let keeper: NodeJS.Timeout | undefined
  const recorders: EventRecorder[] = []
  const accounts = accountsOf(client, config.useServiceAccountCredentials)
  const running = entries.flatMap((entry) => {
    const api = accounts.of(entry)
    const events = new EventRecorder(api, { component: entry.component ?? entry.name })
    recorders.push(events)
    return entry.make({ api, informers, events, clock: systemClock, log, metrics: metrics.registry, options })
  })
  for (const controller of running) metrics.observe(controller)
  try {
    await informers.start(signal)
    if (signal.aborted) return
    keeper = setInterval(giveBack, 10_000).unref()
    log.info({ controllers: entries.map(({ name }) => name) }, 'controllers started')
    announceReady()
    await Promise.all(running.map((controller) => runController(controller, { signal, log })))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearInterval(keeper)
    for (const events of recorders) await events.stop()
    accounts.close()
  }
}
