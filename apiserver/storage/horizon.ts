import { Compacted, type Revision, type Store } from './store.ts'

export interface HorizonOptions {
  /** Reads and watches reach back at least so far. */
  reachMs: number
  /** How often the horizon moves. */
  stepMs: number
  onError: (error: unknown) => void
}

/**
 * A store whose reads and watches reach back minutes, however long its history is: clients learn by a 410 that they were
 * away too long, as they do from upstream's servers, rather than be fed a day's changes one by one. `stop` ends its clock.
 */
export function withHorizon(store: Store, options: HorizonOptions): { store: Store; stop: () => void } {
  let horizon: Revision = 0
  const milestones: { atMs: number; revision: Revision }[] = []
  const step = async () => {
    const revision = await store.revision()
    const nowMs = performance.now()
    if (milestones.at(-1)?.revision !== revision) milestones.push({ atMs: nowMs, revision })
    while (milestones.length > 0 && (milestones[0]?.atMs ?? 0) <= nowMs - options.reachMs)
      horizon = milestones.shift()?.revision ?? horizon
  }
  const timer = setInterval(() => step().catch(options.onError), options.stepMs)
  timer.unref()
  const check = (at: Revision | undefined) => {
    if (at !== undefined && at < horizon) throw new Compacted(at, horizon)
  }
  const limited: Store = {
    async get(key, at) {
      check(at)
      return store.get(key, at)
    },
    async list(prefix, listOptions) {
      check(listOptions?.at)
      return store.list(prefix, listOptions)
    },
    async *watch(prefix, after, signal) {
      check(after)
      yield* store.watch(prefix, after, signal)
    },
    commit: (changes, author) => store.commit(changes, author),
    requestProgress: () => store.requestProgress(),
    compact: (below) => store.compact(below),
    oldest: async () => Math.max(await store.oldest(), horizon),
    commitAt: (at) => store.commitAt(at),
    versions: (key, versionsOptions) => store.versions(key, versionsOptions),
    revision: () => store.revision(),
    sizeBytes: () => store.sizeBytes(),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
  }
  return { store: limited, stop: () => clearInterval(timer) }
}
