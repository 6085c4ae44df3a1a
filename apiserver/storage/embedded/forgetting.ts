import type { Revision } from '../store.ts'
import { decodeCommit, historyKey, logKey, readRevision } from './layout.ts'
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
  /** How far the store was when, oldest first. */
  #milestones: { atMs: number; revision: Revision }[] = []
  #target: Revision
  /** Nothing at or below this is left in the tree. */
  #cleared: Revision = 0

  constructor(compacted: Revision, limits: HistoryLimits) {
    this.#target = compacted
    this.#limits = limits
  }

  /** Notes where the store is now, and lets go of what has grown old since. */
  tick(nowMs: number, revision: Revision): void {
    if (this.#milestones[this.#milestones.length - 1]?.revision !== revision)
      this.#milestones.push({ atMs: nowMs, revision })
    while (this.#milestones.length > 0 && this.#milestones[0]!.atMs <= nowMs - this.#limits.keepMs)
      this.compact(this.#milestones.shift()!.revision)
  }

  compact(below: Revision): void {
    this.#target = Math.max(this.#target, below)
  }

  /** Whether there is something to forget. */
  isDue(historyBytes: number): boolean {
    return this.#cleared < this.#target || historyBytes > this.#limits.maxBytes
  }

  next(tree: Tree, revision: Revision, historyBytes: number): Forgetting | undefined {
    if (!this.isDue(historyBytes)) return undefined
    let excess = historyBytes - this.#limits.maxBytes
    const step: Forgetting = { keys: [], bytes: 0, compacted: this.#target }
    for (const { key, value } of tree.range(logKey(0), logKey(revision + 1))) {
      const at = readRevision(key)
      if (at > this.#target && excess <= 0) break
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
    // Nothing is left to forget: whatever was counted, it is not there.
    if (excess > 0) step.bytes = historyBytes
    this.#target = step.compacted
    this.#cleared = step.compacted
    return step
  }
}
