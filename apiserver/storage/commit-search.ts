import type { Commit, Revision } from './store.ts'

/**
 * The newest revision in [oldest, newest] that was there at a time, by asking when a few of them were made. A revision
 * that does not say is taken for old. `oldest` where all is younger.
 */
export async function revisionAtTime(
  commitAt: (at: Revision) => Promise<Commit | undefined>,
  timeMs: number,
  oldest: Revision,
  newest: Revision,
): Promise<Revision> {
  let low = oldest
  let high = newest
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    const commit = await commitAt(middle)
    if ((commit?.timeMs ?? Number.NEGATIVE_INFINITY) <= timeMs) low = middle
    else high = Math.max(low, middle - 1)
  }
  return low
}

/** The least revision in [low, high] of which `holds` is true; it is true of `high`, and of all after one of which it is. */
export async function firstRevision(
  holds: (revision: Revision) => Promise<boolean>,
  low: Revision,
  high: Revision,
): Promise<Revision> {
  let from = low
  let to = high
  while (from < to) {
    const middle = from + Math.floor((to - from) / 2)
    if (await holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}
