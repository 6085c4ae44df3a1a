import type { ContainerState, Pod, PodSpec, PodStatus } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { humanDuration } from '../machinery/print.ts'
import type { Column } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { isSidecar } from './pod-spec/containers-of.ts'

type StoredPod = Stored<Pod>

/** What `kubectl get pods` shows of a pod. */
export interface PodSummary {
  ready: number
  containers: number
  status: string
  restarts: number
  /** Time of the last restart, if one is known. */
  restartedAt?: string
}

/** The one word (Running, Init:0/1, CrashLoopBackOff, Terminating, …) and the counts that sum a pod up. */
export function summarizePod(pod: StoredPod): PodSummary {
  const status: PodStatus = pod.status ?? {}
  const spec: PodSpec = pod.spec ?? { containers: [] }
  const summary: PodSummary = {
    ready: 0,
    containers: spec.containers?.length ?? 0,
    status: status.reason || (status.phase ?? ''),
    restarts: 0,
  }
  const gated = (status.conditions ?? []).some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')
  if (gated) summary.status = 'SchedulingGated'
  const initializing = summarizeInit(summary, spec, status)
  if (!initializing || hasTrueCondition(status, 'Initialized')) summarizeRunning(summary, spec, status)
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') summary.status = 'Unknown'
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') summary.status = 'Terminating'
  }
  return summary
}

export const podColumns: readonly Column<StoredPod>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    value: (pod) => {
      const { ready, containers } = summarizePod(pod)
      return `${ready}/${containers}`
    },
  },
  {
    name: 'Status',
    type: 'string',
    description: 'The aggregate status of the containers in this pod.',
    value: (pod) => summarizePod(pod).status,
  },
  {
    name: 'Restarts',
    type: 'string',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    value: (pod, nowMs) => {
      const { restarts, restartedAt } = summarizePod(pod)
      if (restarts === 0 || restartedAt === undefined) return String(restarts)
      return `${restarts} (${humanDuration(nowMs - Date.parse(restartedAt))} ago)`
    },
  },
  ageColumn,
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    description: 'Address of the pod within the cluster.',
    value: (pod) => pod.status?.podIPs?.[0]?.ip || '<none>',
  },
  {
    name: 'Node',
    type: 'string',
    priority: 1,
    description: 'Node the pod is bound to.',
    value: (pod) => pod.spec?.nodeName || '<none>',
  },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    description: 'Node on which room is being made for the pod.',
    value: (pod) => pod.status?.nominatedNodeName || '<none>',
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    priority: 1,
    description: 'Conditions that must be true, besides ready containers, before the pod is ready.',
    value: (pod) => {
      const gates = pod.spec?.readinessGates ?? []
      if (gates.length === 0) return '<none>'
      const open = gates.filter(
        ({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status === 'True',
      )
      return `${open.length}/${gates.length}`
    },
  },
]

const hasTrueCondition = (status: PodStatus, type: string): boolean =>
  (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True')

const later = (a: string | undefined, b: string | undefined): string | undefined =>
  b !== undefined && (a === undefined || Date.parse(b) > Date.parse(a)) ? b : a

function setRestartedAt(summary: PodSummary, time: string | undefined): void {
  if (time === undefined) delete summary.restartedAt
  else summary.restartedAt = time
}

/** Counts init containers; true while they have not all done their part. Only sidecars' counts outlast that. */
function summarizeInit(summary: PodSummary, spec: PodSpec, status: PodStatus): boolean {
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  summary.containers += sidecars.size
  const statuses = status.initContainerStatuses ?? []
  for (const [i, container] of statuses.entries()) {
    summary.restarts += container.restartCount ?? 0
    setRestartedAt(summary, later(summary.restartedAt, container.lastState?.terminated?.finishedAt))
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (sidecars.has(container.name) && container.started) {
      if (container.ready) summary.ready++
      continue
    }
    if (terminated) summary.status = `Init:${endOf(terminated)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.status = `Init:${waiting.reason}`
    else summary.status = `Init:${i}/${spec.initContainers?.length ?? 0}`
    return true
  }
  return false
}

function summarizeRunning(summary: PodSummary, spec: PodSpec, status: PodStatus): void {
  summary.restarts = 0
  setRestartedAt(summary, undefined)
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
  for (const container of status.initContainerStatuses ?? []) {
    if (!sidecars.includes(container.name)) continue
    summary.restarts += container.restartCount ?? 0
    setRestartedAt(summary, later(summary.restartedAt, container.lastState?.terminated?.finishedAt))
  }
  let running = false
  let failure = ''
  // The first container of the list has the last word.
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    summary.restarts += container.restartCount ?? 0
    setRestartedAt(summary, later(summary.restartedAt, container.lastState?.terminated?.finishedAt))
    const state: ContainerState = container.state ?? {}
    if (state.waiting?.reason) summary.status = state.waiting.reason
    else if (state.terminated) {
      summary.status = endOf(state.terminated)
      if (state.terminated.exitCode !== 0) failure = summary.status
    } else if (container.ready && state.running) {
      running = true
      summary.ready++
    }
  }
  if (summary.status !== 'Completed') return
  if (running && hasTrueCondition(status, 'Ready')) summary.status = 'Running'
  else if (failure) summary.status = failure
  else if (running) summary.status = 'NotReady'
}

function endOf({ reason, signal, exitCode }: NonNullable<ContainerState['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}
