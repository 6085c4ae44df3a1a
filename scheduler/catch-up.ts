import { isNotFound } from '../client/errors.ts'
import { pods } from '../client/resources.ts'
import type { Api, Clock, Live } from '../client/types.ts'

export interface CatchUpContext {
  api: Api
  clock: Clock
  /** Whether it is known that this pod has a node. */
  isKnown: (uid: string) => boolean
  onError: (error: Error) => void
}

const lookAgainMs = 50
const askAgainMs = 1000
const pageSize = 500

/**
 * Waits until every pod that has a node by now is known. Who takes over from another has followed the cluster by a watch, which
 * may be late: places that the other gave away just now must not be given away again. Ends when the signal fires, too.
 */
export async function catchUp(context: CatchUpContext, signal: AbortSignal): Promise<void> {
  const { clock, isKnown } = context
  let missing = (await placedPods(context, signal)).filter(({ metadata }) => !isKnown(metadata.uid ?? ''))
  let askedAt = clock.now()
  while (missing.length > 0 && !signal.aborted) {
    await clock.sleep(lookAgainMs, signal).catch(() => {})
    missing = missing.filter(({ metadata }) => !isKnown(metadata.uid ?? ''))
    if (clock.now() - askedAt < askAgainMs) continue
    // One that has come and gone is never heard of.
    const standing = await Promise.all(missing.map((pod) => isThere(context, pod, signal)))
    missing = missing.filter((_, i) => standing[i])
    askedAt = clock.now()
  }
}

type PodMetadata = Live<object>

async function placedPods({ api, clock, onError }: CatchUpContext, signal: AbortSignal): Promise<PodMetadata[]> {
  while (!signal.aborted) {
    try {
      const found: PodMetadata[] = []
      let next: string | undefined
      do {
        const page = await api.list(pods, {
          fieldSelector: 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed',
          metadataOnly: true,
          limit: pageSize,
          ...(next ? { continue: next } : {}),
          signal,
        })
        found.push(...page.items)
        next = page.metadata.continue
      } while (next)
      return found
    } catch (error) {
      if (!signal.aborted) onError(error as Error)
      await clock.sleep(askAgainMs, signal).catch(() => {})
    }
  }
  return []
}

/** Anything but a clear no is taken for a yes. */
async function isThere({ api }: CatchUpContext, { metadata }: PodMetadata, signal: AbortSignal): Promise<boolean> {
  const { namespace, name, uid } = metadata
  try {
    const standing = await api.get(pods, { namespace, name }, { metadataOnly: true, signal })
    return standing.metadata.uid === uid
  } catch (error) {
    return !isNotFound(error)
  }
}
