import type { Revision } from '../store.ts'
import type { Connection } from './connection.ts'

/** The key through which API servers, upstream's too, agree on who compacts. */
const electionKey = Buffer.from('compact_rev_key')

/**
 * Compacts away old history in rounds, as upstream's API servers do, and together with them: each round, whoever first
 * raises the key's version compacts; the others note the new version. `compact` is told where the store was a round ago:
 * nothing younger is to go.
 */
export class Compactor {
  readonly #connection: Connection
  readonly #compact: (roundAgo: Revision) => Promise<void>
  readonly #timer: NodeJS.Timeout
  #version = '0'
  #revision: Revision = 0

  constructor(
    connection: Connection,
    intervalMs: number,
    compact: (roundAgo: Revision) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#connection = connection
    this.#compact = compact
    this.#timer = setInterval(() => this.round().catch(onError), intervalMs)
    this.#timer.unref()
  }

  /** One round of the election, and the compaction if it is won. */
  async round(): Promise<void> {
    const value = Buffer.from(String(this.#revision))
    const result = await this.#connection.read((member, options) =>
      member.kv.txn(
        {
          compare: [{ key: electionKey, target: 'Version', result: 'Equal', version: this.#version }],
          success: [{ request_put: { key: electionKey, value } }],
          failure: [{ request_range: { key: electionKey } }],
        },
        options,
      ),
    )
    const old = this.#revision
    this.#revision = Number(result.header.revision)
    if (!result.succeeded) {
      this.#version = result.responses[0]?.response_range?.kvs[0]?.version ?? '0'
      return
    }
    this.#version = String(Number(this.#version) + 1)
    // The first round only learns where the store is.
    if (old === 0) return
    await this.#compact(old)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
