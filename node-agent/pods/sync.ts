import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { backOffOfPod } from '../../api/gantry/crash-loop.ts'
import { hostPorts, podLogDirectory, sandboxConfig } from '../containers/sandbox.ts'
import { carryOutResize } from '../resize/carry-out.ts'
import type { ResizePlan } from '../resize/plan.ts'
import { VolumeError } from '../volumes/errors.ts'
import type { MountedVolumes } from '../volumes/manager.ts'
import { formatDuration } from './backoff.ts'
import type { StartFailure } from './container-status.ts'
import type { PodDeps } from './deps.ts'
import type { ObservedPod } from './observed.ts'
import type { PodPlan } from './plan.ts'
import { pullSecrets, StartError, startContainer, unlessAborted, writeHosts } from './start.ts'
import type { StartStep } from './steps.ts'
import { killContainer, killContainers, stopSandboxes } from './stop.ts'
import { allSlots, type BoundPod, type ContainerSlot, describePod, isSidecar } from './types.ts'

export interface SyncInputs {
  pod: BoundPod
  observed: ObservedPod
  plan: PodPlan
  /** What running containers lack; undefined: the pod has the size it was granted. */
  resize?: ResizePlan | undefined
  /** Why containers could not be started, by name; kept up to date here. */
  failures: Map<string, StartFailure>
  /** How often in a row the pod could not be made ready for its containers. */
  hitches: number
  signal: AbortSignal
}

/** When to look at the pod again if nothing happens; 0: at once. */
export interface SyncOutcome {
  retryMs?: number
  /** The sandbox or a volume could not be had. */
  hitch?: boolean
  /** Why the pod cannot be given its size now. */
  resizeFault?: string
}

const hitchRetryMs = 1000
const maxHitchDoublings = 5
const networkRetryMs = 500
const startRetryMs = 10_000
const imageRetryMs = 2000
const resizeRetryMs = 10_000

/** Carries out a plan, as far as it goes now. Throws only what is nobody's fault and worth a retry. */
export async function carryOut(deps: PodDeps, inputs: SyncInputs): Promise<SyncOutcome> {
  const { pod, observed, plan, signal } = inputs
  signal.throwIfAborted()
  if (plan.killPod) {
    await killContainers(deps, pod, observed)
    if (observed.sandboxes.length > 0) await stopSandboxes(deps, observed)
    if (!plan.createSandbox) return { retryMs: 0 }
  }
  await Promise.all(
    plan.kill.map(({ containerId, name, message, reason }) =>
      killContainer(deps, pod, observed, { id: containerId, name }, { message, reason }),
    ),
  )
  const resizeFault = inputs.resize && !plan.killPod ? await carryOutResize(deps, pod, inputs.resize) : undefined
  if (resizeFault !== undefined) return { retryMs: resizeRetryMs, resizeFault }
  if (inputs.resize && plan.start.length === 0 && !plan.createSandbox) return lookAgain(inputs)
  const steps = plan.start.map((step) => slotFor(pod, step))
  const waits = steps.map((slot) => backOffOf(deps, inputs, slot))
  const due = steps.filter((_, i) => waits[i] === 0)
  const soonest = waits.filter((ms) => ms > 0)
  const later: SyncOutcome = soonest.length > 0 ? { retryMs: Math.min(...soonest) } : {}
  if (due.length === 0 && !plan.createSandbox) return later
  const fault = pod.spec.hostNetwork || !plan.createSandbox ? undefined : deps.node.networkFault()
  if (fault !== undefined) {
    deps.events.warning(pod, 'NetworkNotReady', `network is not ready: ${fault}`)
    return { retryMs: networkRetryMs }
  }
  signal.throwIfAborted()
  await deps.cgroups?.ensure(pod)
  // While something else is missing, images are not asked for again and again.
  const early = inputs.hitches === 0 ? prefetch(deps, pod, due) : undefined
  const mounting = readyVolumes(deps, pod, signal)
  mounting.catch(() => undefined)
  const preparing = readyDevices(deps, pod, signal)
  preparing.catch(() => undefined)
  // Always to its end: a sandbox that is left half made belongs to nobody.
  const place = await usableSandbox(deps, inputs)
  const volumes = await mounting
  if (!(await preparing) || !place || !volumes)
    return { retryMs: hitchRetryMs * 2 ** Math.min(inputs.hitches, maxHitchDoublings), hitch: true }
  const images = early ?? prefetch(deps, pod, due)
  await writeHosts(deps, pod, place.podIps)
  if (plan.createSandbox) await openHostPorts(deps, pod, place.podIps)
  return startAll(deps, inputs, due, { ...place, volumes, images, later })
}

/** At once, to see what has come of it; later, if that was done before and has not helped. */
function lookAgain({ hitches }: SyncInputs): SyncOutcome {
  return { retryMs: hitches === 0 ? 0 : hitchRetryMs * 2 ** Math.min(hitches, maxHitchDoublings), hitch: true }
}

function slotFor({ spec }: BoundPod, { role, index }: StartStep): ContainerSlot {
  const slot = allSlots(spec).find((candidate) => candidate.role === role && candidate.index === index)
  if (!slot) throw new Error(`the pod has no ${role} ${index}`)
  return slot
}

/** Begins to get the images while the sandbox is made. */
function prefetch(deps: PodDeps, pod: BoundPod, slots: readonly ContainerSlot[]) {
  const secrets = pullSecrets(deps, pod)
  return new Map(
    slots.map(({ container }) => {
      const image = secrets.then((list) => deps.images.ensure(pod, container, list))
      // Whoever starts the container hears of it.
      image.catch(() => undefined)
      return [container.name, image] as const
    }),
  )
}

interface Place {
  sandboxId: string
  podIps: readonly string[]
  sandboxConfig: ReturnType<typeof sandboxConfig>
}

/** The sandbox, made if need be; undefined after a failure that was told of. */
async function usableSandbox(deps: PodDeps, { pod, observed, plan }: SyncInputs): Promise<Place | undefined> {
  const { cri, node, events, view } = deps
  try {
    const config = sandboxConfig(pod, plan.attempt, {
      dns: node.dns,
      logRoot: node.logRoot,
      cgroupParent: deps.cgroups?.parentOf(pod) ?? '',
    })
    if (!plan.createSandbox && plan.sandboxId !== undefined) {
      const ips = observed.sandboxes.find(({ id }) => id === plan.sandboxId)?.ips ?? []
      await isolate(deps, pod, ips)
      return { sandboxId: plan.sandboxId, podIps: addressesOf(deps, pod, ips), sandboxConfig: config }
    }
    const sandboxId = await cri.runPodSandbox({ config })
    view.learn(sandboxId, pod.metadata.uid)
    const { ips } = await view.sandbox(sandboxId)
    await isolate(deps, pod, ips)
    return { sandboxId, podIps: addressesOf(deps, pod, ips), sandboxConfig: config }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    events.warning(pod, 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${why}`)
    return undefined
  }
}

/** Nothing runs in a pod before the network policies hold that select it. */
async function isolate({ network }: PodDeps, pod: BoundPod, [ip]: readonly string[]): Promise<void> {
  if (ip !== undefined && !pod.spec.hostNetwork) await network.podStarts(pod, ip)
}

const addressesOf = ({ node }: PodDeps, pod: BoundPod, ips: readonly string[]): readonly string[] =>
  pod.spec.hostNetwork ? node.hostIps : ips

async function readyVolumes(deps: PodDeps, pod: BoundPod, signal: AbortSignal): Promise<MountedVolumes | undefined> {
  try {
    return await unlessAborted(deps.volumes.prepare(pod), signal)
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error
    deps.events.warning(pod, error.reason, error.message)
    return undefined
  }
}

/** Whether the devices that the pod claims are ready; if not, that was told of. */
async function readyDevices(deps: PodDeps, pod: BoundPod, signal: AbortSignal): Promise<boolean> {
  if (!pod.spec.resourceClaims?.length) return true
  try {
    await unlessAborted(deps.devices.prepare(pod), signal)
    return true
  } catch (error) {
    signal.throwIfAborted()
    const why = `Failed to prepare dynamic resources: ${(error as Error).message}`
    deps.events.warning(pod, 'FailedPrepareDynamicResources', why)
    return false
  }
}

/** Host ports that the sandbox itself does not open. */
export async function openHostPorts(deps: PodDeps, pod: BoundPod, podIps: readonly string[]): Promise<void> {
  const [podIp] = podIps
  const ports = hostPorts(pod)
  if (podIp !== undefined && ports.length > 0) await deps.network.setHostPorts(pod.metadata.uid, podIp, ports)
}

/** Milliseconds until the container may be started again; told of as CrashLoopBackOff. */
function backOffOf({ backOff, clock, events }: PodDeps, inputs: SyncInputs, slot: ContainerSlot): number {
  const { pod, observed, failures } = inputs
  const { name } = slot.container
  const ended = observed.containers.find((container) => container.name === name && container.state === 'exited')
  if (!ended) return 0
  const key = backOffKey(pod, slot)
  const waitMs = backOff.remaining(key, ended.finishedAt, clock.now())
  if (waitMs === 0) {
    backOff.next(key, ended.finishedAt, clock.now(), backOffOfPod(pod.metadata.annotations))
    return 0
  }
  const wait = formatDuration(backOff.current(key))
  const message = `back-off ${wait} restarting failed container=${name} pod=${describePod(pod)}`
  if (failures.get(name)?.message !== message) {
    const told = `Back-off restarting failed container ${name} in pod ${describePod(pod)}`
    events.warning(pod, 'BackOff', told, slot)
  }
  failures.set(name, { reason: 'CrashLoopBackOff', message })
  return waitMs
}

const backOffKey = ({ metadata }: BoundPod, { container }: ContainerSlot): string =>
  `${metadata.uid}/${container.name}/${container.image}/${JSON.stringify(container.resources ?? {})}`

async function startAll(
  deps: PodDeps,
  { pod, observed, failures, signal }: SyncInputs,
  slots: readonly ContainerSlot[],
  given: Place & {
    volumes: MountedVolumes
    images: ReadonlyMap<string, Promise<{ imageRef: string; imageId: string }>>
    later: SyncOutcome
  },
): Promise<SyncOutcome> {
  const retries: number[] = given.later.retryMs === undefined ? [] : [given.later.retryMs]
  let failed = false
  for (const slot of slots) {
    const { name } = slot.container
    signal.throwIfAborted()
    try {
      const image = given.images.get(name) as Promise<{ imageRef: string; imageId: string }>
      await startContainer(deps, { pod, slot, observed, signal, ...given, image })
      failures.delete(name)
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      failures.set(name, { reason: error.reason, message: error.message })
      retries.push(retryAfter(deps, pod, slot, error))
      failed = true
      // Nothing goes on behind an init container that could not be started; a sidecar holds nobody up.
      if (slot.role === 'init' && !isSidecar(slot.container)) break
    }
  }
  await forgetOldest(deps, pod, observed)
  if (!failed) return { retryMs: 0 }
  return { retryMs: Math.min(...retries) }
}

/** An image that failed is soon looked at again, to say that it is waited for; and then when its wait is over. */
function retryAfter({ images, clock }: PodDeps, pod: BoundPod, { container }: ContainerSlot, { reason }: StartError) {
  if (reason === 'ErrImagePull') return imageRetryMs
  const at = reason === 'ImagePullBackOff' ? images.nextTry(pod.metadata.uid, container.image ?? '') : undefined
  return at === undefined ? startRetryMs : Math.max(1, at - clock.now())
}

/** Of each container the runtime keeps the newest and the one before it; their logs go with the others. */
async function forgetOldest({ cri, node }: PodDeps, pod: BoundPod, observed: ObservedPod): Promise<void> {
  const met = new Set<string>()
  for (const { id, name, state, restartCount } of observed.containers) {
    if (!met.has(name)) met.add(name)
    else if (state === 'exited') {
      await cri.removeContainer(id)
      await rm(join(podLogDirectory(node.logRoot, pod), name, `${restartCount}.log`), { force: true })
    }
  }
}
