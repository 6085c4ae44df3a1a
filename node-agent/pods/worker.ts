import { parseTime } from '../../api/machinery/time.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { pods } from '../../client/resources.ts'
import { containerHash } from '../containers/labels.ts'
import { podLogDirectory } from '../containers/sandbox.ts'
import type { Verdict, Waiting } from '../resize/judge.ts'
import { settleSize } from '../resize/settle.ts'
import { PodSize } from '../resize/size.ts'
import { essence, shownByDownwardApi } from './changes.ts'
import type { StartFailure } from './container-status.ts'
import type { PodDeps } from './deps.ts'
import { isRunning, type ObservedPod } from './observed.ts'
import { planPod } from './plan.ts'
import { podStatus } from './status.ts'
import { isFinal } from './status-writer.ts'
import { graceSeconds, killContainers, removeAll, stopSandboxes } from './stop.ts'
import { carryOut, openHostPorts } from './sync.ts'
import { type BoundPod, describePod, isStaticPod, isTerminalPhase } from './types.ts'

/** A pod only ever moves forward through these. */
export type PodStage = 'syncing' | 'terminating' | 'terminated' | 'finished'

/** Why the node itself ends a pod. */
export interface PodEnd {
  reason: string
  message: string
  /** In place of the pod's own grace period. */
  graceSeconds?: number
}

const endingMs = 20
const endingPatienceMs = 2000
const deferredRetryMs = 180_000
const errorRetryMs = [200, 1000, 5000, 10_000]

/**
 * Runs one pod from its arrival to its end. Everything that happens - a change of the object, of the runtime, of a probe -
 * only wakes it; each step looks at the world anew and does what is missing, so that an agent that restarts takes over.
 */
export class PodWorker {
  readonly #deps: PodDeps
  #pod: BoundPod
  /** The pod that stands for a static pod in the API. */
  #shown: BoundPod | undefined
  #stage: PodStage = 'syncing'
  #end: PodEnd | undefined
  /** The object is gone from the API, or was never there. */
  #gone = false
  #changed = true
  #adopted = false
  #hitches = 0
  /** A plan is being carried out, after which the pod is looked at anew. */
  #working = false
  /** What was seen to run when the pod was last looked at. */
  #alive = new Set<string>()
  /** What has ended by the runtime's events but not yet by its lists, and how long to believe it. */
  readonly #endings = new Map<string, number>()
  #wake: () => void = () => undefined
  #syncAbort = new AbortController()
  readonly #size: PodSize
  readonly #judgeResizes: () => void
  readonly #failures = new Map<string, StartFailure>()
  readonly #stop: AbortSignal
  /** Resolves when nothing of the pod is left to do. */
  readonly done: Promise<void>

  /** `stop`: the agent ends, and leaves everything as it is. `judgeResizes` lets the pods of the node have what they ask for. */
  constructor(deps: PodDeps, pod: BoundPod, stop: AbortSignal, judgeResizes: () => void) {
    this.#deps = deps
    this.#pod = pod
    this.#stop = stop
    this.#judgeResizes = judgeResizes
    this.#size = new PodSize(pod, deps.node.podsDirectory, deps.events)
    if (endsAlready(pod)) this.#stage = 'terminating'
    deps.objects.retain(pod)
    const end = (): void => {
      this.#syncAbort.abort()
      this.wake()
    }
    stop.addEventListener('abort', end)
    this.done = this.#run().finally(() => stop.removeEventListener('abort', end))
  }

  get pod(): BoundPod {
    return this.#pod
  }

  get stage(): PodStage {
    return this.#stage
  }

  /** Whether it holds resources of the node. Once its object is gone, schedulers have given its place to others. */
  get active(): boolean {
    return !this.#gone && (this.#stage === 'syncing' || this.#stage === 'terminating')
  }

  /** The pod with what it holds of the node. */
  get held(): BoundPod {
    return { ...this.#size.granted(this.#pod), status: this.#deps.statuses.current(this.#pod) }
  }

  /** The other size that it asks for, if it does. */
  get waiting(): Waiting | undefined {
    if (this.#stage !== 'syncing' || !this.#size.asks(this.#pod)) return undefined
    return { pod: this.#pod, granted: this.#size.granted(this.#pod), since: this.#size.waitsSince }
  }

  /** What was decided about that. */
  decideResize(verdict: Verdict): void {
    if (this.#size.decide(this.#pod, verdict, this.#deps.clock.now())) this.wake()
  }

  /** A newer version of the object. */
  update(pod: BoundPod): void {
    const before = this.#pod
    this.#pod = pod
    this.#size.hold(before, pod)
    if (before.metadata.generation !== pod.metadata.generation) this.#deps.objects.retain(pod)
    if (shownByDownwardApi(before, pod)) this.#deps.volumes.refresh(pod.metadata.uid, pod)
    if (endsAlready(pod)) this.#beginEnd()
    // Most changes are what this agent itself has written into the status.
    if (essence(before) !== essence(pod)) this.wake()
  }

  /** The pod that stands for this static one has been made, or has changed. */
  show(mirror: BoundPod | undefined): void {
    this.#shown = mirror
    this.wake()
  }

  /** The object is gone: end the pod and tell nobody. */
  removed(): void {
    this.#gone = true
    this.#beginEnd()
    this.wake()
  }

  /** The node ends the pod. */
  evict(end: PodEnd): void {
    this.#end ??= end
    this.#beginEnd()
    this.wake()
  }

  /** A container or the sandbox has started; nearly always at this worker's own word, and then it has seen it. */
  started(id: string): void {
    if (this.#working || this.#alive.has(id)) return
    this.wake()
  }

  /** A container or the sandbox has ended: look again until the runtime says so too. */
  ended(id: string): void {
    this.#endings.set(id, this.#deps.clock.now() + endingPatienceMs)
    this.wake()
  }

  /** Something may have changed: look again. */
  wake(): void {
    this.#changed = true
    this.#wake()
  }

  #beginEnd(): void {
    if (this.#stage !== 'syncing') return
    this.#stage = 'terminating'
    this.#syncAbort.abort(new Error('the pod is to end'))
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#stage !== 'finished' && !this.#stop.aborted; ) {
      this.#changed = false
      let waitMs: number | undefined
      try {
        waitMs = await this.#step()
        failures = 0
      } catch (error) {
        if (this.#stop.aborted) return
        waitMs = 0
        // A step that was given up because the pod is to end has not failed.
        if (error !== this.#syncAbort.signal.reason) {
          const { name, namespace } = this.#pod.metadata
          this.#deps.log.warn({ err: error, pod: `${namespace}/${name}` }, 'a step of a pod failed and is tried again')
          waitMs = errorRetryMs[Math.min(failures++, errorRetryMs.length - 1)]
        }
      }
      await this.#rest(waitMs)
    }
  }

  /** Until something happens, or the time has passed; undefined: no time. */
  async #rest(waitMs: number | undefined): Promise<void> {
    if (this.#changed || waitMs === 0 || this.#stop.aborted) return
    const abort = new AbortController()
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const timer = waitMs === undefined ? [] : [this.#deps.clock.sleep(waitMs, abort.signal).catch(() => undefined)]
    await Promise.race([woken, ...timer])
    abort.abort()
    this.#wake = () => undefined
  }

  async #step(): Promise<number | undefined> {
    switch (this.#stage) {
      case 'syncing':
        return this.#sync()
      case 'terminating':
        return this.#terminate()
      case 'terminated':
        return this.#cleanUp()
      case 'finished':
        return undefined
    }
  }

  async #sync(): Promise<number | undefined> {
    const deps = this.#deps
    const { signal } = this.#syncAbort
    const observed = await this.#observe()
    signal.throwIfAborted()
    deps.probes.follow(this.#pod, observed)
    await this.#size.adopt(this.#pod, observed)
    if (!this.#adopted) await this.#adopt(observed)
    const resize = await settleSize(deps, this.#size, { pod: this.#pod, observed, judge: this.#judgeResizes })
    if (isTerminalPhase(this.#report(observed, false)) || this.#deadlinePassed()) {
      this.#beginEnd()
      return 0
    }
    const pod = this.#size.granted(this.#pod)
    const plan = planPod(pod, observed, deps.probes, containerHash, resize?.restart)
    if (!resize && !plan.killPod && !plan.createSandbox && plan.kill.length === 0 && plan.start.length === 0) {
      this.#hitches = 0
      if (this.#awaitsEnding(observed)) return endingMs
      const untilDeadline = this.#untilDeadline()
      return this.#size.deferred ? Math.min(untilDeadline ?? deferredRetryMs, deferredRetryMs) : untilDeadline
    }
    this.#working = true
    const inputs = { pod, observed, plan, resize, failures: this.#failures, hitches: this.#hitches, signal }
    const {
      retryMs,
      hitch = false,
      resizeFault,
    } = await carryOut(deps, inputs).finally(() => {
      this.#working = false
    })
    this.#hitches = hitch ? this.#hitches + 1 : 0
    if (resizeFault !== undefined) this.#size.fail(pod, resizeFault)
    if (retryMs !== 0) this.#report(await this.#observe(), false)
    return retryMs ?? this.#untilDeadline()
  }

  async #observe(): Promise<ObservedPod> {
    const observed = await this.#deps.view.observe(this.#pod.metadata)
    const running = observed.containers.filter(isRunning)
    const ready = observed.sandboxes.filter((sandbox) => sandbox.ready)
    this.#alive = new Set([...running, ...ready].map(({ id }) => id))
    return observed
  }

  /** Whether the runtime's lists are behind its events. */
  #awaitsEnding({ containers, sandboxes }: ObservedPod): boolean {
    for (const [id, until] of this.#endings) {
      const lives =
        containers.some((container) => container.id === id && isRunning(container)) ||
        sandboxes.some((sandbox) => sandbox.id === id && sandbox.ready)
      if (!lives || until < this.#deps.clock.now()) this.#endings.delete(id)
    }
    return this.#endings.size > 0
  }

  /** What an earlier agent has begun goes on: contents of volumes stay fresh, ports open. */
  async #adopt(observed: ObservedPod): Promise<void> {
    this.#adopted = true
    const deps = this.#deps
    const pod = this.#size.granted(this.#pod)
    if (!observed.sandboxes[0]?.ready) return
    deps.volumes.prepare(pod).catch((error) => {
      deps.log.warn({ err: error, pod: describePod(pod) }, 'volumes of a pod that runs cannot be looked after')
    })
    await deps.cgroups?.ensure(pod)
    await openHostPorts(deps, pod, observed.sandboxes[0].ips)
  }

  /** Sets the status that follows from what is observed; answers the phase. */
  #report(observed: ObservedPod, stopped: boolean): string | undefined {
    const { statuses, probes, runtimeName, node, clock } = this.#deps
    // A static pod is spoken of through the one that stands for it.
    const own = this.#size.granted(this.#pod)
    const pod = isStaticPod(own) ? { ...own, ...(this.#shown ? { status: this.#shown.status ?? {} } : {}) } : own
    const about = this.#shown ?? pod
    const status = podStatus({
      pod,
      observed,
      before: statuses.current(about),
      failures: this.#failures,
      probes,
      runtimeName,
      hostIps: node.hostIps,
      resize: this.#size.conditions(),
      now: clock.now(),
      stopped,
      failed: this.#end,
    })
    if (!this.#gone && (!isStaticPod(this.#pod) || this.#shown)) statuses.set(about, status)
    return status.phase
  }

  /** Milliseconds until activeDeadlineSeconds is over; undefined: no deadline. */
  #untilDeadline(): number | undefined {
    const seconds = this.#pod.spec.activeDeadlineSeconds
    const start = parseTime(this.#deps.statuses.current(this.#pod).startTime ?? '')
    if (seconds === undefined || start === undefined) return undefined
    return Math.max(1, start + seconds * 1000 - this.#deps.clock.now())
  }

  #deadlinePassed(): boolean {
    const left = this.#untilDeadline()
    if (left === undefined || left > 1) return false
    const message = 'Pod was active on the node longer than the specified deadline'
    this.#end ??= { reason: 'DeadlineExceeded', message }
    this.#deps.events.normal(this.#pod, 'DeadlineExceeded', message)
    return true
  }

  async #terminate(): Promise<number | undefined> {
    const deps = this.#deps
    const { uid } = this.#pod.metadata
    deps.probes.quiet(uid)
    const observed = await deps.view.observe(this.#pod.metadata)
    this.#report(observed, false)
    if (observed.containers.some(isRunning)) {
      await this.#killWatching(observed)
      return 0
    }
    deps.probes.forget(uid)
    await deps.network.setHostPorts(uid, '', [])
    await deps.network.podEnded(uid)
    await stopSandboxes(deps, observed)
    this.#stage = 'terminated'
    this.#judgeResizes()
    return 0
  }

  /** Stops all containers; a shorter grace period that arrives meanwhile counts at once, and so does each end in the status. */
  async #killWatching(observed: ObservedPod): Promise<void> {
    const deps = this.#deps
    let grace = this.#grace()
    let ended = false
    const kill = (from: ObservedPod, again: boolean): Promise<void> =>
      killContainers(deps, this.#pod, from, { graceOverride: grace, again }).then(() => {
        ended = true
      })
    let kills = kill(observed, false)
    while (!ended && !this.#stop.aborted) {
      this.#changed = false
      await Promise.race([kills, this.#rest(undefined)])
      if (ended) return
      const now = await deps.view.observe(this.#pod.metadata)
      this.#report(now, false)
      if (!now.containers.some(isRunning)) return
      const newer = this.#grace()
      if (newer < grace) {
        grace = newer
        kills = Promise.race([kills, kill(now, true)])
      }
      kills.catch(() => undefined)
    }
  }

  #grace(): number {
    return this.#end?.graceSeconds ?? graceSeconds(this.#pod, undefined, 'unknown')
  }

  /** The containers have ended: give back what they used, say so for the last time, and let the object go. */
  async #cleanUp(): Promise<number | undefined> {
    const deps = this.#deps
    const { uid } = this.#pod.metadata
    const observed = await deps.view.observe(this.#pod.metadata)
    if (observed.containers.some(isRunning)) {
      this.#stage = 'terminating'
      return 0
    }
    this.#report(observed, true)
    await Promise.all([deps.volumes.teardown(uid), deps.devices.release(uid), deps.cgroups?.remove(uid)])
    await deps.statuses.flush(uid)
    const deleted = this.#pod.metadata.deletionTimestamp !== undefined
    if (!this.#gone && !deleted && !isStaticPod(this.#pod)) {
      // Finished, and kept to be looked at: its containers and logs stay until the object goes.
      deps.objects.release(uid)
      return undefined
    }
    if (!this.#gone && !isStaticPod(this.#pod)) await this.#deleteObject()
    await removeAll(deps, observed)
    await deps.keptLogs.takeOver(this.#pod.metadata, podLogDirectory(deps.node.logRoot, this.#pod))
    deps.objects.release(uid)
    deps.tokens.forget(uid)
    deps.statuses.forget(uid)
    deps.backOff.forgetAll(`${uid}/`)
    this.#stage = 'finished'
    // Not undefined, which waits for a word: there may never be another.
    return 0
  }

  async #deleteObject(): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata
    try {
      await this.#deps.api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  /** Whether the last status tells of an end. */
  get hasEnded(): boolean {
    return isFinal(this.#deps.statuses.current(this.#pod))
  }
}

const endsAlready = (pod: BoundPod): boolean =>
  pod.metadata.deletionTimestamp !== undefined || isTerminalPhase(pod.status?.phase)
