import type { Change, Entry, Revision, Store, StoreEvent } from './store.ts'

/** A change that writes a text. */
export function put(key: string, value: string, expect: Change['expect']): Change {
  return { key, value: Buffer.from(value), expect }
}

/** A change that deletes. */
export function remove(key: string, expect: Change['expect']): Change {
  return { key, value: null, expect }
}

/** An entry's value as text. */
export function text(entry: Entry | undefined): string | undefined {
  return entry?.value.toString()
}

/** Events as `type key`. */
export function eventKeys(events: readonly StoreEvent[]): string[] {
  return events.map((event) => `${event.type} ${event.key}`)
}

/** The events of a watch until `enough` says so; what follows in the same batch is cut where it did. */
export async function gather(
  store: Store,
  prefix: string,
  after: Revision,
  enough: (events: StoreEvent[]) => boolean,
): Promise<StoreEvent[]> {
  const events: StoreEvent[] = []
  if (enough(events)) {
    // Still open the watch: whether that is refused may be the question.
    for await (const _ of store.watch(prefix, after, AbortSignal.timeout(200))) break
    return events
  }
  for await (const batch of store.watch(prefix, after, AbortSignal.timeout(15_000))) {
    if ('progress' in batch) continue
    for (const [i, event] of batch.entries()) {
      events.push(event)
      // Only between commits: whoever resumes names a revision.
      if (batch[i + 1]?.revision !== event.revision && enough(events)) return events
    }
  }
  throw new Error(`the watch ended after ${events.length} events: ${eventKeys(events).slice(-5).join(', ')}`)
}
