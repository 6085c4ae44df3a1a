import type { Connection } from './connection.ts'

/** Upstream's numbers: a lease is shared for at most this long, or this part of its time, and by so many keys. */
const shareSeconds = 60
const sharePart = 0.05
const shareKeys = 1000

interface Lease {
  id: string
  /** Milliseconds since 1970, by our clock. */
  expiresMs: number
  keys: number
}

/** Grants leases, one for many keys that expire at about the same time: etcd pays dearly for each. */
export class Leases {
  readonly #connection: Connection
  /** The newest lease asked for each time to live. Most servers know one: that of events. */
  readonly #shared = new Map<number, Promise<Lease>>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** A lease that lives at least `ttlSeconds`, and not much longer. Throws Unavailable; nothing is written then. */
  async lease(ttlSeconds: number): Promise<string> {
    const ttl = Math.max(1, Math.ceil(ttlSeconds))
    for (;;) {
      const known = this.#shared.get(ttl)
      const lease = await known?.catch(() => undefined)
      if (lease && lease.keys < shareKeys && lease.expiresMs >= Date.now() + ttl * 1000) {
        lease.keys++
        return lease.id
      }
      // Whoever first finds the old one used up asks for a new one; the others wait for that.
      if (this.#shared.get(ttl) === known) this.#shared.set(ttl, this.#grant(ttl))
      await this.#shared.get(ttl)
    }
  }

  async #grant(ttl: number): Promise<Lease> {
    // At least a second more, so that it can be used at all.
    const ttlSeconds = ttl + Math.max(1, Math.min(shareSeconds, Math.floor(ttl * sharePart)))
    const askedMs = Date.now()
    const { ID: id } = await this.#connection.read((member, options) =>
      member.leaseClient.leaseGrant({ TTL: ttlSeconds }, options),
    )
    return { id, expiresMs: askedMs + ttlSeconds * 1000, keys: 0 }
  }
}
