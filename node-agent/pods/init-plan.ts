import type { Container } from '../../api/generated/types.ts'
import { latestContainer, type ObservedContainer, type ObservedPod } from './observed.ts'
import { initContainerFailed, restartsAfterExit, restartsAfterKill } from './restart.ts'
import { type KillStep, killStep, type ProbeVerdicts } from './steps.ts'
import { type BoundPod, isSidecar } from './types.ts'

export interface InitPlan {
  /** Whether regular containers may start. */
  initialized: boolean
  /** Initialisation failed for good. */
  killPod: boolean
  kill: KillStep[]
  /** Indices of init containers, in their order. */
  start: number[]
}

/**
 * What to do about init containers, of which only those of the current sandbox are observed. Finished ones may have been
 * collected: so the last one seen tells how far initialisation came. Sidecars before it are kept running.
 */
export function planInitContainers(
  pod: BoundPod,
  observed: ObservedPod,
  probes: ProbeVerdicts,
  hashOf: (container: Container) => string,
  outgrown: ReadonlySet<string> = new Set(),
): InitPlan {
  const list = pod.spec.initContainers ?? []
  const plan: InitPlan = { initialized: list.length === 0, killPod: false, kill: [], start: [] }
  if (list.length === 0) return plan
  // Whoever has regular containers has finished its init containers.
  plan.initialized = pod.spec.containers.some(({ name }) => latestContainer(observed, name) !== undefined)
  let furtherOn = plan.initialized
  for (let i = list.length - 1; i >= 0; i--) {
    const container = list[i] as Container
    const latest = latestContainer(observed, container.name)
    if (!latest) {
      if (furtherOn && isSidecar(container)) plan.start.push(i)
      continue
    }
    if (furtherOn && !isSidecar(container)) continue
    const next = isSidecar(container)
      ? stepSidecar(container, latest, probes, hashOf, outgrown)
      : stepInit(container, pod, latest)
    if (next.kill) plan.kill.push(next.kill)
    if (next.failed) return { ...plan, initialized: false, killPod: true, start: [] }
    if (next.startAgain) plan.start.push(i)
    if (next.finished) {
      if (i === list.length - 1) plan.initialized = true
      else if (!furtherOn) plan.start.push(i + 1)
    }
    furtherOn = true
  }
  if (!furtherOn) plan.start.push(0)
  plan.start.sort((a, b) => a - b)
  return plan
}

interface Step {
  /** The next container may start. */
  finished?: boolean
  startAgain?: boolean
  failed?: boolean
  kill?: KillStep
}

function stepInit(container: Container, pod: BoundPod, latest: ObservedContainer): Step {
  switch (latest.state) {
    case 'running':
      return {}
    case 'created':
      // Made but never started: the start must have failed.
      return { startAgain: true }
    case 'exited':
      if (!initContainerFailed(latest)) return { finished: true }
      return restartsAfterExit(container, pod.spec, latest.exitCode) ? { startAgain: true } : { failed: true }
    case 'unknown':
      if (!restartsAfterKill(container, pod.spec)) return { failed: true }
      return { startAgain: true, kill: killStep(latest, unknownState, 'unknown') }
  }
}

const unknownState = 'Init container is in "unknown" state, try killing it before restart'

function stepSidecar(
  container: Container,
  latest: ObservedContainer,
  probes: ProbeVerdicts,
  hashOf: (container: Container) => string,
  outgrown: ReadonlySet<string>,
): Step {
  const { name } = container
  switch (latest.state) {
    case 'created':
    case 'exited':
      return { startAgain: true }
    case 'unknown':
      return { startAgain: true, kill: killStep(latest, unknownState, 'unknown') }
    case 'running':
  }
  if (container.startupProbe) {
    const startup = probes.startup(latest.id)
    if (startup === 'failure') {
      return { startAgain: true, kill: killStep(latest, `Init container ${name} failed startup probe`, 'startup') }
    }
    if (startup !== 'success') return {}
  }
  if (latest.hash !== '' && latest.hash !== hashOf(container)) {
    const kill = killStep(latest, `Init container ${name} definition changed`, 'unknown')
    return { finished: true, startAgain: true, kill }
  }
  if (container.livenessProbe && probes.liveness(latest.id) === 'failure') {
    const kill = killStep(latest, `Init container ${name} failed liveness probe`, 'liveness')
    return { finished: true, startAgain: true, kill }
  }
  if (outgrown.has(name)) {
    const kill = killStep(latest, `Container ${name} resize requires restart`, 'unknown')
    return { finished: true, startAgain: true, kill }
  }
  return { finished: true }
}
