import { setMaxListeners } from 'node:events'
import type { ObjectReference } from '../api/generated/types.ts'
import type { EventRecorder } from '../client/events.ts'
import type { InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import type { Api, Clock } from '../client/types.ts'
import { Cache } from './cache/cache.ts'
import { connectInformers } from './event-handlers.ts'
import { evictVictims } from './eviction.ts'
import { CycleState } from './framework/cycle-state.ts'
import { FitError } from './framework/fit-error.ts'
import { Framework, type Weighted } from './framework/framework.ts'
import type { PermitWait } from './framework/plugin.ts'
import type { PodInfo } from './framework/pod-info.ts'
import { type Refusal, refusal } from './framework/refusal.ts'
import { given } from './given.ts'
import { newInformerWorld } from './informer-world.ts'
import type { SchedulerMetrics } from './metrics.ts'
import { fitErrorOf, NoNodesError, Placement } from './placement.ts'
import { PodStatusWriter } from './pod-status.ts'
import { defaultProfile, type ProfileContext } from './profile.ts'
import { Nominations } from './queue/nominations.ts'
import type { QueuedPod } from './queue/queued-pod.ts'
import { SchedulingQueue } from './queue/scheduling-queue.ts'

export interface SchedulerOptions {
  api: Api
  informers: InformerFactory
  events: EventRecorder
  clock: Clock
  log: Logger
  metrics: SchedulerMetrics
  /** Pods that name another are left to it. */
  schedulerName?: string
  initialBackoffMs?: number
  maxBackoffMs?: number
  maxUnschedulableMs?: number
  /** Bindings that are made at once; when all are under way, no further pod is scheduled. */
  maxBindings?: number
  plugins?: (context: ProfileContext) => readonly Weighted[]
  random?: () => number
}

const defaultMaxBindings = 32
/** Upstream's limit of what an event may say. */
const longestMessage = 1024
/** Stands in for a plugin where there was no node to ask any about. */
const noNodes = 'NoNodes'

/**
 * Gives every pod that asks for it a node: one pod at a time is compared with the nodes as they are now and is assumed to
 * run on the best from that moment on; binding it, which takes a request, happens beside the scheduling of others.
 */
export class Scheduler {
  readonly cache: Cache
  readonly queue: SchedulingQueue
  readonly #options: SchedulerOptions
  readonly #framework: Framework
  readonly #placement: Placement
  readonly #status: PodStatusWriter
  readonly #latest: (pod: PodInfo) => PodInfo | undefined
  readonly #bindings = new Set<Promise<void>>()
  /** Of the bindings, those that wait for something else first. They stand in nobody's way. */
  #held = 0
  readonly #stopping = new AbortController()

  /** Ask for it before the informers are started. */
  constructor(options: SchedulerOptions) {
    const { api, informers, events, clock, log, metrics, schedulerName = 'default-scheduler' } = options
    this.#options = options
    this.cache = new Cache(clock)
    this.#status = new PodStatusWriter(api, clock, log)
    const nominations = new Nominations()
    const tell = (victim: PodInfo, message: string) => events.event(refOf(victim), 'Normal', 'Preempted', message)
    const weighted = (options.plugins ?? defaultProfile)({
      api,
      cache: this.cache,
      clock,
      world: newInformerWorld(informers),
      stopping: this.#stopping.signal,
      framework: () => this.#framework,
      evict: (preemptor, nodeName, victims) =>
        evictVictims({ api, status: this.#status, tell }, preemptor, nodeName, victims),
      activate: (uid) => this.queue.activate(uid),
      random: options.random ?? Math.random,
      onAttempt: (victims) => metrics.preempted(victims),
    })
    this.#framework = new Framework(weighted, nominations)
    this.#placement = new Placement(this.#framework, this.cache, options.random)
    this.queue = new SchedulingQueue({
      clock,
      nominations,
      plugins: [...this.#framework.plugins, { name: noNodes, hints: [{ on: ['Node/Add'] }] }],
      ...given({
        initialBackoffMs: options.initialBackoffMs,
        maxBackoffMs: options.maxBackoffMs,
        maxUnschedulableMs: options.maxUnschedulableMs,
      }),
      onIncoming: (queue, cause) => metrics.queued(queue, cause),
    })
    this.#latest = connectInformers(informers, {
      cache: this.cache,
      queue: this.queue,
      isOurs: (pod) => pod.schedulerName === schedulerName,
    })
    metrics.observe({
      queues: () => this.queue.sizes(),
      rejected: () => this.queue.rejected(),
      cache: () => ({ nodes: this.cache.nodes.length, pods: this.cache.podCount, assumed: this.cache.assumedCount }),
      binding: () => this.#bindings.size,
    })
  }

  /** Schedules until the signal fires; resolves when what was under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    setMaxListeners(0, this.#stopping.signal)
    signal.addEventListener('abort', () => this.#stopping.abort(signal.reason), { once: true })
    while (!signal.aborted) {
      for (const pod of this.cache.expireAssumed()) {
        this.#options.log.warn({ pod: pod.key, node: pod.nodeName }, 'a bound pod was never confirmed: forgotten')
      }
      const queued = this.queue.next()
      if (queued) {
        this.#scheduleOne(queued)
        await this.#breathe()
      } else await this.queue.wait(signal)
    }
    await Promise.all(this.#bindings)
    await this.#status.flush()
  }

  /** Lets what has arrived be heard, and waits while too many bindings are under way. */
  async #breathe(): Promise<void> {
    const { maxBindings = defaultMaxBindings } = this.#options
    while (this.#bindings.size - this.#held >= maxBindings) await Promise.race(this.#bindings)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  #scheduleOne(queued: QueuedPod): void {
    const { pod } = queued
    if (pod.terminating) {
      this.#tell(pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${pod.key}`)
      return
    }
    if (this.cache.isAssumed(pod.uid)) return
    const startedAt = performance.now()
    const state = new CycleState()
    let nodeName: string
    try {
      const placed = this.#placement.place(state, pod)
      if ('misfit' in placed) {
        const { nominate, message } = this.#framework.postFilter(state, pod, placed.misfit.diagnosis)
        this.#options.metrics.chose(secondsSince(startedAt))
        this.#fail(queued, fitErrorOf(placed.misfit, this.cache.nodes.length, message), startedAt, nominate)
        return
      }
      nodeName = placed.nodeName
    } catch (error) {
      this.#fail(queued, error, startedAt, '')
      return
    }
    this.#options.metrics.chose(secondsSince(startedAt))
    this.#assumeAndBind(queued, state, nodeName, startedAt)
  }

  #assumeAndBind(queued: QueuedPod, state: CycleState, nodeName: string, startedAt: number): void {
    const pod = queued.pod.on(nodeName)
    let waits: (PermitWait & { plugin: string })[] = []
    try {
      this.cache.assume(pod)
      this.queue.nominations.delete(pod.uid)
      const refused = this.#framework.reserve(state, pod, nodeName)
      if (refused) throw refusedBy(refused, nodeName)
      const permit = this.#framework.permit(state, pod, nodeName)
      if ('code' in permit) throw refusedBy(permit, nodeName)
      waits = permit.waits
    } catch (error) {
      this.#undo(state, pod, nodeName)
      this.#fail(queued, error, startedAt, '')
      return
    }
    const binding = this.#bind(queued, pod, state, nodeName, waits, startedAt).finally(() => {
      this.#bindings.delete(binding)
    })
    this.#bindings.add(binding)
  }

  /** Never throws: what fails is told, and the pod is tried again. */
  async #bind(
    queued: QueuedPod,
    pod: PodInfo,
    state: CycleState,
    nodeName: string,
    waits: readonly (PermitWait & { plugin: string })[],
    startedAt: number,
  ): Promise<void> {
    const { clock, log, metrics } = this.#options
    try {
      if (waits.length > 0 || this.#framework.delaysBinding(state, pod, nodeName)) {
        await this.#hold(async () => {
          for (const wait of waits) await this.#permitted(wait, nodeName)
          await this.#framework.preBind(state, pod, nodeName)
        })
      }
      await this.#framework.bind(state, pod, nodeName)
    } catch (error) {
      this.#undo(state, pod, nodeName)
      // What was given up to stop has not failed: the next scheduler goes on with it.
      if (!this.#stopping.signal.aborted) this.#fail(queued, error, startedAt, '')
      return
    }
    this.cache.bindingFinished(pod.uid)
    this.#framework.postBind(state, pod, nodeName)
    metrics.attempted('scheduled', secondsSince(startedAt))
    metrics.bound(queued.attempts, (clock.now() - (queued.firstTriedAt ?? clock.now())) / 1000, queued.flushed)
    log.debug({ pod: pod.key, node: nodeName }, 'bound')
    this.#tell(pod, 'Normal', 'Scheduled', `Successfully assigned ${pod.key} to ${nodeName}`)
  }

  async #hold(work: () => Promise<void>): Promise<void> {
    this.#held++
    try {
      await work()
    } finally {
      this.#held--
    }
  }

  async #permitted({ until, timeoutMs, plugin }: PermitWait & { plugin: string }, nodeName: string): Promise<void> {
    const { clock, metrics } = this.#options
    const startedAt = performance.now()
    const stop = new AbortController()
    const timeout = clock.sleep(timeoutMs, stop.signal).then(
      () => 'timeout' as const,
      () => undefined,
    )
    const outcome = await Promise.race([until, timeout]).finally(() => stop.abort())
    const result = outcome === 'timeout' ? 'timeout' : outcome ? 'rejected' : 'allowed'
    metrics.permitted(result, secondsSince(startedAt))
    if (!outcome) return
    const message = 'rejected due to timeout after waiting'
    const refused =
      outcome === 'timeout'
        ? refusal(plugin, 'Unschedulable', `${message} ${timeoutMs / 1000}s at plugin ${plugin}`)
        : outcome
    throw refusedBy(refused, nodeName)
  }

  /** Takes a pod off the node it was assumed to be on; others may have been waiting for that place. */
  #undo(state: CycleState, pod: PodInfo, nodeName: string): void {
    this.#framework.unreserve(state, pod, nodeName)
    if (!this.cache.forget(pod.uid)) return
    this.queue.moveOn('Pod/Delete', { pod: { before: pod } }, ({ uid }) => uid !== pod.uid)
  }

  /** Tells why a pod has no node, and puts it where it waits for better times. */
  #fail(queued: QueuedPod, error: unknown, startedAt: number, nominate: string | undefined): void {
    const { log, metrics } = this.#options
    const isRefused = error instanceof FitError || error instanceof NoNodesError
    metrics.attempted(isRefused ? 'unschedulable' : 'error', secondsSince(startedAt))
    const message = (error as Error).message
    if (!isRefused) log.error({ pod: queued.pod.key, err: message }, 'a pod could not be scheduled, trying again')
    const pod = this.#latest(queued.pod)
    // It has been deleted, or somebody else has given it a node.
    if (pod?.nodeName !== '') return
    queued.pod = pod
    if (nominate !== undefined) this.queue.nominations.set(pod, nominate)
    this.queue.giveBack(queued, rejectorsOf(error))
    this.#tell(pod, 'Warning', 'FailedScheduling', shortened(message))
    this.#status.write(pod, {
      condition: {
        type: 'PodScheduled',
        status: 'False',
        reason: isRefused ? 'Unschedulable' : 'SchedulerError',
        message,
      },
      ...(nominate !== undefined ? { nominatedNodeName: nominate } : {}),
    })
  }

  #tell(pod: PodInfo, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.events.event(refOf(pod), type, reason, message)
  }
}

function refOf({ namespace, name, uid, pod }: PodInfo): ObjectReference {
  const { resourceVersion } = pod.metadata
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, ...(resourceVersion ? { resourceVersion } : {}) }
}

/** A refusal after the node was chosen: of that one node. */
const refusedBy = (refused: Refusal, nodeName: string): FitError =>
  new FitError({
    nodeCount: 1,
    diagnosis: { perNode: new Map([[nodeName, refused]]) },
    rejectors: new Set(refused.code === 'Pending' ? [] : [refused.plugin]),
    pending: new Set(refused.code === 'Pending' ? [refused.plugin] : []),
  })

function rejectorsOf(error: unknown): { rejectors: ReadonlySet<string>; pending: ReadonlySet<string> } {
  if (error instanceof FitError) return error
  return { rejectors: new Set(error instanceof NoNodesError ? [noNodes] : []), pending: new Set() }
}

const shortened = (message: string): string =>
  message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 4)} ...`

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000
