import { CsiError } from '../errors.ts'

/** The part of a list that begins at a token, which is an id of the list. */
export function page<T extends { id: string }>(all: readonly T[], maxEntries: number, token: string) {
  const start = token === '' ? 0 : all.findIndex(({ id }) => id === token)
  if (start < 0) throw new CsiError('ABORTED', `${token} is no place in the list any more`)
  const end = maxEntries > 0 ? start + maxEntries : all.length
  return { items: all.slice(start, end), nextToken: all[end]?.id ?? '' }
}
