import type { WatchEvent } from './client.ts'

/** One write as its client saw it. `version` is what the server acknowledged; undefined: nobody knows whether it was made. */
export interface WriteRecord {
  key: string
  /** undefined: a delete. Values are never used twice for a key. */
  value: string | undefined
  version: number | undefined
  startedAt: number
  endedAt: number
}

export interface ReadRecord {
  key: string
  /** undefined: not there. */
  value: string | undefined
  /** The version of the object; of an absence, undefined. */
  version: number | undefined
  startedAt: number
  endedAt: number
}

/** What one watcher saw, over all its connections; each says where it resumed. */
export interface WatchRecord {
  name: string
  connections: { from: number; events: WatchEvent[] }[]
}

export interface History {
  writes: WriteRecord[]
  reads: ReadRecord[]
  watches: WatchRecord[]
}

interface Change {
  key: string
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  value: string | undefined
  version: number
}

/**
 * Says what is wrong with a history, in the manner of etcd's robustness tests. The changes themselves are taken from
 * the watches, which must agree; every acknowledged write must be among them, at its version, and every read must be
 * possible at some moment between its start and its end.
 */
export function faultsOf({ writes, reads, watches }: History): string[] {
  const faults: string[] = []
  const changes = new Map<number, Change>()
  for (const watch of watches) checkWatch(watch, changes, faults)
  const all = [...changes.values()].sort((a, b) => a.version - b.version)
  for (const watch of watches) checkReliable(watch, all, faults)
  checkTypes(all, faults)
  checkWrites(writes, changes, faults)
  for (const key of new Set(reads.map((read) => read.key))) {
    const its = all.filter((change) => change.key === key)
    const acknowledged = writes.filter((write) => write.key === key && write.version !== undefined)
    for (const read of reads) if (read.key === key) checkRead(read, its, acknowledged, faults)
  }
  return faults
}

/** Ordered, unique, resumable (nothing at or before where it resumed), bookmarkable; and equal to what others saw. */
function checkWatch({ name, connections }: WatchRecord, changes: Map<number, Change>, faults: string[]): void {
  for (const { from, events } of connections) {
    let last = from
    for (const { type, object } of events) {
      const version = Number(object.metadata.resourceVersion)
      if (type === 'ERROR') {
        if (object.code !== 410) faults.push(`${name}: an error in the stream: ${JSON.stringify(object)}`)
        continue
      }
      if (type === 'BOOKMARK') {
        if (version < last) faults.push(`${name}: a bookmark at ${version} after ${last}`)
        last = Math.max(last, version)
        continue
      }
      if (version <= last) faults.push(`${name}: ${type} at ${version} after ${last}`)
      last = version
      const value = type === 'DELETED' ? undefined : object.data?.value
      const change: Change = { key: object.metadata.name ?? '', type, value, version }
      const known = changes.get(version)
      if (!known) changes.set(version, change)
      else if (JSON.stringify(known) !== JSON.stringify(change)) {
        faults.push(`${name}: saw ${JSON.stringify(change)}, another ${JSON.stringify(known)}`)
      }
    }
  }
}

/** Between the version where a connection began and the last it spoke of, it has brought every change. */
function checkReliable({ name, connections }: WatchRecord, all: readonly Change[], faults: string[]): void {
  for (const { from, events } of connections) {
    const seen = new Set(events.map(({ object }) => Number(object.metadata.resourceVersion)))
    const last = Math.max(
      from,
      ...events.filter(({ type }) => type !== 'ERROR').map(({ object }) => Number(object.metadata.resourceVersion)),
    )
    for (const { version, key } of all) {
      if (version > from && version <= last && !seen.has(version)) faults.push(`${name}: missed ${key} at ${version}`)
    }
  }
}

function checkTypes(all: readonly Change[], faults: string[]): void {
  const standing = new Set<string>()
  const known = new Set<string>()
  for (const { key, type, version } of all) {
    // What stood before the first watch began is not known.
    if (known.has(key) && (type === 'ADDED') === standing.has(key)) {
      faults.push(`${key}: ${type} at ${version} though it was ${standing.has(key) ? 'there' : 'absent'}`)
    }
    known.add(key)
    if (type === 'DELETED') standing.delete(key)
    else standing.add(key)
  }
}

function checkWrites(writes: readonly WriteRecord[], changes: ReadonlyMap<number, Change>, faults: string[]): void {
  const made = new Set<string>()
  for (const write of writes) {
    made.add(`${write.key}=${write.value}`)
    if (write.version === undefined) continue
    const change = changes.get(write.version)
    if (!change) faults.push(`the write of ${write.key}=${write.value} at ${write.version} is in no watch`)
    else if (change.key !== write.key || change.value !== write.value) {
      faults.push(
        `at ${write.version} ${write.key}=${write.value} was acknowledged, ${change.key}=${change.value} seen`,
      )
    }
  }
  const versions = writes.flatMap(({ version }) => version ?? [])
  if (new Set(versions).size < versions.length) faults.push('two writes were acknowledged at one version')
  for (const { key, value } of changes.values()) {
    if (value !== undefined && !made.has(`${key}=${value}`)) faults.push(`nobody wrote ${key}=${value}`)
  }
  // In real time: a write that began after another had been acknowledged has the higher version.
  const acknowledged = writes.filter(({ version }) => version !== undefined).sort((a, b) => a.endedAt - b.endedAt)
  let newest = 0
  let next = 0
  for (const write of [...acknowledged].sort((a, b) => a.startedAt - b.startedAt)) {
    for (; next < acknowledged.length && acknowledged[next]!.endedAt < write.startedAt; next++) {
      newest = Math.max(newest, acknowledged[next]!.version as number)
    }
    if ((write.version as number) <= newest) {
      faults.push(`${write.key} was written at ${write.version} after ${newest} had been acknowledged`)
    }
  }
}

/** The state that was read must not have been replaced before the read began, nor come from after its end. */
function checkRead(
  read: ReadRecord,
  changes: readonly Change[],
  acknowledged: readonly WriteRecord[],
  faults: string[],
): void {
  const before = acknowledged.filter(({ endedAt }) => endedAt < read.startedAt)
  const floor = Math.max(0, ...before.map(({ version }) => version as number))
  const what = `a read of ${read.key} gave ${read.value} at ${read.version}`
  if (read.version === undefined) {
    const standing = changes.findLast(({ version }) => version <= floor)
    const laterDelete = changes.some(({ type, version }) => type === 'DELETED' && version >= floor)
    if (standing && standing.type !== 'DELETED' && !laterDelete) faults.push(`${what}, though ${floor} stood`)
    return
  }
  const change = changes.find(({ version }) => version === read.version)
  if (change && change.value !== read.value) faults.push(`${what}, but ${change.value} was written there`)
  if (read.version < floor) faults.push(`${what}, though ${floor} had been acknowledged before it began`)
  const its = acknowledged.find(({ version }) => version === read.version)
  if (its && its.startedAt > read.endedAt) faults.push(`${what}, which was not yet written`)
}
