import { createHash } from 'node:crypto'
import type { Turns } from '../../volumes/turns.ts'
import { CsiError } from '../errors.ts'
import type { SnapshotRecord, VolumeKind, VolumeRecord } from './kind.ts'
import { type DriverStore, isPlainName } from './store.ts'

export interface DriverOptions {
  /** The driver's own: everything it knows lies below it. */
  directory: string
  nodeName: string
  /** Whether this process may mount file systems. */
  mayMount: boolean
}

/** What the rpcs of a driver of ours have to work with. */
export interface DriverContext extends DriverOptions {
  kind: VolumeKind
  volumes: DriverStore<VolumeRecord>
  snapshots: DriverStore<SnapshotRecord>
  /** By volume: whatever is asked of one is done one after the other. */
  lock: Turns
}

/** The volume that is asked for. Throws NOT_FOUND. */
export async function volumeOf({ volumes }: DriverContext, id: string): Promise<VolumeRecord> {
  const record = await volumes.get(required(id, 'a volume id'))
  if (!record) throw new CsiError('NOT_FOUND', `there is no volume ${id} on this node`)
  return record
}

export function required(value: string, what: string): string {
  if (value === '') throw new CsiError('INVALID_ARGUMENT', `${what} is needed`)
  return value
}

/** The id of what is to have this name: the same each time, and fit to be the name of a directory. */
export const idFor = (name: string): string =>
  isPlainName(name) ? name : createHash('sha256').update(name).digest('hex').slice(0, 40)

export const capability = (type: string): { rpc: { type: string } } => ({ rpc: { type } })
