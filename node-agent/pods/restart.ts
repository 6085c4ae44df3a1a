import type { Container, PodSpec } from '../../api/generated/types.ts'
import { latestContainer, type ObservedContainer, type ObservedPod } from './observed.ts'
import type { BoundPod } from './types.ts'

/** Whether a container that exited with this code is to be started again: its own rules first, then the pod's policy. */
export function restartsAfterExit(container: Container, spec: PodSpec, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (action !== 'Restart' || !exitCodes) continue
    const listed = exitCodes.values?.includes(exitCode) ?? false
    if (exitCodes.operator === 'NotIn' ? !listed : listed) return true
  }
  switch (container.restartPolicy ?? spec.restartPolicy ?? 'Always') {
    case 'Never':
      return false
    case 'OnFailure':
      return exitCode !== 0
    default:
      return true
  }
}

/** Whether a container that is stopped by us, and so has no exit code of its own, comes back. */
export const restartsAfterKill = (container: Container, spec: PodSpec): boolean =>
  (container.restartPolicy ?? spec.restartPolicy ?? 'Always') !== 'Never'

/** Whether the container, which may be absent, stopped or half made, is to be started now. */
export function shouldStart(container: Container, pod: BoundPod, observed: ObservedPod): boolean {
  // A pod that is being deleted gets no new containers.
  if (pod.metadata.deletionTimestamp !== undefined) return false
  const latest = latestContainer(observed, container.name)
  if (!latest) return true
  switch (latest.state) {
    case 'running':
      return false
    case 'exited':
      return restartsAfterExit(container, pod.spec, latest.exitCode)
    default:
      return true
  }
}

/** Out of memory counts as a failure whatever the exit code: a child may have been the victim. */
export const initContainerFailed = (container: ObservedContainer): boolean =>
  container.reason === 'OOMKilled' ||
  container.state === 'unknown' ||
  (container.state === 'exited' && container.exitCode !== 0)

/** Whether initialisation must be over: some regular container was already made. */
export function anyRegularCreated(pod: BoundPod, observed: ObservedPod): boolean {
  return pod.spec.containers.some(({ name }) => latestContainer(observed, name) !== undefined)
}

/** Whether some regular container has been started in the newest sandbox. */
export function anyRegularStarted(pod: BoundPod, observed: ObservedPod): boolean {
  const sandbox = observed.sandboxes[0]?.id
  return observed.containers.some(
    ({ name, sandboxId, state }) =>
      sandboxId === sandbox && state !== 'created' && pod.spec.containers.some((container) => container.name === name),
  )
}
