/**
 * The snapshot format, one for both stores: a magic line, then records of [length u32][check u32][payload]. A payload
 * begins with its kind: H (JSON header), E (an entry), Z (JSON trailer with the number of entries). The check is a CRC
 * chained over all payloads so far, so that a missing, repeated or moved record shows like a changed one.
 */
import { crc32 } from 'node:zlib'
import type { Entry, Revision } from './store.ts'

export interface SnapshotEntry extends Entry {
  /** Seconds left until the entry expires; 0: it does not. */
  ttlSeconds: number
}

export interface SnapshotHeader {
  format: 1
  revision: Revision
  /** RFC 3339. */
  created: string
}

/** What was read is not a whole, undamaged snapshot. */
export class SnapshotDamaged extends Error {
  constructor(what: string) {
    super(`not a usable snapshot: ${what}`)
    this.name = 'SnapshotDamaged'
  }
}

const magic = Buffer.from('gantry snapshot\n')
const entryHeader = 27
const largestRecord = 64 << 20
const chunkBytes = 256 << 10

/** The snapshot of these entries at `revision`, in chunks. */
export async function* encodeSnapshot(
  revision: Revision,
  entries: AsyncIterable<SnapshotEntry>,
): AsyncGenerator<Uint8Array> {
  const framer = new Framer()
  const header: SnapshotHeader = { format: 1, revision, created: new Date().toISOString() }
  let chunk: Buffer[] = [magic, ...framer.frame(jsonRecord('H', header))]
  let bytes = 0
  let count = 0
  for await (const entry of entries) {
    const record = entryRecord(entry)
    chunk.push(...framer.frame(record))
    bytes += record.length
    count++
    if (bytes < chunkBytes) continue
    yield Buffer.concat(chunk)
    chunk = []
    bytes = 0
  }
  yield Buffer.concat([...chunk, ...framer.frame(jsonRecord('Z', { entries: count }))])
}

/** Reads a snapshot's header; `entries` reads on from there. Both throw {@link SnapshotDamaged}. */
export async function decodeSnapshot(
  source: AsyncIterable<Uint8Array>,
): Promise<{ header: SnapshotHeader; entries: AsyncGenerator<SnapshotEntry> }> {
  const records = readRecords(source)
  const first = await records.next()
  if (first.done || first.value[0] !== kind('H')) throw new SnapshotDamaged('it has no header')
  const header = JSON.parse(first.value.toString('utf8', 1)) as SnapshotHeader
  if (header.format !== 1) throw new SnapshotDamaged(`it has format ${String(header.format)}; this Gantry reads 1`)
  return { header, entries: readEntries(records) }
}

async function* readEntries(records: AsyncGenerator<Buffer>): AsyncGenerator<SnapshotEntry> {
  let count = 0
  for await (const record of records) {
    if (record[0] === kind('E')) {
      count++
      yield readEntry(record)
      continue
    }
    const trailer = JSON.parse(record.toString('utf8', 1)) as { entries: number }
    if (record[0] !== kind('Z') || trailer.entries !== count) throw new SnapshotDamaged('entries are missing')
    const surplus = await records.next()
    if (!surplus.done) throw new SnapshotDamaged('something follows its end')
    return
  }
  throw new SnapshotDamaged('it is cut short')
}

async function* readRecords(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const framer = new Framer()
  let rest: Buffer = Buffer.alloc(0)
  let isStarted = false
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let at = 0
    if (!isStarted) {
      if (rest.length < magic.length) continue
      if (!rest.subarray(0, magic.length).equals(magic)) throw new SnapshotDamaged('it does not begin like one')
      isStarted = true
      at = magic.length
    }
    while (rest.length - at >= 8) {
      const length = rest.readUInt32BE(at)
      if (length === 0 || length > largestRecord) throw new SnapshotDamaged('a record has an impossible length')
      if (rest.length - at - 8 < length) break
      const record = rest.subarray(at + 8, at + 8 + length)
      if (framer.check(record) !== rest.readUInt32BE(at + 4)) throw new SnapshotDamaged('a checksum does not match')
      yield record
      at += 8 + length
    }
    rest = rest.subarray(at)
  }
  if (rest.length > 0 || !isStarted) throw new SnapshotDamaged('it is cut short')
}

class Framer {
  #chain = 0

  check(payload: Buffer): number {
    this.#chain = crc32(payload, this.#chain)
    return this.#chain
  }

  frame(payload: Buffer): Buffer[] {
    const head = Buffer.allocUnsafe(8)
    head.writeUInt32BE(payload.length, 0)
    head.writeUInt32BE(this.check(payload), 4)
    return [head, payload]
  }
}

function kind(letter: string): number {
  return letter.charCodeAt(0)
}

function jsonRecord(letter: string, value: unknown): Buffer {
  return Buffer.from(letter + JSON.stringify(value))
}

function entryRecord(entry: SnapshotEntry): Buffer {
  const keyLength = Buffer.byteLength(entry.key)
  const out = Buffer.allocUnsafe(entryHeader + keyLength + entry.value.length)
  out[0] = kind('E')
  out.writeUInt16BE(keyLength, 1)
  out.writeDoubleBE(entry.createRevision, 3)
  out.writeDoubleBE(entry.modRevision, 11)
  out.writeDoubleBE(entry.ttlSeconds, 19)
  out.write(entry.key, entryHeader)
  entry.value.copy(out, entryHeader + keyLength)
  return out
}

function readEntry(record: Buffer): SnapshotEntry {
  if (record.length < entryHeader) throw new SnapshotDamaged('an entry is too short')
  const keyEnd = entryHeader + record.readUInt16BE(1)
  return {
    key: record.toString('utf8', entryHeader, keyEnd),
    createRevision: record.readDoubleBE(3),
    modRevision: record.readDoubleBE(11),
    ttlSeconds: record.readDoubleBE(19),
    value: Buffer.from(record.subarray(keyEnd)),
  }
}
