import { podQOS } from '../../api/core/pod-qos.ts'
import type { ContainerStatus, PodCondition, PodStatus } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { podConditions } from './conditions.ts'
import { containerStatuses, lostState, type StartFailure } from './container-status.ts'
import type { ObservedPod } from './observed.ts'
import { omitUndefined } from './omit.ts'
import { type PodPhase, phaseOf } from './phase.ts'
import { sandboxToUse } from './plan.ts'
import { type ReadinessVerdicts, withReadiness } from './readiness.ts'
import { anyRegularStarted } from './restart.ts'
import { type BoundPod, isStaticPod, isTerminalPhase } from './types.ts'

export interface PodStatusInputs {
  pod: BoundPod
  observed: ObservedPod
  /** The status last reported, or the API's after a restart of the agent. */
  before: PodStatus
  failures: ReadonlyMap<string, StartFailure>
  probes: ReadinessVerdicts
  runtimeName: string
  hostIps: readonly string[]
  /** How far a change of the pod's size has come. */
  resize?: readonly PodCondition[]
  now: number
  /** Nothing of the pod runs any longer, or will. */
  stopped: boolean
  /** The node ends the pod for its own reasons: eviction, deadline. */
  failed?: { reason: string; message: string } | undefined
}

/** The status of a pod as the API shows it. Pure. */
export function podStatus(inputs: PodStatusInputs): PodStatus {
  const { pod, observed, before, now } = inputs
  const lists = statusLists(inputs)
  const { init, ephemeral } = lists
  const main = inputs.stopped ? withoutLost(lists.main) : lists.main
  const counted = [...init, ...main]
  const computed = phaseOf(pod, counted, { stopped: inputs.stopped, started: anyRegularStarted(pod, observed) })
  const over = inputs.stopped && !isStaticPod(pod) && !isTerminalPhase(computed)
  const phase = settledPhase(inputs, over ? 'Failed' : computed)
  const told = inputs.failed ?? (phase === before.phase ? before : undefined)
  return omitUndefined<PodStatus>({
    phase,
    reason: told?.reason || undefined,
    message: told?.message || undefined,
    conditions: podConditions({
      pod,
      statuses: counted,
      phase,
      resize: isTerminalPhase(phase) ? [] : (inputs.resize ?? []),
      hasSandbox: !sandboxToUse(pod, observed).create,
      anyRegularStarted: main.some(({ state }) => state?.running || state?.terminated),
      before: before.conditions ?? [],
      now,
    }),
    startTime: before.startTime ?? formatTime(now),
    ...addresses(inputs),
    qosClass: podQOS(pod),
    initContainerStatuses: init.length > 0 ? init : undefined,
    containerStatuses: main,
    ephemeralContainerStatuses: ephemeral.length > 0 ? ephemeral : undefined,
    observedGeneration: pod.metadata.generation,
  })
}

/** When all is over, a container of which nothing is known any more has failed, if the pod had begun to run at all. */
function withoutLost(statuses: ContainerStatus[]): ContainerStatus[] {
  const begun = statuses.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated)
  if (!begun) return statuses
  return statuses.map((status) => (status.state?.terminated ? status : { ...status, state: lostState }))
}

function statusLists(inputs: PodStatusInputs): Record<'init' | 'main' | 'ephemeral', ContainerStatus[]> {
  const { pod, before, probes } = inputs
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec
  const init = containerStatuses(inputs, 'init', before.initContainerStatuses ?? [])
  const main = containerStatuses(inputs, 'container', before.containerStatuses ?? [])
  const ephemeral = containerStatuses(inputs, 'ephemeral', before.ephemeralContainerStatuses ?? [])
  return {
    init: withReadiness(init, initContainers, probes, 'init'),
    main: withReadiness(main, containers, probes, 'container'),
    ephemeral: withReadiness(ephemeral, ephemeralContainers, probes, 'ephemeral'),
  }
}

/** A pod never leaves a terminal phase, whoever set it. */
function settledPhase({ pod, before, failed }: PodStatusInputs, computed: PodPhase): PodPhase {
  if (isTerminalPhase(pod.status?.phase)) return pod.status?.phase as PodPhase
  if (isTerminalPhase(before.phase)) return before.phase as PodPhase
  return failed ? 'Failed' : computed
}

function addresses({ pod, observed, before, hostIps }: PodStatusInputs): Partial<PodStatus> {
  const [hostIp] = hostIps
  const hosts = hostIp === undefined ? {} : { hostIP: hostIp, hostIPs: hostIps.map((ip) => ({ ip })) }
  const fromSandbox = observed.sandboxes[0]?.ips ?? []
  const known = before.podIPs?.flatMap(({ ip }) => (ip === undefined ? [] : [ip])) ?? []
  const ips = pod.spec.hostNetwork
    ? known.length > 0
      ? known
      : hostIps
    : fromSandbox.length > 0
      ? sortByFamily(fromSandbox, hostIp)
      : known
  const [podIp] = ips
  return podIp === undefined ? hosts : { ...hosts, podIP: podIp, podIPs: ips.map((ip) => ({ ip })) }
}

/** One address of each family at most, that of the node's first. */
function sortByFamily(ips: readonly string[], hostIp: string | undefined): string[] {
  const isV6 = (ip: string): boolean => ip.includes(':')
  const primaryV6 = hostIp !== undefined && isV6(hostIp)
  const primary = ips.find((ip) => isV6(ip) === primaryV6)
  const secondary = ips.find((ip) => isV6(ip) !== primaryV6)
  return [primary, secondary].filter((ip) => ip !== undefined)
}

/** The first status of a pod that this node refuses to run. */
export function rejectedStatus(pod: BoundPod, reason: string, message: string, now: number): PodStatus {
  return {
    ...pod.status,
    phase: 'Failed',
    reason,
    message: `Pod was rejected: ${message}`,
    qosClass: podQOS(pod),
    startTime: pod.status?.startTime ?? formatTime(now),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
}
