/**
 * How the store lies in LMDB's one tree. By the first byte of the key:
 *   c KEY           the entry as it is now: crc, revisions, expiry, value
 *   e TIME KEY      what expires when
 *   h KEY 0 REV     KEY was changed at REV: whether it was there before and after
 *   l REV           the commit at REV: when and by whom, and each key with the entry that stood there before
 *   m               meta: revision, compaction revision, bytes of history
 * History is kept as undo: the state at an old revision is the present one, except for keys changed since, whose
 * first change after that revision says what stood there. So reads of the present never meet history, forgetting is
 * deleting the oldest `l` and their `h`, and every value is written once now and once more when it is replaced.
 * The meta record changes with every commit: next to the newest `l` it costs no page of its own. Every record carries a CRC: LMDB has none.
 */
import { crc32 } from 'node:zlib'
import type { Author, Revision } from '../store.ts'
import { StoreUnusable } from '../store.ts'

/** Since 2, commits say when and by whom. What 1 wrote is read as well. */
export const formatVersion = 2
export const metaKey = Buffer.from('m')

export interface Meta {
  revision: Revision
  compacted: Revision
  /** About the bytes `h` and `l` take. */
  historyBytes: number
}

/** An entry as it lies in the tree. */
export interface Row {
  createRevision: Revision
  modRevision: Revision
  /** Milliseconds since 1970; 0: never. */
  expiresMs: number
  value: Buffer
}

/** One key's part of a commit: what stood there before, and whether the key is there afterwards. */
export interface Undo {
  key: string
  before: Row | undefined
  exists: boolean
}

/** When and by whom a commit was made. */
export interface Note {
  timeMs: number
  author: Author | undefined
}

export const present = 1
export const presentBefore = 2

const magic = 0x474e5459
const rowHeader = 28
/** In the count of a commit's changes: a note follows. */
const noted = 0x8000_0000
const noteHeader = 10

export function encodeMeta(meta: Meta): Buffer {
  const out = Buffer.allocUnsafe(36)
  out.writeUInt32BE(magic, 4)
  out.writeUInt32BE(formatVersion, 8)
  out.writeDoubleBE(meta.revision, 12)
  out.writeDoubleBE(meta.compacted, 20)
  out.writeDoubleBE(meta.historyBytes, 28)
  return seal(out)
}

/** Throws {@link StoreUnusable} for damage ('corrupt'), a stranger ('foreign') or another version ('format'). */
export function decodeMeta(raw: Buffer): Meta {
  if (raw.length < 12 || raw.readUInt32BE(4) !== magic)
    throw new StoreUnusable('foreign', 'the database is not a Gantry store')
  const version = raw.readUInt32BE(8)
  if (version < 1 || version > formatVersion)
    throw new StoreUnusable('format', `the store has format ${version}; this Gantry reads format ${formatVersion}`)
  if (raw.length !== 36 || !intact(raw)) throw new StoreUnusable('corrupt', 'the store’s meta record is damaged')
  return { revision: raw.readDoubleBE(12), compacted: raw.readDoubleBE(20), historyBytes: raw.readDoubleBE(28) }
}

export function currentKey(key: string): Buffer {
  return tagged('c', key, 0)
}

export function expiryKey(expiresMs: number, key: string): Buffer {
  const length = Buffer.byteLength(key)
  const out = Buffer.allocUnsafe(9 + length)
  out.write('e', 0)
  writeRevision(out, expiresMs, 1)
  out.write(key, 9, length)
  return out
}

export function historyKey(key: string, revision: Revision): Buffer {
  const out = tagged('h', key, 9)
  out[out.length - 9] = 0
  writeRevision(out, revision, out.length - 8)
  return out
}

export function logKey(revision: Revision): Buffer {
  const out = Buffer.allocUnsafe(9)
  out.write('l', 0)
  writeRevision(out, revision, 1)
  return out
}

/** The revision (or time) at the end of a key, or at `offset`. */
export function readRevision(key: Uint8Array, offset = key.length - 8): number {
  const view = Buffer.from(key.buffer, key.byteOffset, key.length)
  return view.readUInt32BE(offset) * 2 ** 32 + view.readUInt32BE(offset + 4)
}

/** The first key after all that start with `prefix` under `tag`: the prefix with its last byte raised. */
export function rangeEnd(tag: string, prefix: string): Buffer {
  const out = tagged(tag, prefix, 0)
  // UTF-8 has no 0xff, so the last byte can always be raised.
  out[out.length - 1] = (out[out.length - 1] ?? 0) + 1
  return out
}

export function tagged(tag: string, key: string, room: number): Buffer {
  const length = Buffer.byteLength(key)
  const out = Buffer.allocUnsafe(1 + length + room)
  out.write(tag, 0)
  out.write(key, 1, length)
  return out
}

export function encodeRow(row: Row): Buffer {
  // A buffer of its own: LMDB's writer thread reads it later.
  const out = Buffer.allocUnsafe(rowHeader + row.value.length)
  writeRow(out, row, 4)
  row.value.copy(out, rowHeader)
  return seal(out)
}

/** `raw` is kept as the value's memory. Throws {@link StoreUnusable} when the record is damaged. */
export function decodeRow(key: string, raw: Buffer): Row {
  if (raw.length < rowHeader || !intact(raw))
    throw new StoreUnusable('corrupt', `the record of ${key} is damaged: restore the store from a snapshot`)
  return readRow(raw, 4, raw.subarray(rowHeader))
}

export function encodeCommit(undos: readonly Undo[], { timeMs, author }: Note): Buffer {
  const who = author ? JSON.stringify([author.user, author.manager ?? '', author.subresource ?? '']) : ''
  const whoBytes = Buffer.byteLength(who)
  let size = 8 + noteHeader + whoBytes
  for (const undo of undos)
    size += 3 + Buffer.byteLength(undo.key) + (undo.before ? rowHeader + undo.before.value.length : 0)
  const out = Buffer.allocUnsafe(size)
  out.writeUInt32BE((undos.length | noted) >>> 0, 4)
  out.writeDoubleBE(timeMs, 8)
  out.writeUInt16BE(whoBytes, 16)
  out.write(who, 8 + noteHeader)
  let at = 8 + noteHeader + whoBytes
  for (const { key, before, exists } of undos) {
    out[at] = (exists ? present : 0) | (before ? presentBefore : 0)
    const length = out.write(key, at + 3)
    out.writeUInt16BE(length, at + 1)
    at += 3 + length
    if (!before) continue
    writeRow(out, before, at)
    out.writeUInt32BE(before.value.length, at + 24)
    before.value.copy(out, at + rowHeader)
    at += rowHeader + before.value.length
  }
  return seal(out)
}

/** Throws {@link StoreUnusable} when the record is damaged. */
export function decodeCommit(revision: Revision, raw: Buffer): Undo[] {
  checkCommit(revision, raw)
  const undos: Undo[] = []
  const count = raw.readUInt32BE(4)
  let at = count & noted ? 8 + noteHeader + raw.readUInt16BE(16) : 8
  for (let left = count & ~noted; left > 0; left--) {
    const flags = raw[at] ?? 0
    const keyEnd = at + 3 + raw.readUInt16BE(at + 1)
    const key = raw.toString('utf8', at + 3, keyEnd)
    at = keyEnd
    let before: Row | undefined
    if (flags & presentBefore) {
      const start = at + rowHeader
      const end = start + raw.readUInt32BE(at + 24)
      before = readRow(raw, at, raw.subarray(start, end))
      at = end
    }
    undos.push({ key, before, exists: (flags & present) !== 0 })
  }
  return undos
}

/** When and by whom, of a commit's record; undefined for one of the format before. Throws {@link StoreUnusable}. */
export function decodeNote(revision: Revision, raw: Buffer): Note | undefined {
  checkCommit(revision, raw)
  if (!(raw.readUInt32BE(4) & noted)) return undefined
  const timeMs = raw.readDoubleBE(8)
  const who = raw.toString('utf8', 8 + noteHeader, 8 + noteHeader + raw.readUInt16BE(16))
  if (who === '') return { timeMs, author: undefined }
  const [user, manager, subresource] = JSON.parse(who) as [string, string, string]
  return { timeMs, author: { user, ...(manager ? { manager } : {}), ...(subresource ? { subresource } : {}) } }
}

function checkCommit(revision: Revision, raw: Buffer): void {
  if (raw.length < 8 || !intact(raw))
    throw new StoreUnusable('corrupt', `the record of revision ${revision} is damaged: restore from a snapshot`)
}

function writeRow(out: Buffer, row: Row, at: number): void {
  out.writeDoubleBE(row.createRevision, at)
  out.writeDoubleBE(row.modRevision, at + 8)
  out.writeDoubleBE(row.expiresMs, at + 16)
}

function readRow(raw: Buffer, at: number, value: Buffer): Row {
  return {
    createRevision: raw.readDoubleBE(at),
    modRevision: raw.readDoubleBE(at + 8),
    expiresMs: raw.readDoubleBE(at + 16),
    value,
  }
}

function writeRevision(out: Buffer, revision: number, at: number): void {
  out.writeUInt32BE(Math.floor(revision / 2 ** 32), at)
  out.writeUInt32BE(revision >>> 0, at + 4)
}

function seal(record: Buffer): Buffer {
  record.writeUInt32BE(crc32(record.subarray(4)), 0)
  return record
}

function intact(record: Buffer): boolean {
  return record.readUInt32BE(0) === crc32(record.subarray(4))
}
