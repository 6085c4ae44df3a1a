import type { Container } from '../../api/generated/types.ts'
import type { Clock } from '../../client/types.ts'
import { isRunning, latestContainer, type ObservedPod } from '../pods/observed.ts'
import type { ProbeVerdict } from '../pods/steps.ts'
import { allSlots, type BoundPod, type ContainerSlot } from '../pods/types.ts'
import type { CheckResult, CheckTarget } from './checks.ts'
import { type ProbeType, runProbe } from './worker.ts'

export interface ProbesOptions {
  clock: Clock
  check(probe: NonNullable<Container['livenessProbe']>, target: CheckTarget): Promise<CheckResult>
  /** A verdict about some container of the pod has changed. */
  changed(podUid: string): void
  unhealthy(pod: BoundPod, slot: ContainerSlot, reason: 'Unhealthy' | 'ProbeWarning', message: string): void
}

interface Watched {
  containerId: string
  abort: AbortController
  /** Of the liveness and startup probes, which end before the readiness probe does. */
  quiet: AbortController
  verdicts: Partial<Record<ProbeType, ProbeVerdict>>
}

const types = ['startup', 'liveness', 'readiness'] as const
const words = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const

/** All probes of this node's containers, and what they last said. */
export class Probes {
  readonly #options: ProbesOptions
  /** By pod, then by name of the container. */
  readonly #pods = new Map<string, Map<string, Watched>>()
  readonly #byContainer = new Map<string, Watched>()

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  liveness = (containerId: string): ProbeVerdict | undefined => this.#byContainer.get(containerId)?.verdicts.liveness
  readiness = (containerId: string): ProbeVerdict | undefined => this.#byContainer.get(containerId)?.verdicts.readiness
  startup = (containerId: string): ProbeVerdict | undefined => this.#byContainer.get(containerId)?.verdicts.startup

  /** Probes exactly the containers of the pod that run. A pod that is being deleted is only asked whether it is ready. */
  follow(pod: BoundPod, observed: ObservedPod): void {
    const { uid } = pod.metadata
    const watched = this.#pods.get(uid) ?? new Map<string, Watched>()
    for (const slot of allSlots(pod.spec)) {
      const { container } = slot
      if (!types.some((type) => probeOf(container, type))) continue
      const running = latestContainer(observed, container.name)
      const before = watched.get(container.name)
      if (isRunning(running) && before?.containerId === running.id) continue
      if (before) this.#drop(before)
      watched.delete(container.name)
      if (isRunning(running)) watched.set(container.name, this.#start(pod, slot, running, observed))
    }
    if (watched.size > 0) this.#pods.set(uid, watched)
    else this.#pods.delete(uid)
  }

  /** No more probes for the pod. */
  forget(uid: string): void {
    for (const watched of this.#pods.get(uid)?.values() ?? []) this.#drop(watched)
    this.#pods.delete(uid)
  }

  /** The agent ends: nobody is asked any more. */
  stop(): void {
    for (const uid of [...this.#pods.keys()]) this.forget(uid)
  }

  /** The pod ends: liveness and startup are no longer asked for, whether it is ready still is. */
  quiet(uid: string): void {
    for (const watched of this.#pods.get(uid)?.values() ?? []) {
      if (watched.verdicts.liveness) watched.verdicts.liveness = 'success'
      if (watched.verdicts.startup) watched.verdicts.startup = 'success'
      watched.quiet.abort()
    }
  }

  #drop(watched: Watched): void {
    watched.abort.abort()
    watched.quiet.abort()
    this.#byContainer.delete(watched.containerId)
  }

  #start(
    pod: BoundPod,
    slot: ContainerSlot,
    running: { id: string; startedAt: number },
    observed: ObservedPod,
  ): Watched {
    const { container } = slot
    const { clock, changed } = this.#options
    const seed = this.#seed(pod, container, running.id)
    const watched: Watched = {
      containerId: running.id,
      abort: new AbortController(),
      quiet: new AbortController(),
      verdicts: seed.verdicts,
    }
    this.#byContainer.set(running.id, watched)
    let startupOver = (): void => undefined
    const started = new Promise<void>((resolve) => {
      startupOver = resolve
      if (!container.startupProbe || seed.verdicts.startup === 'success') resolve()
    })
    const podIp = (pod.spec.hostNetwork ? pod.status?.hostIP : observed.sandboxes[0]?.ips[0]) ?? '127.0.0.1'
    for (const type of types) {
      const probe = probeOf(container, type)
      if (!probe || (type === 'startup' && seed.verdicts.startup === 'success')) continue
      void runProbe({
        type,
        probe,
        startedAt: running.startedAt,
        staggerMs: seed.adopted ? Math.random() * (probe.periodSeconds ?? 10) * 1000 : 0,
        clock,
        signal: (type === 'readiness' ? watched.abort : watched.quiet).signal,
        check: () => this.#options.check(probe, { containerId: running.id, container, podIp }),
        started: () => started,
        decided: (verdict) => {
          if (type === 'startup' && verdict === 'success') startupOver()
          if (watched.verdicts[type] === verdict) return
          watched.verdicts[type] = verdict
          changed(pod.metadata.uid)
        },
        complain: (result) => this.#complain(pod, slot, type, result),
      }).catch(() => undefined)
    }
    return watched
  }

  /** What is believed before the first check: not ready, alive; and what was last reported of a container that was adopted. */
  #seed(pod: BoundPod, container: Container, id: string): { adopted: boolean; verdicts: Watched['verdicts'] } {
    const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    const reported = all.find((status) => status.containerID?.endsWith(`://${id}`))
    const verdicts: Watched['verdicts'] = {}
    if (container.readinessProbe) verdicts.readiness = reported?.ready ? 'success' : 'failure'
    if (container.livenessProbe) verdicts.liveness = 'success'
    if (container.startupProbe) verdicts.startup = reported?.started ? 'success' : 'unknown'
    return { adopted: reported !== undefined, verdicts }
  }

  #complain(pod: BoundPod, slot: ContainerSlot, type: ProbeType, { verdict, output }: CheckResult): void {
    const word = words[type]
    if (verdict === 'warning') {
      this.#options.unhealthy(pod, slot, 'ProbeWarning', `${word} probe warning: ${output}`)
      return
    }
    const told =
      verdict === 'error'
        ? `${word} probe errored and resulted in unknown state: ${output}`
        : `${word} probe failed: ${output}`
    this.#options.unhealthy(pod, slot, 'Unhealthy', told)
  }
}

const probeOf = (container: Container, type: ProbeType) =>
  type === 'liveness'
    ? container.livenessProbe
    : type === 'readiness'
      ? container.readinessProbe
      : container.startupProbe
