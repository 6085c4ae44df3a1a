import { randomBytes } from 'node:crypto'
import { StatusError, unauthorizedError } from '../../api/machinery/errors.ts'
import type { TokenAuthenticator } from '../auth/authenticator.ts'
import { anonymousUser, parseServiceAccountUser } from '../auth/groups.ts'
import { Lru } from '../auth/lru.ts'
import { digest } from '../auth/tokens/same-secret.ts'
import type { UserInfo } from '../auth/types.ts'
import { Conflict, type Store } from '../storage/store.ts'

/** A secret, and until when it is good. */
export interface Granted {
  secret: string
  expiresMs: number
}

/** Who may come in by a link, and who has. */
export interface Sessions {
  /** A code that lets one browser in as this user, once. Throws a StatusError for who cannot have one. */
  createLink(user: UserInfo): Promise<Granted>
  /** Gives the token of a new session for a code. Throws 401 when the code is used, too old or no code at all. */
  redeem(code: string): Promise<Granted>
  /** Ends a session: its token is nobody's from now on. */
  end(token: string): Promise<void>
  readonly authenticator: TokenAuthenticator
}

interface Record {
  user: UserInfo
  expiresMs: number
}

const linkMs = 2 * 60_000
const sessionMs = 8 * 3600_000
/** Another server learns within this time that a session has ended. */
const rememberedMs = 5000
const prefix = 'gantry-session.'
/** Marks the user of a session, whatever else is known of it. */
const sessionExtra = 'gantry.dev/session'

/**
 * Links and sessions lie in the store beside the objects, where no API reaches them, under the digests of their secrets:
 * who reads the store cannot use them, every API server knows them, and they go by themselves when their time is over.
 */
export function createSessions(store: Store, now: () => number): Sessions {
  const known = new Lru<string, { record: Record | undefined; readMs: number }>(1024)
  const sessionOf = async (token: string): Promise<Record | undefined> => {
    const key = keyOf('sessions', token)
    const remembered = known.get(key)
    if (remembered && now() - remembered.readMs < rememberedMs) return remembered.record
    const record = recordIn(await store.get(key))
    known.set(key, { record, readMs: now() })
    return record
  }
  return {
    async createLink(user) {
      requireOwnName(user)
      const link = { secret: secret(), expiresMs: now() + linkMs }
      await store.commit([write('links', link, user)])
      return link
    },
    async redeem(code) {
      const entry = await store.get(keyOf('links', code))
      const record = recordIn(entry)
      if (!entry || !record || record.expiresMs <= now()) throw unusable()
      const session = { secret: `${prefix}${secret()}`, expiresMs: now() + sessionMs }
      const user = { ...record.user, extra: { ...record.user.extra, [sessionExtra]: ['link'] } }
      try {
        // Both at one revision: of two who have the code, one comes in.
        await store.commit([
          { key: entry.key, expect: entry.modRevision, value: null },
          write('sessions', session, user),
        ])
      } catch (error) {
        if (error instanceof Conflict) throw unusable()
        throw error
      }
      return session
    },
    async end(token) {
      const key = keyOf('sessions', token)
      await store.commit([{ key, expect: 'any', value: null }])
      known.delete(key)
    },
    authenticator: {
      async authenticateToken(token, audiences) {
        if (!token.startsWith(prefix)) return undefined
        const record = await sessionOf(token)
        if (!record || record.expiresMs <= now()) throw new Error('the session is over')
        return { user: record.user, audiences }
      },
    },
  }
}

/** A session must not outlive what it was made from, nor make others without end. */
function requireOwnName({ name, extra }: UserInfo): void {
  if (name === anonymousUser) throw unauthorizedError()
  if (extra?.[sessionExtra]) throw refused('a session makes no links: use the credentials it was made with')
  if (parseServiceAccountUser(name)) {
    throw refused(
      'a service account has no links, because its tokens end with it: log in with one, as `gantry create token` makes it',
    )
  }
}

const refused = (message: string): StatusError => new StatusError(403, 'Forbidden', message)
const unusable = (): StatusError =>
  unauthorizedError('this link has been used or is too old; `gantry dashboard` makes another')

const secret = (): string => randomBytes(18).toString('base64url')
const keyOf = (what: 'links' | 'sessions', of: string): string => `/gantry.dev/${what}/${digest(of).toString('hex')}`

function write(what: 'links' | 'sessions', { secret, expiresMs }: Granted, user: UserInfo) {
  const record: Record = { user, expiresMs }
  const ttlSeconds = Math.ceil((what === 'links' ? linkMs : sessionMs) / 1000)
  return { key: keyOf(what, secret), expect: 'absent' as const, value: Buffer.from(JSON.stringify(record)), ttlSeconds }
}

const recordIn = (entry: { value: Buffer } | undefined): Record | undefined =>
  entry && (JSON.parse(entry.value.toString()) as Record)
