import type { ContainerStatus, PodStatus } from '../../api/generated/types.ts'
import type { StatusWriter } from './status-writer.ts'
import type { BoundPod } from './types.ts'
import type { PodWorkers } from './workers.ts'

/** The pods of this node as its server shows them: with the newest status, which the API may not have yet. */
export class AgentPods {
  readonly #workers: PodWorkers
  readonly #statuses: StatusWriter

  constructor(workers: PodWorkers, statuses: StatusWriter) {
    this.#workers = workers
    this.#statuses = statuses
  }

  list(): BoundPod[] {
    return this.#workers.list().map(({ pod }) => ({ ...pod, status: this.#statuses.current(pod) }))
  }

  find(namespace: string, name: string): BoundPod | undefined {
    return this.list().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  }

  /** The runtime's id of a container, or of the one before it. */
  containerId(
    namespace: string,
    pod: string,
    container: string,
    { previous = false }: { previous?: boolean } = {},
  ): string | undefined {
    const status = allStatuses(this.find(namespace, pod)?.status).find(({ name }) => name === container)
    const id = previous ? status?.lastState?.terminated?.containerID : (status?.containerID ?? endedId(status))
    return id?.split('://')[1]
  }
}

const endedId = (status: ContainerStatus | undefined): string | undefined => status?.lastState?.terminated?.containerID

const allStatuses = (status: PodStatus = {}): ContainerStatus[] => [
  ...(status.containerStatuses ?? []),
  ...(status.initContainerStatuses ?? []),
  ...(status.ephemeralContainerStatuses ?? []),
]
