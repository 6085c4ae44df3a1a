import { type ContainerEvent, type Cri, CriError } from './cri.ts'
import type { RuntimeEvent } from './index.ts'

const retryMs = 200

/**
 * Keeps a stream of events going until the signal fires: after each break waits a little, connects again, and says
 * `resync`, for what happened meanwhile was not heard.
 */
export async function* keepListening(
  listen: (signal: AbortSignal) => AsyncIterable<RuntimeEvent>,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent> {
  while (!signal.aborted) {
    try {
      for await (const event of listen(signal)) yield event
    } catch (error) {
      if (!(error instanceof CriError)) throw error
    }
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, retryMs)
      signal.addEventListener('abort', end)
    })
    if (!signal.aborted) yield { type: 'resync' }
  }
}

const types: Partial<Record<ContainerEvent['containerEventType'], RuntimeEvent['type']>> = {
  CONTAINER_STARTED_EVENT: 'started',
  CONTAINER_STOPPED_EVENT: 'exited',
  CONTAINER_DELETED_EVENT: 'deleted',
}

/** The interface's own events, of runtimes that have them. A sandbox's bears its own id as the container's. */
export async function* criEvents(cri: Cri, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  for await (const { containerId, containerEventType, podSandboxStatus } of cri.getContainerEvents(signal)) {
    const type = types[containerEventType]
    if (!type) continue
    const sandboxId = podSandboxStatus?.id
    if (sandboxId === containerId) yield { sandboxId, type }
    else yield { containerId, type, ...(sandboxId === undefined ? {} : { sandboxId }) }
  }
}
