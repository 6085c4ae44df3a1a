import { isNotFound } from '../../client/errors.ts'
import { volumeAttachments } from '../../client/resources.ts'
import type { Api, Clock } from '../../client/types.ts'
import { MountFailure } from './types.ts'

const patienceMs = 120_000
const firstPauseMs = 100
const longestPauseMs = 2000

/**
 * Waits until the volume is attached to this node, and answers what the driver says of that. Nodes may read single
 * attachments but watch none.
 */
export async function attachment(
  { api, clock, signal }: { api: Pick<Api, 'get'>; clock: Clock; signal: AbortSignal },
  name: string,
): Promise<Record<string, string>> {
  const start = clock.now()
  let fault = `volume attachment ${name} is not there yet`
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
    const found = await api.get(volumeAttachments, { name }, { signal }).catch((error) => {
      if (!isNotFound(error)) throw error
    })
    // One that goes away serves nobody who comes now.
    if (found && found.metadata.deletionTimestamp === undefined) {
      if (found.status?.attached) return found.status.attachmentMetadata ?? {}
      fault = found.status?.attachError?.message ?? `volume attachment ${name} is not attached yet`
    }
    if (clock.now() - start >= patienceMs) throw new MountFailure('MountVolume.WaitForAttach', fault)
    await clock.sleep(pauseMs, signal)
  }
}
