import type { CoreV1Event } from '../api/generated/types.ts'
import { podHint } from '../cli/describe/pod-hint.ts'
import { events, pods } from '../client/resources.ts'
import type { Api, Clock, Key } from '../client/types.ts'

interface App {
  namespace: string
  /** What the names of its pods begin with. */
  name: string
}

/** What is wrong for no longer than this is the usual bustle of a start. */
const passesByMs = 5000

/**
 * Says what keeps an application's pods from running some seconds after they warn of it, and what to do, each thing once:
 * who waits for them need not wait until the end to hear of it. Settles when the signal fires.
 */
export async function tellTroubles(
  api: Api,
  { namespace, name }: App,
  tell: (text: string) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>()
  const look = async (key: Key, event: CoreV1Event) => {
    await clock.sleep(passesByMs, signal)
    const pod = await api.get(pods, key)
    const hint = podHint(pod, [event], clock.now())
    if (hint && !told.has(hint)) tell(`pod ${key.name}: ${hint}`)
    if (hint) told.add(hint)
  }
  const selection = { namespace, fieldSelector: 'type=Warning', signal }
  while (!signal.aborted) {
    const { metadata } = await api.list(events, selection)
    for await (const change of api.watch(events, { ...selection, resourceVersion: metadata.resourceVersion })) {
      if (change.type === 'BOOKMARK') continue
      const { involvedObject } = change.object
      if (involvedObject?.kind !== 'Pod' || !involvedObject.name?.startsWith(`${name}-`)) continue
      // A pod may be gone by then.
      look({ namespace, name: involvedObject.name }, change.object).catch(() => {})
    }
  }
}
