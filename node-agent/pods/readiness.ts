import type { Container, ContainerStatus } from '../../api/generated/types.ts'
import type { ProbeVerdict } from './steps.ts'
import { isSidecar } from './types.ts'

/** What readiness and startup probes last said, by the container's id without its prefix. */
export interface ReadinessVerdicts {
  readiness(containerId: string): ProbeVerdict | undefined
  startup(containerId: string): ProbeVerdict | undefined
}

/** The statuses with `started` and `ready` filled in, as the probes say; a container without a probe is ready once it runs. */
export function withReadiness(
  statuses: readonly ContainerStatus[],
  containers: readonly Container[],
  verdicts: ReadinessVerdicts,
  role: 'init' | 'container' | 'ephemeral',
): ContainerStatus[] {
  return statuses.map((status) => {
    const container = containers.find(({ name }) => name === status.name)
    if (!container) return status
    if (role === 'ephemeral') return { ...status, ready: false, started: status.state?.running !== undefined }
    const id = status.containerID?.split('://')[1] ?? ''
    const started = isStarted(status, container, id, verdicts)
    if (role === 'init' && !isSidecar(container)) {
      return { ...status, started, ready: status.state?.terminated?.exitCode === 0 }
    }
    const ready = started && (!container.readinessProbe || verdicts.readiness(id) === 'success')
    return { ...status, started, ready }
  })
}

function isStarted(status: ContainerStatus, container: Container, id: string, verdicts: ReadinessVerdicts): boolean {
  if (!status.state?.running) return false
  if (!container.startupProbe) return true
  const verdict = verdicts.startup(id)
  return verdict === undefined ? false : verdict === 'success'
}
