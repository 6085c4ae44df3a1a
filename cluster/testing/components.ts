import { setMaxListeners } from 'node:events'
import { Client } from '../../client/client.ts'
import type { ClientConfig } from '../../client/config.ts'
import { runController } from '../../client/controller.ts'
import { EventRecorder } from '../../client/events.ts'
import { InformerFactory } from '../../client/informer.ts'
import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import { parseConfig } from '../../controller-manager/config.ts'
import { controllers } from '../../controller-manager/manager.ts'
import { ManagerMetrics } from '../../controller-manager/metrics.ts'
import { selectControllers } from '../../controller-manager/selection.ts'
import { SchedulerMetrics } from '../../scheduler/metrics.ts'
import { Scheduler } from '../../scheduler/scheduler.ts'

export interface ComponentContext {
  config: ClientConfig
  clock: Clock
  log: Logger
  /** Ends it. */
  signal: AbortSignal
}

/** Runs controllers in this process. Resolves when their caches are filled, to what resolves when they have ended. */
export async function startControllers(
  { config, clock, log, signal }: ComponentContext,
  words: readonly string[],
  flags: readonly string[],
): Promise<{ ended: Promise<void> }> {
  const client = new Client({ ...config, userAgent: 'gantry-controller-manager' }, { clock })
  const informers = new InformerFactory(client)
  const metrics = new ManagerMetrics()
  const options = { ...parseConfig(flags).options, apiServerCa: config.ca?.toString() ?? '' }
  const recorders: EventRecorder[] = []
  const running = selectControllers(controllers, words).flatMap((entry) => {
    const events = new EventRecorder(client, { component: entry.component ?? entry.name })
    recorders.push(events)
    return entry.make({ api: client, informers, events, clock, log, metrics: metrics.registry, options })
  })
  await informers.start(signal)
  const working = Promise.all(running.map((controller) => runController(controller, { signal, log })))
  return { ended: settle(working, client, recorders, signal) }
}

/** Runs the scheduler in this process; as {@link startControllers}. */
export async function startScheduler({
  config,
  clock,
  log,
  signal,
}: ComponentContext): Promise<{ ended: Promise<void> }> {
  const client = new Client({ ...config, userAgent: 'gantry-scheduler' }, { clock })
  const informers = new InformerFactory(client)
  const events = new EventRecorder(client, { component: 'default-scheduler' })
  const scheduler = new Scheduler({
    api: client,
    informers,
    eventsOf: () => events,
    clock,
    log,
    metrics: new SchedulerMetrics(),
    maxUnschedulableMs: 300_000,
  })
  setMaxListeners(0, signal)
  await informers.start(signal)
  return { ended: settle(scheduler.run(signal), client, [events], signal) }
}

/** What ends because it was told to has not failed. */
async function settle(
  working: Promise<unknown>,
  client: Client,
  recorders: readonly EventRecorder[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await working
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const events of recorders) await events.stop()
    client.close()
  }
}
