import { type PodSummary, summarizePod } from '../../api/core/pod-columns.ts'
import type { Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'

export type PodObject = Stored<Pod>

/** How something does: well, on its way, not well, or over. */
export type Health = 'good' | 'busy' | 'bad' | 'over'

export interface PodView extends PodSummary {
  health: Health
  /** Why it is not running as it should, in the words of whoever knows; '' when there is nothing to say. */
  why: string
}

const views = new WeakMap<PodObject, PodView>()
/** Words of containers that wait for nothing but their turn. */
const onTheWay = new Set([
  'ContainerCreating',
  'PodInitializing',
  'Pending',
  'Terminating',
  'NotReady',
  'SchedulingGated',
])

/** A pod as the page shows it; worked out once for each version of it. */
export function viewOf(pod: PodObject): PodView {
  let view = views.get(pod)
  if (!view) {
    const summary = summarizePod(pod)
    view = { ...summary, health: healthOf(pod, summary), why: whyOf(pod) }
    views.set(pod, view)
  }
  return view
}

function healthOf(pod: PodObject, { status, ready, containers }: PodSummary): Health {
  if (status === 'Completed' || status === 'Succeeded' || pod.status?.phase === 'Succeeded') return 'over'
  if (status === 'Running') return ready === containers ? 'good' : 'busy'
  if (isUnschedulable(pod)) return 'bad'
  return onTheWay.has(status) || /^Init:\d+\/\d+$/.test(status) ? 'busy' : 'bad'
}

const condition = (pod: PodObject, type: string) => pod.status?.conditions?.find((each) => each.type === type)

export const isUnschedulable = (pod: PodObject): boolean => condition(pod, 'PodScheduled')?.reason === 'Unschedulable'

/** The scheduler's word for a pod without a node; else that of the first container that is not well; else the pod's. */
function whyOf(pod: PodObject): string {
  const scheduled = condition(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return scheduled.message || scheduled.reason || 'not scheduled yet'
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  for (const { name, state = {}, lastState } of statuses) {
    const { waiting, terminated } = state
    if (waiting && waiting.reason !== 'ContainerCreating' && waiting.reason !== 'PodInitializing') {
      const before = lastState?.terminated
      const ended = before
        ? `; it ended with exit code ${before.exitCode}${before.reason ? ` (${before.reason})` : ''}`
        : ''
      return `${name}: ${waiting.message || waiting.reason || 'waits'}${ended}`
    }
    if (terminated && terminated.exitCode !== 0) {
      return `${name} ended with exit code ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ''}${terminated.message ? `: ${terminated.message}` : ''}`
    }
  }
  if (pod.status?.message) return pod.status.message
  const ready = condition(pod, 'Ready')
  return pod.status?.phase === 'Running' && ready?.status === 'False' ? (ready.message ?? '') : ''
}
