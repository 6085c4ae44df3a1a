import type { Container, PodSpec } from '../../api/generated/types.ts'
import { runHook } from '../lifecycle/hooks.ts'
import { CriError } from '../runtime/cri.ts'
import type { PodDeps } from './deps.ts'
import { isRunning, type ObservedContainer, type ObservedPod } from './observed.ts'
import type { KillReason } from './steps.ts'
import { type BoundPod, isSidecar, slotOf } from './types.ts'

/** Always given, whatever the grace period: time to end in order. */
const minimumGraceSeconds = 2

/** How long a container has to end, by upstream's order of precedence. */
export function graceSeconds(pod: BoundPod, container: Container | undefined, reason: KillReason): number {
  const { deletionGracePeriodSeconds } = pod.metadata
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds
  const ofPod = pod.spec.terminationGracePeriodSeconds
  if (ofPod === undefined) return minimumGraceSeconds
  const ofProbe =
    reason === 'startup'
      ? container?.startupProbe?.terminationGracePeriodSeconds
      : reason === 'liveness'
        ? container?.livenessProbe?.terminationGracePeriodSeconds
        : undefined
  return ofProbe ?? ofPod
}

export interface KillOptions {
  message?: string
  reason?: KillReason
  /** In place of what the pod says. */
  graceOverride?: number | undefined
  /** Resolves when it is this container's turn to end. */
  turn?: Promise<unknown>
  /** It is being stopped already, and has only less time than it was given first. */
  again?: boolean
}

/** Runs the container's preStop hook and stops it, all within its grace period. Resolves when it has ended. */
export async function killContainer(
  deps: PodDeps,
  pod: BoundPod,
  observed: ObservedPod,
  target: { id: string; name: string },
  { message, reason = 'unknown', graceOverride, turn, again = false }: KillOptions = {},
): Promise<void> {
  const { clock, cri, events } = deps
  const slot = slotOf(pod.spec, target.name)
  const container = slot?.container
  const grace = graceOverride ?? graceSeconds(pod, container, reason)
  if (!again) events.normal(pod, 'Killing', message || `Stopping container ${target.name}`, slot)
  const deadline = clock.now() + grace * 1000
  const preStop = container?.lifecycle?.preStop
  if (container && preStop && grace > 0 && !again) {
    const podIp = observed.sandboxes[0]?.ips[0] ?? deps.node.hostIps[0] ?? '127.0.0.1'
    const hookTarget = { containerId: target.id, container, podIp }
    const failed = () => events.warning(pod, 'FailedPreStopHook', 'PreStopHook failed', slot)
    await within(deps, deadline, (signal) => runHook(deps, preStop, hookTarget, signal).catch(failed))
  }
  if (turn && grace > 0) await within(deps, deadline, () => turn)
  const left = Math.max(minimumGraceSeconds, Math.ceil((deadline - clock.now()) / 1000))
  try {
    await cri.stopContainer(target.id, left)
  } catch (error) {
    if (!(error instanceof CriError) || error.code !== 'notFound') throw error
  }
}

/** Waits for the work until the deadline at the longest. */
async function within(
  { clock }: PodDeps,
  deadline: number,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const abort = new AbortController()
  const timer = clock.sleep(Math.max(0, deadline - clock.now()), abort.signal).catch(() => undefined)
  await Promise.race([work(abort.signal).catch(() => undefined), timer])
  abort.abort()
}

/**
 * Stops all running containers of the pod: regular ones at once, then sidecars one after the other, the last first, as far
 * as the grace period lets them wait. Throws the first error when all are done.
 */
export async function killContainers(
  deps: PodDeps,
  pod: BoundPod,
  observed: ObservedPod,
  options: Pick<KillOptions, 'graceOverride' | 'again'> = {},
): Promise<void> {
  const running = observed.containers.filter(isRunning)
  const ends = new Map<string, Promise<void>>()
  const order = stopOrder(pod.spec, running)
  for (const { container, after } of order) {
    const turn = Promise.allSettled(after.flatMap((name) => ends.get(name) ?? []))
    ends.set(
      container.name,
      killContainer(deps, pod, observed, container, { ...options, ...(after.length > 0 ? { turn } : {}) }),
    )
  }
  const results = await Promise.allSettled(ends.values())
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/** Who waits for whom: sidecars for all regular containers and for the sidecar that was started after them. */
export function stopOrder(
  spec: PodSpec,
  running: readonly ObservedContainer[],
): { container: ObservedContainer; after: string[] }[] {
  const main = spec.containers.map(({ name }) => name)
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
  const others = running.filter(({ name }) => !sidecars.includes(name))
  const late = sidecars.toReversed().flatMap((name, i, reversed) => {
    const container = running.find((candidate) => candidate.name === name)
    const later = reversed[i - 1]
    return container ? [{ container, after: later === undefined ? main : [...main, later] }] : []
  })
  return [...others.map((container) => ({ container, after: [] })), ...late]
}

/** Stops the sandboxes: their networks are given back. */
export async function stopSandboxes({ cri }: PodDeps, observed: ObservedPod): Promise<void> {
  // Also one that is not ready: its network may be left.
  await Promise.all(observed.sandboxes.map(({ id }) => cri.stopPodSandbox(id)))
}

/** Removes what has stopped. What is not there any more is as good as removed. */
export async function removeAll({ cri }: PodDeps, observed: ObservedPod): Promise<void> {
  await Promise.all(observed.containers.map(({ id }) => cri.removeContainer(id).catch(ignoreNotFound)))
  await Promise.all(observed.sandboxes.map(({ id }) => cri.removePodSandbox(id).catch(ignoreNotFound)))
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof CriError) || error.code !== 'notFound') throw error
}
