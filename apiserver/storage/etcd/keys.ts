import type { IKeyValue } from 'etcd3'
import type { SnapshotEntry } from '../snapshot-format.ts'
import type { Entry } from '../store.ts'

/** How the store's keys lie in etcd: under a prefix such as `/registry`, before the key's own `/`. */
export class Keys {
  readonly #prefix: string
  readonly #prefixBytes: number

  constructor(prefix: string) {
    this.#prefix = prefix
    this.#prefixBytes = Buffer.byteLength(prefix)
  }

  /** A key beside the store's own, which sorts just before them all: written where only the revision is to move. */
  get besides(): Buffer {
    return Buffer.from(`${this.#prefix}.progress`)
  }

  /** Written with each commit: when and by whom. It and {@link gone} sort before {@link besides}, where no watch looks. */
  get note(): Buffer {
    return Buffer.from(`${this.#prefix}.commit`)
  }

  /** Written when a key is deleted: without it nobody could find what stood there before. */
  gone(key: string): Buffer {
    return Buffer.from(`${this.#prefix}.gone${key}`)
  }

  key(key: string): Buffer {
    return Buffer.from(this.#prefix + key)
  }

  /** The first key to list: the prefix, or what follows `after`. */
  start(prefix: string, after?: string): Buffer {
    const start = this.key(prefix === '' ? '/' : prefix)
    if (after === undefined) return start
    const next = this.key(`${after}\0`)
    return Buffer.compare(start, next) < 0 ? next : start
  }

  /** The end of the range of keys that start with `prefix`. */
  end(prefix: string): Buffer {
    const end = this.key(prefix === '' ? '/' : prefix)
    // UTF-8 has no 0xff, so the last byte can always be raised.
    end[end.length - 1] = (end[end.length - 1] ?? 0) + 1
    return end
  }

  /** The store's key of an etcd key, or undefined for one that is not the store's. */
  own(raw: Buffer): string | undefined {
    const key = raw.toString()
    return key.startsWith(this.#prefix) && raw[this.#prefixBytes] === slash ? key.slice(this.#prefix.length) : undefined
  }

  entry(kv: IKeyValue): Entry {
    return {
      key: kv.key.toString('utf8', this.#prefixBytes),
      value: kv.value,
      createRevision: Number(kv.create_revision),
      modRevision: Number(kv.mod_revision),
    }
  }

  snapshotEntry(kv: IKeyValue, ttlSeconds: number): SnapshotEntry {
    return { ...this.entry(kv), ttlSeconds }
  }
}

const slash = 0x2f
