import { open, type RootDatabase } from 'lmdb'
import { Unavailable } from '../store.ts'

/** One change to the tree; null removes. */
export type Put = [key: Buffer, value: Buffer | null]

/** LMDB's one tree, with binary keys and values: ordered reads of the newest durable state, and atomic durable writes. */
export interface Tree {
  get(key: Buffer): Buffer | undefined
  /** Keys and values of [start, end). */
  range(
    start: Buffer,
    end: Buffer,
    options?: { after?: boolean; limit?: number },
  ): Iterable<{ key: Buffer; value: Buffer }>
  keys(start: Buffer, end: Buffer, options?: { after?: boolean; limit?: number }): Iterable<Buffer>
  count(start: Buffer, end: Buffer, options?: { after?: boolean }): number
  /** Resolves when all of it is on disk; throws {@link Unavailable} when none of it is. One at a time. */
  write(puts: readonly Put[]): Promise<void>
  close(): Promise<void>
}

export function openTree(path: string): Tree {
  const db: RootDatabase<Buffer, Buffer> = open({
    path,
    noSubdir: true,
    keyEncoding: 'binary',
    encoding: 'binary',
    maxDbs: 1,
    // Plain LMDB commits: data synced, then the header page, then visible. Nothing is ever seen that a crash can undo.
    overlappingSync: false,
    // Batches are ours to make (writer.ts), so LMDB need not wait for the end of the event turn to start one.
    eventTurnBatching: false,
    ...{ txnStartThreshold: 1 },
  })
  return {
    get: (key) => db.getBinary(key),
    range: (start, end, options) =>
      db.getRange({ start, end, exclusiveStart: options?.after ?? false, ...limited(options) }),
    keys: (start, end, options) =>
      db.getKeys({ start, end, exclusiveStart: options?.after ?? false, ...limited(options) }),
    count: (start, end, options) => db.getKeysCount({ start, end, exclusiveStart: options?.after ?? false }),
    async write(puts) {
      try {
        await db.batch(() => {
          for (const [key, value] of puts) {
            // Each carries a promise of its own, settled like the batch's.
            if (value) db.put(key, value).catch(ignore)
            else db.remove(key).catch(ignore)
          }
        })
      } catch (error) {
        throw await asUnavailable(error)
      }
      db.resetReadTxn()
    },
    close: () => db.close(),
  }
}

function limited(options: { limit?: number } | undefined): { limit?: number } {
  return options?.limit === undefined ? {} : { limit: options.limit }
}

function ignore(): void {}

async function asUnavailable(error: unknown): Promise<Unavailable> {
  // LMDB's own message arrives as a second promise, settled just after.
  const cause = (error as { commitError?: Promise<unknown> }).commitError
  const detail = await Promise.resolve(cause).catch((reason: unknown) => reason)
  const why = detail instanceof Error ? detail.message : String(error)
  return new Unavailable(`nothing was written: the disk refused (${why}); is it full?`, { cause: detail ?? error })
}
