import type { Container, ContainerState, ContainerStatus, VolumeMountStatus } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { reportedResources } from '../resize/reported.ts'
import { latestContainer, type ObservedContainer, type ObservedPod } from './observed.ts'
import { omitUndefined } from './omit.ts'
import { anyRegularCreated, shouldStart } from './restart.ts'
import { type BoundPod, type ContainerRole, isSidecar } from './types.ts'

/** Why a container that should run does not, told by the last attempt to start it: `CrashLoopBackOff`, `ErrImagePull` … */
export interface StartFailure {
  reason: string
  message: string
}

export interface StatusInputs {
  pod: BoundPod
  observed: ObservedPod
  /** What a container's id is prefixed with: `containerd`. */
  runtimeName: string
  failures: ReadonlyMap<string, StartFailure>
}

/**
 * The statuses of one list of containers as upstream reports them, from what the runtime has of each (the two newest),
 * what was reported before, and why starting failed. `ready` and `started` are set elsewhere: see readiness.ts.
 */
export function containerStatuses(
  inputs: StatusInputs,
  role: ContainerRole,
  previous: readonly ContainerStatus[],
): ContainerStatus[] {
  const { pod, observed } = inputs
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec
  const list: Container[] = role === 'init' ? initContainers : role === 'container' ? containers : ephemeralContainers
  const before = new Map(previous.map((status) => [status.name, status]))
  const statuses = list.map((container) => {
    const old = before.get(container.name)
    const history = observed.containers.filter(({ name }) => name === container.name)
    const status =
      history.length > 0
        ? fromRuntime(inputs, container, history, old)
        : withoutTrace(pod, container, initContainers.length > 0, old)
    return withStartFailure(inputs, role, container, status)
  })
  return role === 'init' ? statuses : statuses.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** Nothing of it is in the runtime: not made yet, or lost. */
function withoutTrace(
  pod: BoundPod,
  container: Container,
  hasInit: boolean,
  old: ContainerStatus | undefined,
): ContainerStatus {
  if (old?.state?.terminated) return old
  const status: ContainerStatus = omitUndefined<ContainerStatus>({
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    restartCount: old?.restartCount ?? 0,
    state: { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } },
    lastState: old?.lastState ?? {},
    volumeMounts: mountStatuses(container),
  })
  if (!old?.state?.running || status.lastState?.terminated) return status
  // It ran and is gone: it must not look as if it had never run.
  status.lastState = {
    terminated: {
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was deleted.  The container used to be Running',
      exitCode: 137,
    },
  }
  if (pod.metadata.deletionTimestamp === undefined) status.restartCount++
  return status
}

function fromRuntime(
  { runtimeName }: StatusInputs,
  container: Container,
  [latest, earlier]: readonly ObservedContainer[],
  old: ContainerStatus | undefined,
): ContainerStatus {
  const seen = latest as ObservedContainer
  const id = `${runtimeName}://${seen.id}`
  const lastState = earlier ? stateOf(runtimeName, earlier) : lastStateFrom(old, id)
  return omitUndefined<ContainerStatus>({
    name: container.name,
    image: seen.image,
    imageID: seen.imageId,
    containerID: id,
    ready: false,
    restartCount: Math.max(seen.restartCount, old?.containerID === id ? old.restartCount : 0),
    state: seen.state === 'unknown' && old?.state?.running ? lostState : stateOf(runtimeName, seen),
    lastState,
    allocatedResources: container.resources?.requests,
    resources: reportedResources(container, seen.state === 'running' ? seen.resources : undefined),
    user: seen.user ? { linux: seen.user } : undefined,
    volumeMounts: mountStatuses(container),
  })
}

/** What was reported of the container before this one, when the runtime has it no longer. */
function lastStateFrom(old: ContainerStatus | undefined, id: string): ContainerState {
  if (old?.containerID !== undefined && old.containerID !== id && old.state?.terminated) return old.state
  return old?.lastState ?? {}
}

/** Of a container that ran and of which the runtime knows nothing more. */
export const lostState: ContainerState = {
  terminated: {
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    exitCode: 137,
  },
}

function stateOf(runtimeName: string, seen: ObservedContainer): ContainerState {
  switch (seen.state) {
    case 'running':
      return { running: { startedAt: formatTime(seen.startedAt) } }
    case 'exited':
      return {
        terminated: omitUndefined({
          exitCode: seen.exitCode,
          reason: seen.reason || (seen.exitCode === 0 ? 'Completed' : 'Error'),
          message: seen.message || undefined,
          startedAt: seen.startedAt > 0 ? formatTime(seen.startedAt) : undefined,
          finishedAt: seen.finishedAt > 0 ? formatTime(seen.finishedAt) : undefined,
          containerID: `${runtimeName}://${seen.id}`,
        }),
      }
    default:
      return { waiting: {} }
  }
}

/** A container that should be started and could not be is waiting, for the reason told. */
function withStartFailure(
  { pod, observed, failures }: StatusInputs,
  role: ContainerRole,
  container: Container,
  status: ContainerStatus,
): ContainerStatus {
  const latest = latestContainer(observed, container.name)
  if (role === 'init') {
    if (latest?.state === 'exited' && latest.exitCode === 0 && !isSidecar(container)) return status
    if (!latest && !isSidecar(container) && anyRegularCreated(pod, observed) && status.state?.waiting) {
      const message =
        'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally'
      return { ...status, state: { terminated: { exitCode: 0, reason: 'Completed', message } } }
    }
  }
  const failure = failures.get(container.name)
  if (!failure || !shouldStart(container, pod, observed)) return status
  return {
    ...status,
    lastState: status.state?.terminated ? status.state : (status.lastState ?? {}),
    state: { waiting: { reason: failure.reason, message: failure.message } },
  }
}

function mountStatuses({ volumeMounts }: Container): VolumeMountStatus[] | undefined {
  return volumeMounts?.map(({ name, mountPath, readOnly, recursiveReadOnly }) =>
    omitUndefined<VolumeMountStatus>({
      name,
      mountPath,
      readOnly: readOnly || undefined,
      // Where it was demanded the container could not have been made without it.
      recursiveReadOnly: readOnly ? (recursiveReadOnly === 'Enabled' ? 'Enabled' : 'Disabled') : undefined,
    }),
  )
}
