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
  /**
   * Gives back the memory that LMDB's mapping of the file has come to occupy, about a millisecond's work. Not while
   * writing; and reads must wait for `remapping` where it is set.
   */
  remap(): Promise<void>
  readonly remapping: Promise<void> | undefined
  close(): Promise<void>
}

/** Address space, not memory: large enough never to be outgrown, as growing means mapping the file once more. */
const mapBytes = 64 * 2 ** 30

export function openTree(path: string): Tree {
  let db = openFile(path)
  let remapping: Promise<void> | undefined
  return {
    get: (key) => db.getBinary(key),
    range: (start, end, options) => db.getRange(rangeOptions(start, end, options)),
    keys: (start, end, options) => db.getKeys(rangeOptions(start, end, options)),
    count: (start, end, options) => db.getKeysCount(rangeOptions(start, end, options)),
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
      } finally {
        db.resetReadTxn()
      }
    },
    remap() {
      remapping = db.close().then(() => {
        db = openFile(path)
        remapping = undefined
      })
      return remapping
    },
    get remapping() {
      return remapping
    },
    close: () => db.close(),
  }
}

function openFile(path: string): RootDatabase<Buffer, Buffer> {
  return open({
    path,
    noSubdir: true,
    keyEncoding: 'binary',
    encoding: 'binary',
    maxDbs: 1,
    mapSize: mapBytes,
    // Plain LMDB commits: data synced, then the header page, then visible. Nothing is ever seen that a crash can undo.
    overlappingSync: false,
    // Batches are ours to make (writer.ts), so LMDB need not wait for the end of the event turn to start one.
    eventTurnBatching: false,
    ...{ txnStartThreshold: 1 },
  })
}

function rangeOptions(start: Buffer, end: Buffer, options: { after?: boolean; limit?: number } = {}) {
  const limit = options.limit === undefined ? {} : { limit: options.limit }
  return { start, end, exclusiveStart: options.after ?? false, ...limit }
}

function ignore(): void {}

async function asUnavailable(error: unknown): Promise<Unavailable> {
  // LMDB's own message arrives as a second promise, settled just after.
  const cause = (error as { commitError?: Promise<unknown> }).commitError
  const detail = await Promise.resolve(cause).catch((reason: unknown) => reason)
  const why = detail instanceof Error ? detail.message : String(error)
  return new Unavailable(`nothing was written: the disk refused (${why}); is it full?`, { cause: detail ?? error })
}
