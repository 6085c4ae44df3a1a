import type { Revision } from '../store.ts'
import { decodeCommit, decodeNote, historyKey, logKey, readRevision } from './layout.ts'
import type { Tree } from './tree.ts'
import type { Forgetting } from './writer.ts'

/** What one step forgets at most: little enough to go along with any batch unnoticed. */
const stepChanges = 500
const stepBytes = 1 << 20

export interface HistoryLimits {
  /** History younger than this is kept, within maxBytes. */
  keepMs: number
  /** Beyond this the oldest history goes, however young. */
  maxBytes: number
}

/** Decides how much history goes, and finds what to remove for it, a small step at a time. */
export class Forgetter {
  readonly #limits: HistoryLimits
  #target: Revision
  /** What was made at this time or before is old, in milliseconds since 1970. */
  #oldMs = Number.NEGATIVE_INFINITY
  #hasOld = false
  /** Nothing at or below this is left in the tree. */
  #cleared: Revision = 0

  constructor(compacted: Revision, limits: HistoryLimits) {
    this.#target = compacted
    this.#limits = limits
  }

  /** Lets go of what has grown old: by its own word, so that a restart forgets nothing and keeps nothing longer. */
  tick(tree: Tree, nowMs: number, revision: Revision): void {
    this.#oldMs = nowMs - this.#limits.keepMs
    for (const { key, value } of tree.range(logKey(0), logKey(revision + 1), { limit: 1 }))
      this.#hasOld = this.#isOld(readRevision(key), value)
  }

  /** What does not say when it was made is of the format before, and old. */
  #isOld(revision: Revision, record: Buffer): boolean {
    return (decodeNote(revision, record)?.timeMs ?? Number.NEGATIVE_INFINITY) <= this.#oldMs
  }

  compact(below: Revision): void {
    this.#target = Math.max(this.#target, below)
  }

  /** Whether there is something to forget. */
  isDue(historyBytes: number): boolean {
    return this.#hasOld || this.#cleared < this.#target || historyBytes > this.#limits.maxBytes
  }

  next(tree: Tree, revision: Revision, historyBytes: number): Forgetting | undefined {
    if (!this.isDue(historyBytes)) return undefined
    let excess = historyBytes - this.#limits.maxBytes
    const step: Forgetting = { keys: [], bytes: 0, compacted: this.#target }
    for (const { key, value } of tree.range(logKey(0), logKey(revision + 1))) {
      const at = readRevision(key)
      if (at > this.#target && excess <= 0 && !this.#isOld(at, value)) break
      if (step.keys.length >= stepChanges || step.bytes >= stepBytes) return step
      let bytes = value.length
      for (const undo of decodeCommit(at, value)) {
        const history = historyKey(undo.key, at)
        step.keys.push(history)
        bytes += history.length + 1
      }
      step.keys.push(Buffer.from(key))
      step.bytes += bytes
      step.compacted = Math.max(step.compacted, at)
      excess -= bytes
    }
    this.#hasOld = false
    // Nothing is left to forget: whatever was counted, it is not there.
    if (excess > 0) step.bytes = historyBytes
    this.#target = step.compacted
    this.#cleared = step.compacted
    return step
  }
}
