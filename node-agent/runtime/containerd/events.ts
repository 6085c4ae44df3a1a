import { Client, credentials } from '@grpc/grpc-js'
import { caller } from '../client.ts'
import type { Cri } from '../cri.ts'
import { messageReader, readServices } from '../grpc.ts'
import type { RuntimeEvent } from '../index.ts'
import eventsProto from '../proto/containerd-events.proto?raw'

interface Envelope {
  topic: string
  event: { typeUrl: string; value: Uint8Array } | null
}

const topics: Record<string, RuntimeEvent['type']> = {
  '/tasks/start': 'started',
  '/tasks/exit': 'exited',
  '/tasks/delete': 'deleted',
}

/** containerd's own events, which every version sends at once. Says which sandbox a container belongs to where it still can. */
export function containerdEvents(
  endpoint: string,
  cri: Cri,
): { listen(signal: AbortSignal): AsyncIterable<RuntimeEvent>; close(): void } {
  const client = new Client(endpoint, credentials.createInsecure())
  const call = caller(client, readServices(eventsProto)('containerd.services.events.v1.Events'))
  const read = {
    started: messageReader<{ containerId: string; id?: string }>(eventsProto, 'TaskStart'),
    exited: messageReader<{ containerId: string; id?: string }>(eventsProto, 'TaskExit'),
    deleted: messageReader<{ containerId: string; id?: string }>(eventsProto, 'TaskDelete'),
  }
  const filters = Object.keys(topics).map((topic) => `namespace==k8s.io,topic=="${topic}"`)
  /** The sandbox of each container; a sandbox's own is itself. */
  const sandboxOf = new Map<string, string>()

  const learn = async (id: string): Promise<void> => {
    const [container] = await cri.listContainers({ id })
    if (container) sandboxOf.set(id, container.podSandboxId)
    else if ((await cri.listPodSandbox({ id })).length > 0) sandboxOf.set(id, id)
  }
  async function* listen(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    for await (const { topic, event } of call.stream<Envelope>('Subscribe', { filters }, signal)) {
      const type = topics[topic]
      if (!type || type === 'resync' || !event) continue
      const { containerId, id = '' } = read[type](event.value)
      // A command run in a container has a name of its own.
      if (id !== '' && id !== containerId) continue
      if (!sandboxOf.has(containerId)) await learn(containerId)
      const sandboxId = sandboxOf.get(containerId)
      if (type === 'deleted') sandboxOf.delete(containerId)
      if (sandboxId === containerId) yield { sandboxId, type }
      else yield { containerId, type, ...(sandboxId === undefined ? {} : { sandboxId }) }
    }
  }
  return { listen, close: () => client.close() }
}
