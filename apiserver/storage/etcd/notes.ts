import type { Author, Change, Commit, Revision } from '../store.ts'

interface Note {
  timeMs: number
  author: Author | undefined
}

/** What the key of notes holds: when and by whom the commit was made that wrote it. */
export function encodeNote({ timeMs, author }: Note): Buffer {
  const { user, manager, subresource } = author ?? {}
  return Buffer.from(JSON.stringify({ at: timeMs, user, manager, sub: subresource }))
}

export function decodeNote(revision: Revision, value: Buffer): Commit {
  const { at, user, manager, sub } = JSON.parse(value.toString()) as Record<'user' | 'manager' | 'sub', string> & {
    at: number
  }
  const author = user ? { user, ...(manager ? { manager } : {}), ...(sub ? { subresource: sub } : {}) } : undefined
  return { revision, timeMs: at, author }
}

/** Whether a commit changes something whatever stands there: only then may a note go along, as a note moves the revision. */
export function isEffective(changes: readonly Change[]): boolean {
  return changes.some(({ value, expect }) => value !== null || typeof expect === 'number')
}

/** Deletions of what is known to be there. */
export function certainDeletions(changes: readonly Change[]): Change[] {
  return changes.filter(({ value, expect }) => value === null && typeof expect === 'number')
}
