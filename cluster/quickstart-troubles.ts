import { podHint } from '../cli/describe/pod-hint.ts'
import { isNotFound } from '../client/errors.ts'
import { events, pods } from '../client/resources.ts'
import type { Api } from '../client/types.ts'

interface App {
  namespace: string
  /** What the names of its pods begin with. */
  name: string
}

/**
 * Says what keeps an application's pods from running as soon as they warn of it, and what to do, each thing once: who waits
 * for them need not wait until the end to hear of it. Settles when the signal fires.
 */
export async function tellTroubles(
  api: Api,
  { namespace, name }: App,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>()
  const selection = { namespace, fieldSelector: 'type=Warning', signal }
  while (!signal.aborted) {
    const { metadata } = await api.list(events, selection)
    for await (const change of api.watch(events, { ...selection, resourceVersion: metadata.resourceVersion })) {
      if (change.type === 'BOOKMARK') continue
      const { involvedObject } = change.object
      if (involvedObject?.kind !== 'Pod' || !involvedObject.name?.startsWith(`${name}-`)) continue
      try {
        const pod = await api.get(pods, { namespace, name: involvedObject.name })
        const hint = podHint(pod, [change.object], Date.now())
        if (hint && !told.has(hint)) tell(`pod ${pod.metadata.name}: ${hint}`)
        if (hint) told.add(hint)
      } catch (error) {
        // Gone meanwhile.
        if (!isNotFound(error)) throw error
      }
    }
  }
}
