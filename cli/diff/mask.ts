import { isDeepStrictEqual } from 'node:util'
import type { NamedObject } from '../objects.ts'

type Values = Record<string, unknown>

/** A secret before and after, its values hidden, but not that one has changed. */
export function maskSecrets(
  live: NamedObject | undefined,
  after: NamedObject | undefined,
): { live: NamedObject | undefined; after: NamedObject | undefined } {
  const [before, now] = [(live?.data ?? {}) as Values, (after?.data ?? {}) as Values]
  const masked = (own: Values, other: Values, word: string): Values =>
    Object.fromEntries(
      Object.entries(own).map(([key, value]) => [
        key,
        key in other && !isDeepStrictEqual(value, other[key]) ? `*** (${word})` : '***',
      ]),
    )
  return {
    live: live?.data ? { ...live, data: masked(before, now, 'before') } : live,
    after: after?.data ? { ...after, data: masked(now, before, 'after') } : after,
  }
}
