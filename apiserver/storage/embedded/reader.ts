import type { Entry, Revision, StoreEvent, Version, VersionsOptions } from '../store.ts'
import { Compacted, FutureRevision, StoreUnusable } from '../store.ts'
import {
  currentKey,
  decodeCommit,
  decodeNote,
  decodeRow,
  historyKey,
  logKey,
  type Note,
  present,
  presentBefore,
  type Row,
  rangeEnd,
  readRevision,
  tagged,
  type Undo,
} from './layout.ts'
import type { Tree } from './tree.ts'

export interface Bounds {
  revision: Revision
  compacted: Revision
}

/** Throws {@link Compacted} or {@link FutureRevision} unless one may read at `at`. */
export function checkReadable(at: Revision, bounds: Bounds): void {
  if (at < bounds.compacted) throw new Compacted(at, bounds.compacted)
  if (at > bounds.revision) throw new FutureRevision(at, bounds.revision)
}

export function readRowNow(tree: Tree, key: string): Row | undefined {
  const raw = tree.get(currentKey(key))
  return raw && decodeRow(key, raw)
}

/** The entry as of `at`, which must be readable. */
export function readEntry(tree: Tree, key: string, at: Revision, bounds: Bounds): Entry | undefined {
  const row = at < bounds.revision ? readRowAt(tree, key, at) : readRowNow(tree, key)
  return row && entryOf(key, row)
}

export function entryOf(key: string, row: Row): Entry {
  return { key, value: row.value, createRevision: row.createRevision, modRevision: row.modRevision }
}

/** The first change after `at` knows what stood there until then; without one it is what stands there now. */
function readRowAt(tree: Tree, key: string, at: Revision): Row | undefined {
  const [change] = tree.keys(historyKey(key, at), historyKey(key, Number.MAX_SAFE_INTEGER), { after: true, limit: 1 })
  return change ? undoOf(tree, key, readRevision(change)).before : readRowNow(tree, key)
}

function undoOf(tree: Tree, key: string, revision: Revision): Undo {
  const undo = readCommit(tree, revision).find((candidate) => candidate.key === key)
  if (!undo) throw new StoreUnusable('corrupt', `revision ${revision} does not know of ${key}: restore from a snapshot`)
  return undo
}

function readCommit(tree: Tree, revision: Revision): Undo[] {
  const raw = tree.get(logKey(revision))
  if (!raw) throw new StoreUnusable('corrupt', `revision ${revision} is missing: restore the store from a snapshot`)
  return decodeCommit(revision, raw)
}

/** When and by whom the commit at a revision was made; undefined where that is not known, or forgotten. */
export function readNote(tree: Tree, revision: Revision): Note | undefined {
  const raw = tree.get(logKey(revision))
  return raw && decodeNote(revision, raw)
}

/** What stood at a key, newest first; the last may be what stood there before all that is remembered. */
export function readVersions(
  tree: Tree,
  key: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: VersionsOptions,
): { versions: Version[]; more: boolean } {
  const changes = [...tree.keys(historyKey(key, 0), historyKey(key, Number.MAX_SAFE_INTEGER))].map((raw) =>
    readRevision(raw),
  )
  const versions: Version[] = []
  let row = readRowNow(tree, key)
  for (let i = changes.length - 1; i >= 0; i--) {
    const revision = changes[i]!
    if (versions.length === limit) return { versions, more: true }
    if (revision < before) versions.push(versionOf(revision, row))
    row = undoOf(tree, key, revision).before
  }
  if (!row || row.modRevision >= before) return { versions, more: false }
  if (versions.length === limit) return { versions, more: true }
  return { versions: [...versions, versionOf(row.modRevision, row)], more: false }
}

function versionOf(revision: Revision, row: Row | undefined): Version {
  return { revision, value: row?.value, createRevision: row?.createRevision ?? revision }
}

export interface PageOptions {
  at: Revision
  after: string | undefined
  limit: number
  maxBytes: number
  /** Whether to count what is left after the page. */
  count: boolean
}

export interface Page {
  entries: Entry[]
  more: boolean
  /** Entries left after this page, if they were to be counted; else -1. */
  remaining: number
  /** The size of the values. */
  bytes: number
}

/** Some entries under `prefix` as of `at`, and whether more follow. */
export function readPage(tree: Tree, prefix: string, bounds: Bounds, options: PageOptions): Page {
  const rows =
    options.at < bounds.revision ? rowsAt(tree, prefix, bounds, options) : rowsNow(tree, prefix, options.after)
  const entries: Entry[] = []
  let bytes = 0
  let more = false
  for (const [key, row] of rows) {
    if (entries.length === options.limit || bytes >= options.maxBytes) {
      more = true
      break
    }
    entries.push(entryOf(key, row()))
    bytes += entries[entries.length - 1]!.value.length
  }
  const last = entries[entries.length - 1]?.key
  const remaining = more && options.count ? countAfter(tree, prefix, last, options.at, bounds) : -1
  return { entries, more, remaining, bytes }
}

type LazyRow = [key: string, row: () => Row]

function* rowsNow(tree: Tree, prefix: string, after: string | undefined): Iterable<LazyRow> {
  for (const { key, value } of tree.range(...scope('c', prefix, after))) {
    const name = key.toString('utf8', 1)
    yield [name, () => decodeRow(name, value)]
  }
}

/** The present rows and the keys changed since, merged by key: what was changed is taken as it was before. */
function* rowsAt(tree: Tree, prefix: string, bounds: Bounds, { at, after }: PageOptions): Iterable<LazyRow> {
  const changes = changesSince(tree, prefix, after, at, bounds)[Symbol.iterator]()
  let change = changes.next()
  for (const { key, value } of tree.range(...scope('c', prefix, after))) {
    const path = key.subarray(1)
    while (!change.done && Buffer.compare(change.value.path, path) < 0) {
      if (change.value.existed) yield lazyUndo(tree, change.value)
      change = changes.next()
    }
    if (!change.done && change.value.path.equals(path)) {
      if (change.value.existed) yield lazyUndo(tree, change.value)
      change = changes.next()
      continue
    }
    const name = key.toString('utf8', 1)
    yield [name, () => decodeRow(name, value)]
  }
  for (; !change.done; change = changes.next()) if (change.value.existed) yield lazyUndo(tree, change.value)
}

function lazyUndo(tree: Tree, change: KeyChange): LazyRow {
  const key = change.path.toString('utf8')
  return [key, () => undoOf(tree, key, change.first).before!]
}

interface KeyChange {
  path: Buffer
  /** The first change after the revision asked for. */
  first: Revision
  existed: boolean
  exists: boolean
}

/** Up to so many commits it is quicker to look at each than at all that is remembered of the keys. */
const fewCommits = 1000

/** Each key under `prefix` that was changed after `at`, in order. */
function changesSince(
  tree: Tree,
  prefix: string,
  after: string | undefined,
  at: Revision,
  { revision }: Bounds,
): Iterable<KeyChange> {
  return revision - at <= fewCommits
    ? changesByCommit(tree, prefix, after, at, revision)
    : changesByKey(tree, prefix, after, at)
}

/** They are remembered in order of their keys; what is older than `at` is passed over. */
function* changesByKey(tree: Tree, prefix: string, after: string | undefined, at: Revision): Iterable<KeyChange> {
  let current: KeyChange | undefined
  for (const { key, value } of tree.range(...scope('h', prefix, after))) {
    const revision = readRevision(key)
    if (revision <= at) continue
    const path = key.subarray(1, key.length - 9)
    const flags = value[0] ?? 0
    if (current?.path.equals(path)) {
      current.exists = (flags & present) !== 0
      continue
    }
    if (current) yield current
    current = { path, first: revision, existed: (flags & presentBefore) !== 0, exists: (flags & present) !== 0 }
  }
  if (current) yield current
}

/** From the few commits since. */
function changesByCommit(
  tree: Tree,
  prefix: string,
  after: string | undefined,
  at: Revision,
  newest: Revision,
): Iterable<KeyChange> {
  const changes = new Map<string, KeyChange>()
  const from = after === undefined ? undefined : Buffer.from(after)
  for (const { key: raw, value } of tree.range(logKey(at), logKey(newest + 1), { after: true })) {
    const revision = readRevision(raw)
    for (const { key, before, exists } of decodeCommit(revision, value)) {
      if (!key.startsWith(prefix)) continue
      const known = changes.get(key)
      if (known) {
        known.exists = exists
        continue
      }
      const path = Buffer.from(key)
      if (from && Buffer.compare(path, from) <= 0) continue
      changes.set(key, { path, first: revision, existed: before !== undefined, exists })
    }
  }
  return [...changes.values()].sort((a, b) => Buffer.compare(a.path, b.path))
}

function countAfter(tree: Tree, prefix: string, after: string | undefined, at: Revision, bounds: Bounds): number {
  let count = tree.count(...scope('c', prefix, after))
  if (at === bounds.revision) return count
  for (const change of changesSince(tree, prefix, after, at, bounds))
    count += Number(change.existed) - Number(change.exists)
  return count
}

function scope(tag: 'c' | 'h', prefix: string, after: string | undefined): [Buffer, Buffer, { after: boolean }] {
  if (after === undefined || Buffer.compare(Buffer.from(after), Buffer.from(prefix)) < 0)
    return [tagged(tag, prefix, 0), rangeEnd(tag, prefix), { after: false }]
  if (tag === 'c') return [currentKey(after), rangeEnd('c', prefix), { after: true }]
  // Past the last change of `after` itself: its changes end in a NUL and a revision.
  return [historyKey(after, Number.MAX_SAFE_INTEGER), rangeEnd('h', prefix), { after: true }]
}

/** The events of commits after `after`, oldest first, up to about `maxBytes`; and the revision they reach. */
export function replay(
  tree: Tree,
  prefix: string,
  after: Revision,
  bounds: Bounds,
  maxBytes: number,
): { events: StoreEvent[]; reached: Revision } {
  const events: StoreEvent[] = []
  let reached = bounds.revision
  let bytes = 0
  for (const { key, value } of tree.range(logKey(after), logKey(bounds.revision + 1), { after: true })) {
    const revision = readRevision(key)
    bytes += value.length
    for (const undo of decodeCommit(revision, value)) {
      if (!undo.key.startsWith(prefix)) continue
      const event = eventOf(tree, undo, revision)
      bytes += event.value?.length ?? 0
      events.push(event)
    }
    if (bytes >= maxBytes) {
      reached = revision
      break
    }
  }
  return { events, reached }
}

function eventOf(tree: Tree, { key, before, exists }: Undo, revision: Revision): StoreEvent {
  const value = exists ? readRowAt(tree, key, revision)?.value : undefined
  return {
    type: exists ? 'put' : 'delete',
    key,
    revision,
    value,
    previous: before?.value,
    created: exists && before === undefined,
  }
}
