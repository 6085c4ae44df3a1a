import type { Container } from '../../api/generated/types.ts'
import { planInitContainers } from './init-plan.ts'
import { latestContainer, type ObservedContainer, type ObservedPod, type ObservedSandbox } from './observed.ts'
import { anyRegularCreated, restartsAfterExit, restartsAfterKill, shouldStart } from './restart.ts'
import { type KillReason, type KillStep, killStep, type ProbeVerdicts, type StartStep } from './steps.ts'
import type { BoundPod } from './types.ts'

/** What to do about a pod, as data: stop these, make the sandbox, start those. */
export interface PodPlan {
  /** Stop everything of the pod first; with `createSandbox` it begins anew. */
  killPod: boolean
  createSandbox: boolean
  /** The sandbox to start containers in, if there is one already. */
  sandboxId: string | undefined
  attempt: number
  kill: KillStep[]
  /** In this order: ephemeral, init, regular. */
  start: StartStep[]
}

/** Decides what is to be done so that the pod becomes what its specification says. Pure. */
export function planPod(
  pod: BoundPod,
  observed: ObservedPod,
  probes: ProbeVerdicts,
  hashOf: (container: Container) => string,
  /** Names of containers that must be started anew to get what the pod was granted. */
  outgrown: ReadonlySet<string> = new Set(),
): PodPlan {
  const sandbox = sandboxToUse(pod, observed)
  const plan: PodPlan = {
    killPod: sandbox.create,
    createSandbox: sandbox.create,
    sandboxId: sandbox.id,
    attempt: sandbox.attempt,
    kill: [],
    start: [],
  }
  if (sandbox.create) return planNewSandbox(pod, observed, plan)

  for (const [index, { name }] of (pod.spec.ephemeralContainers ?? []).entries()) {
    // Never started twice.
    if (!latestContainer(observed, name)) plan.start.push({ role: 'ephemeral', index })
  }

  const init = planInitContainers(pod, inSandbox(observed, sandbox.id), probes, hashOf, outgrown)
  plan.kill.push(...init.kill)
  if (init.killPod) return { ...plan, killPod: true }
  const initStarts = init.start.map((index): StartStep => ({ role: 'init', index }))
  if (!init.initialized) return { ...plan, start: [...plan.start, ...initStarts] }

  const regular = planRegular(pod, observed, probes, hashOf, outgrown)
  plan.kill.push(...regular.kill)
  // Sidecars alone do not keep a pod alive.
  if (regular.kept === 0 && regular.start.length === 0) return { ...plan, killPod: true }
  plan.start.push(...initStarts, ...regular.start.map((index): StartStep => ({ role: 'container', index })))
  return plan
}

/** Whether the newest sandbox will do, and which attempt a new one would be. */
export function sandboxToUse(
  pod: BoundPod,
  { sandboxes }: ObservedPod,
): { create: boolean; attempt: number; id: string | undefined } {
  const [newest] = sandboxes
  if (!newest) return { create: true, attempt: 0, id: undefined }
  const usable = sandboxes.filter(({ ready }) => ready).length === 1 && newest.ready && fitsNetwork(pod, newest)
  return usable
    ? { create: false, attempt: newest.attempt, id: newest.id }
    : { create: true, attempt: newest.attempt + 1, id: newest.id }
}

function fitsNetwork(pod: BoundPod, { hostNetwork, ips }: ObservedSandbox): boolean {
  const wanted = pod.spec.hostNetwork ?? false
  return wanted === hostNetwork && (wanted || ips.length > 0)
}

function planNewSandbox(pod: BoundPod, observed: ObservedPod, plan: PodPlan): PodPlan {
  const { spec } = pod
  const everMade = observed.containers.length > 0
  const restarts = (spec.restartPolicy ?? 'Always') !== 'Never'
  // A pod that runs once has run: making a sandbox only to stop it again would confuse.
  if (!restarts && plan.attempt !== 0 && everMade) return { ...plan, createSandbox: false }
  const start = spec.containers.flatMap((container, index): StartStep[] => {
    const latest = latestContainer(observed, container.name)
    const done = latest?.state === 'exited' && !restartsAfterExit(container, spec, latest.exitCode)
    return done ? [] : [{ role: 'container', index }]
  })
  if (start.length === 0 && anyRegularCreated(pod, observed)) return { ...plan, createSandbox: false }
  // A new sandbox begins at the beginning.
  if (spec.initContainers?.length) return { ...plan, start: [{ role: 'init', index: 0 }] }
  return { ...plan, start }
}

/** Init containers of an older sandbox count as not run. */
function inSandbox(observed: ObservedPod, id: string | undefined): ObservedPod {
  return { ...observed, containers: observed.containers.filter(({ sandboxId }) => sandboxId === id) }
}

function planRegular(
  pod: BoundPod,
  observed: ObservedPod,
  probes: ProbeVerdicts,
  hashOf: (container: Container) => string,
  outgrown: ReadonlySet<string>,
): { kill: KillStep[]; start: number[]; kept: number } {
  const result = { kill: [] as KillStep[], start: [] as number[], kept: 0 }
  for (const [index, container] of pod.spec.containers.entries()) {
    const latest = latestContainer(observed, container.name)
    if (latest?.state !== 'running') {
      if (!shouldStart(container, pod, observed)) continue
      result.start.push(index)
      // It may run all the same: never two at once.
      if (latest?.state === 'unknown') {
        result.kill.push(killStep(latest, `Container is in "unknown" state, try killing it before restart`, 'unknown'))
      }
      continue
    }
    const fault =
      faultOf(container, latest, probes, hashOf) ?? (outgrown.has(container.name) ? sizeFault(container) : undefined)
    if (!fault) {
      result.kept++
      continue
    }
    const restarts = fault.always || restartsAfterKill(container, pod.spec)
    if (restarts) result.start.push(index)
    result.kill.push(
      killStep(latest, fault.bare || !restarts ? fault.message : `${fault.message}, will be restarted`, fault.reason),
    )
  }
  return result
}

interface Fault {
  message: string
  reason: KillReason
  /** To be started again whatever the restart policy. */
  always: boolean
  /** The message says of itself that it is. */
  bare?: boolean
}

const sizeFault = ({ name }: Container): Fault => ({
  message: `Container ${name} resize requires restart`,
  reason: 'unknown',
  always: true,
  bare: true,
})

/** What is wrong with a running container, if anything. */
function faultOf(
  { name, ...rest }: Container,
  running: ObservedContainer,
  probes: ProbeVerdicts,
  hashOf: (container: Container) => string,
): Fault | undefined {
  if (running.hash !== '' && running.hash !== hashOf({ name, ...rest })) {
    return { message: `Container ${name} definition changed`, reason: 'unknown', always: true }
  }
  if (probes.liveness(running.id) === 'failure') {
    return { message: `Container ${name} failed liveness probe`, reason: 'liveness', always: false }
  }
  if (probes.startup(running.id) === 'failure') {
    return { message: `Container ${name} failed startup probe`, reason: 'startup', always: false }
  }
  return undefined
}
