import type { Container, ContainerStatus } from '../../api/generated/types.ts'
import { restartsAfterExit } from './restart.ts'
import { type BoundPod, isSidecar, isStaticPod } from './types.ts'

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

/**
 * The phase that follows from the statuses of init and regular containers. `stopped`: nothing of the pod runs or will;
 * `started`: some regular container has been started in the current sandbox.
 */
export function phaseOf(
  pod: BoundPod,
  statuses: readonly ContainerStatus[],
  { stopped, started }: { stopped: boolean; started: boolean },
): PodPhase {
  const byName = new Map(statuses.map((status) => [status.name, status]))
  const init = countInit(pod, byName)
  const main = countMain(pod, byName)
  const waiting = main.waiting + init.waiting
  const unknown = main.unknown + init.unknown
  const running = main.running + init.running
  if (init.failed > 0) return 'Failed'
  if (init.pending > 0 || (init.pendingSidecars > 0 && !started) || waiting > 0) return 'Pending'
  if (running > 0 && unknown === 0) return 'Running'
  if (running > 0 || main.stopped === 0 || unknown > 0) return 'Pending'
  if (!(stopped && !isStaticPod(pod)) && main.stopped !== main.final) return 'Running'
  return main.stopped === main.succeeded ? 'Succeeded' : 'Failed'
}

const endOf = ({ state, lastState }: ContainerStatus) =>
  state?.terminated ?? (state?.waiting ? lastState?.terminated : undefined)

function countInit(pod: BoundPod, byName: ReadonlyMap<string, ContainerStatus>) {
  const counts = { pending: 0, failed: 0, pendingSidecars: 0, running: 0, waiting: 0, unknown: 0 }
  for (const container of pod.spec.initContainers ?? []) {
    const status = byName.get(container.name)
    if (isSidecar(container)) countSidecar(status, counts)
    else if (!status) counts.pending++
    else {
      const end = endOf(status)
      if (!end) counts.pending++
      else if (end.exitCode !== 0 && !restartsAfterExit(container, pod.spec, end.exitCode)) counts.failed++
    }
  }
  return counts
}

function countSidecar(
  status: ContainerStatus | undefined,
  counts: { pendingSidecars: number; running: number; waiting: number; unknown: number },
): void {
  if (!status) {
    counts.unknown++
  } else if (status.state?.running) {
    if (!status.started) counts.pendingSidecars++
    counts.running++
  } else if (!status.state?.terminated && !status.lastState?.terminated) {
    // One that has ended, and may come back, does not count.
    counts.pendingSidecars++
    counts.waiting++
  }
}

function countMain(pod: BoundPod, byName: ReadonlyMap<string, ContainerStatus>) {
  const counts = { running: 0, waiting: 0, stopped: 0, final: 0, succeeded: 0, unknown: 0 }
  for (const container of pod.spec.containers as Container[]) {
    const status = byName.get(container.name)
    if (!status?.state) counts.unknown++
    else if (status.state.running) counts.running++
    else {
      const end = endOf(status)
      if (!end) counts.waiting++
      else {
        counts.stopped++
        if (!restartsAfterExit(container, pod.spec, end.exitCode)) counts.final++
        if (status.state.terminated?.exitCode === 0) counts.succeeded++
      }
    }
  }
  return counts
}
