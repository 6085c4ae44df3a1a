import { setMaxListeners } from 'node:events'
import type { ObjectReference } from '../api/generated/types.ts'
import type { EventRecorder } from '../client/events.ts'
import type { InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import type { Api, Clock } from '../client/types.ts'
import { Cache } from './cache/cache.ts'
import { Gangs, gangKey } from './cache/gangs.ts'
import { catchUp } from './catch-up.ts'
import { Decisions, type Kept, refusedNodes, type Why } from './decisions/decisions.ts'
import { judge } from './decisions/judge.ts'
import { remedies } from './decisions/remedies.ts'
import { connectInformers, type PodIdentity } from './event-handlers.ts'
import { evictVictims } from './eviction.ts'
import { extenderPlugin, preemptBy } from './extenders/ask.ts'
import type { Extender } from './extenders/extender.ts'
import { CycleState } from './framework/cycle-state.ts'
import { FitError } from './framework/fit-error.ts'
import { Framework } from './framework/framework.ts'
import { noRefusals, refusalsByName } from './framework/node-refusals.ts'
import type { PermitWait, PostFilterOutcome, QueuePlugin } from './framework/plugin.ts'
import type { PodInfo } from './framework/pod-info.ts'
import { type Refusal, refusal } from './framework/refusal.ts'
import type { World } from './framework/world.ts'
import { given } from './given.ts'
import { newInformerWorld } from './informer-world.ts'
import type { SchedulerMetrics } from './metrics.ts'
import { fitErrorOf, type Misfit, NoNodesError, type PlacedOn, Placement } from './placement.ts'
import { PodStatusWriter } from './pod-status.ts'
import { defaultProfile, type SchedulerProfile } from './profile.ts'
import { Nominations } from './queue/nominations.ts'
import type { QueuedPod } from './queue/queued-pod.ts'
import { SchedulingQueue } from './queue/scheduling-queue.ts'

export interface SchedulerOptions {
  api: Api
  informers: InformerFactory
  /** Who tells of what happens to the pods of a profile. */
  eventsOf: (schedulerName: string) => EventRecorder
  clock: Clock
  log: Logger
  metrics: SchedulerMetrics
  /** Pods that name none of them are left to others. */
  profiles?: readonly SchedulerProfile[]
  /** Others have led before, and the watches may be late: nothing is scheduled before what they did is known. */
  takesOver?: boolean
  /** Others who have a say; they see the whole of pods and nodes, which costs memory. */
  extenders?: readonly Extender[]
  initialBackoffMs?: number
  maxBackoffMs?: number
  maxUnschedulableMs?: number
  /** Bindings that are made at once; when all are under way, no further pod is scheduled. */
  maxBindings?: number
  random?: () => number
}

/** A profile at work. */
interface Running {
  readonly schedulerName: string
  readonly framework: Framework
  readonly placement: Placement
  readonly events: EventRecorder
}

const defaultMaxBindings = 32
const usualProfile: SchedulerProfile = {
  schedulerName: 'default-scheduler',
  assemble: (context) => ({ plugins: defaultProfile(context) }),
}
/** Upstream's limit of what an event may say. */
const longestMessage = 1024
/** Stands in for a plugin where there was no node to ask any about. */
const noNodes = 'NoNodes'
const noNodesPlugin: QueuePlugin = { name: noNodes, hints: [{ on: ['Node/Add'] }] }

/**
 * Gives every pod that asks for it a node: one pod at a time is compared with the nodes as they are now and is assumed to
 * run on the best from that moment on; binding it, which takes a request, happens beside the scheduling of others.
 */
export class Scheduler {
  readonly cache: Cache
  readonly queue: SchedulingQueue
  readonly decisions = new Decisions()
  readonly #gangs = new Gangs()
  readonly #options: SchedulerOptions
  readonly #profiles: ReadonlyMap<string, Running>
  readonly #extenders: readonly Extender[]
  readonly #status: PodStatusWriter
  readonly #latest: (pod: PodIdentity) => PodInfo | undefined
  readonly #bindings = new Set<Promise<void>>()
  /** Of the bindings, those that wait for something else first. They stand in nobody's way. */
  #held = 0
  readonly #stopping = new AbortController()

  /** Ask for it before the informers are started. */
  constructor(options: SchedulerOptions) {
    const { api, informers, clock, log, metrics, profiles = [usualProfile] } = options
    this.#options = options
    this.#extenders = options.extenders ?? []
    this.cache = new Cache(clock)
    this.#status = new PodStatusWriter(api, clock, log)
    const nominations = new Nominations()
    const world = newInformerWorld(informers)
    this.#profiles = new Map(
      profiles.map((profile) => [profile.schedulerName, this.#assemble(profile, world, nominations)]),
    )
    this.queue = new SchedulingQueue({
      clock,
      nominations,
      profiles: new Map(
        [...this.#profiles].map(([name, { framework }]) => [
          name,
          [...framework.queuePlugins, noNodesPlugin, extenderPlugin],
        ]),
      ),
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
      gangs: this.#gangs,
      isOurs: (pod) => this.#profiles.has(pod.schedulerName),
      whole: this.#extenders.length > 0,
      onGone: (pod) => this.decisions.delete(pod),
    })
    metrics.observe({
      queues: () => this.queue.sizes(),
      rejected: () => this.queue.rejected(),
      cache: () => ({ nodes: this.cache.nodes.length, pods: this.cache.podCount, assumed: this.cache.assumedCount }),
      binding: () => this.#bindings.size,
    })
  }

  #assemble(profile: SchedulerProfile, world: World, nominations: Nominations): Running {
    const { api, clock, metrics, random } = this.#options
    const { schedulerName, percentageOfNodesToScore } = profile
    const events = this.#options.eventsOf(schedulerName)
    const tell = (victim: PodInfo, message: string) => events.event(refOf(victim), 'Normal', 'Preempted', message)
    const { plugins, points } = profile.assemble({
      api,
      cache: this.cache,
      gangs: this.#gangs,
      clock,
      world,
      stopping: this.#stopping.signal,
      onError: (error, doing) => this.#options.log.warn({ err: error }, doing),
      nominations,
      framework: () => framework,
      evict: (preemptor, nodeName, victims) =>
        evictVictims({ api, status: this.#status, tell }, preemptor, nodeName, victims),
      activate: (uid) => this.queue.activate(uid),
      opened: (uid) => this.queue.opened(uid),
      random: random ?? Math.random,
      onAttempt: (victims) => metrics.preempted(victims),
      consult: (pod, candidates) => {
        const asked = this.#extenders.filter((extender) => extender.preempt && extender.isInterested(pod.pod))
        return asked.length > 0 ? preemptBy(asked, pod, candidates, this.#passedOver) : undefined
      },
    })
    const framework: Framework = new Framework(plugins, nominations, points)
    const placement = new Placement(framework, this.cache, random, percentageOfNodesToScore)
    return { schedulerName, framework, placement, events }
  }

  /** The profile that the pod asks for. Throws an Error for a pod that is not ours. */
  #profileOf({ key, schedulerName }: PodInfo): Running {
    const profile = this.#profiles.get(schedulerName)
    if (!profile) throw new Error(`pod ${key} asks for the scheduler ${schedulerName}, which is none of ours`)
    return profile
  }

  /** Schedules until the signal fires; resolves when what was under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    setMaxListeners(0, this.#stopping.signal)
    signal.addEventListener('abort', () => this.#stopping.abort(signal.reason), { once: true })
    if (this.#options.takesOver) await this.#catchUp(signal)
    while (!signal.aborted) {
      for (const pod of this.cache.expireAssumed()) {
        this.#options.log.warn({ pod: pod.key, node: pod.nodeName }, 'a bound pod was never confirmed: forgotten')
      }
      const queued = this.queue.next()
      if (queued) {
        await this.#scheduleOne(queued)
        await this.#breathe()
      } else await this.queue.wait(signal)
    }
    await Promise.all(this.#bindings)
    await this.#status.flush()
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const { api, clock, log } = this.#options
    const isKnown = (uid: string) => this.cache.pod(uid) !== undefined
    const onError = ({ message }: Error) => log.warn({ err: message }, 'pods could not be listed, trying again')
    await catchUp({ api, clock, isKnown, onError }, signal)
  }

  /** Lets what has arrived be heard, and waits while too many bindings are under way. */
  async #breathe(): Promise<void> {
    const { maxBindings = defaultMaxBindings } = this.#options
    while (this.#bindings.size - this.#held >= maxBindings) await Promise.race(this.#bindings)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  /** Done when it returns, unless somebody outside has to be asked. */
  #scheduleOne(queued: QueuedPod): Promise<void> | undefined {
    const { pod } = queued
    if (pod.terminating) {
      this.#tell(pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${pod.key}`)
      return undefined
    }
    if (this.cache.isAssumed(pod.uid)) return undefined
    const startedAt = performance.now()
    const asked = this.#extenders.filter((extender) => extender.isInterested(pod.pod))
    if (asked.length > 0) return this.#scheduleWith(asked, queued, startedAt)
    const state = new CycleState()
    const { framework, placement } = this.#profileOf(pod)
    try {
      const placed = placement.place(state, pod)
      if ('misfit' in placed) {
        const outcome = framework.postFilter(state, pod, placed.misfit.diagnosis)
        if (outcome instanceof Promise) throw new Error('nobody was to be asked')
        this.#options.metrics.chose(secondsSince(startedAt))
        this.#failToFit(queued, placed.misfit, outcome, startedAt)
        return undefined
      }
      this.#options.metrics.chose(secondsSince(startedAt))
      this.#keepPlaced(pod, placed)
      this.#assumeAndBind(queued, state, placed.nodeName, startedAt)
    } catch (error) {
      this.#fail(queued, error, startedAt, '')
    }
    return undefined
  }

  /** The cluster goes on while extenders are asked; the next pod waits for them. */
  async #scheduleWith(extenders: readonly Extender[], queued: QueuedPod, startedAt: number): Promise<void> {
    const { pod } = queued
    const state = new CycleState()
    const { framework, placement } = this.#profileOf(pod)
    const happenings = this.queue.happenings
    try {
      const placed = await placement.placeWith(extenders, state, pod, this.#passedOver)
      const outcome = 'misfit' in placed ? await framework.postFilter(state, pod, placed.misfit.diagnosis) : {}
      this.#options.metrics.chose(secondsSince(startedAt))
      // It has been deleted, or somebody else has given it a node.
      if (this.#latest(pod)?.nodeName !== '') return
      if ('misfit' in placed) {
        this.#failToFit(queued, placed.misfit, outcome, startedAt)
        // What has happened in the meantime may be just what the pod waits for.
        if (this.queue.happenings !== happenings) this.queue.retry(pod.uid)
      } else {
        this.#keepPlaced(pod, placed)
        this.#assumeAndBind(queued, placed.state ?? state, placed.nodeName, startedAt)
      }
    } catch (error) {
      this.#fail(queued, error, startedAt, '')
    }
  }

  readonly #passedOver = (extender: Extender, error: Error): void => {
    this.#options.log.warn(
      { extender: extender.name, err: error.message },
      'an extender has failed: going on without it',
    )
  }

  #failToFit(queued: QueuedPod, misfit: Misfit, { nominate, message }: PostFilterOutcome, startedAt: number): void {
    this.#fail(queued, fitErrorOf(misfit, this.cache.nodes.length, message), startedAt, nominate, misfit)
  }

  #keepPlaced(pod: PodInfo, { nodeName, evaluated, feasible, best }: PlacedOn): void {
    this.#keep(pod, { result: 'scheduled', nodeName, evaluated, feasible, ...(best ? { best } : {}) })
  }

  #keep(pod: PodInfo, decision: Omit<Kept, 'uid' | 'at' | 'nodes'>): void {
    const at = this.#options.clock.now()
    this.decisions.set(pod, { uid: pod.uid, at, nodes: this.cache.nodes.length, ...decision })
  }

  /**
   * The last decision about the pod, and for one that waits what would have to change now. Undefined for a pod that nothing
   * is known of.
   */
  why(namespace: string, name: string, uid?: string): Why | undefined {
    const decision = this.decisions.get(`${namespace}/${name}`, uid)
    if (!decision) return undefined
    const pod = this.#latest({ namespace, name, uid: decision.uid })
    if (pod?.nodeName !== '' || this.cache.pod(pod.uid)) return { decision, remedies: [] }
    const { verdicts, ranking, refused } = judge(this.#profileOf(pod).framework, this.cache, pod)
    if (refused || ranking.length > 0) return { decision, remedies: [] }
    return { decision, remedies: remedies(pod, verdicts, this.cache.columns) }
  }

  #assumeAndBind(queued: QueuedPod, state: CycleState, nodeName: string, startedAt: number): void {
    const pod = queued.pod.on(nodeName)
    const { framework } = this.#profileOf(pod)
    let waits: (PermitWait & { plugin: string })[] = []
    try {
      this.cache.assume(pod)
      this.#status.drop(pod.uid)
      this.queue.nominations.delete(pod.uid)
      const refused = framework.reserve(state, pod, nodeName)
      if (refused) throw refusedBy(refused, nodeName)
      const permit = framework.permit(state, pod, nodeName)
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
    const { framework, schedulerName } = this.#profileOf(pod)
    try {
      if (waits.length > 0 || framework.delaysBinding(state, pod, nodeName)) {
        await this.#hold(async () => {
          for (const wait of waits) await this.#permitted(wait, nodeName)
          await framework.preBind(state, pod, nodeName)
        })
      }
      const binder = this.#extenders.find((extender) => extender.bind && extender.isInterested(pod.pod))
      if (binder?.bind) await binder.bind(pod.pod, nodeName)
      else await framework.bind(state, pod, nodeName)
    } catch (error) {
      this.#undo(state, pod, nodeName)
      // What was given up to stop has not failed: the next scheduler goes on with it.
      if (!this.#stopping.signal.aborted) this.#fail(queued, error, startedAt, '')
      return
    }
    this.cache.bindingFinished(pod.uid)
    framework.postBind(state, pod, nodeName)
    metrics.attempted('scheduled', schedulerName, secondsSince(startedAt))
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
    const timeout = clock.sleep(timeoutMs, AbortSignal.any([stop.signal, this.#stopping.signal])).then(
      () => 'timeout' as const,
      () => 'stopped' as const,
    )
    const outcome = await Promise.race([until, timeout]).finally(() => stop.abort())
    if (outcome === 'stopped') throw this.#stopping.signal.reason
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
    this.#profileOf(pod).framework.unreserve(state, pod, nodeName)
    if (!this.cache.forget(pod.uid)) return
    const gang = gangKey(pod)
    // What a gang gives back it does not lack.
    const isMeant = (other: PodInfo) => other.uid !== pod.uid && (gang === undefined || gangKey(other) !== gang)
    this.queue.moveOn('Pod/Delete', { pod: { before: pod } }, isMeant)
  }

  /** Tells why a pod has no node, and puts it where it waits for better times. */
  #fail(queued: QueuedPod, error: unknown, startedAt: number, nominate: string | undefined, misfit?: Misfit): void {
    const { log, metrics } = this.#options
    const isRefused = error instanceof FitError || error instanceof NoNodesError
    metrics.attempted(isRefused ? 'unschedulable' : 'error', queued.pod.schedulerName, secondsSince(startedAt))
    const message = (error as Error).message
    if (!isRefused) log.error({ pod: queued.pod.key, err: message }, 'a pod could not be scheduled, trying again')
    const pod = this.#latest(queued.pod)
    // It has been deleted, or somebody else has given it a node.
    if (pod?.nodeName !== '') return
    queued.pod = pod
    const perNode = misfit?.diagnosis.perNode ?? noRefusals
    this.#keep(pod, {
      result: isRefused ? 'unschedulable' : 'error',
      message,
      evaluated: perNode.size,
      feasible: 0,
      ...(perNode.size > 0 ? { refusals: refusedNodes(perNode) } : {}),
    })
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
    this.#profileOf(pod).events.event(refOf(pod), type, reason, message)
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
    diagnosis: { perNode: refusalsByName(new Map([[nodeName, refused]])) },
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
