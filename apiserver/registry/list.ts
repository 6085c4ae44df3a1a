import { badRequestError, StatusError } from '../../api/machinery/errors.ts'
import { Compacted, FutureRevision, type Revision, type Store } from '../storage/store.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { StoreFeed } from './feed.ts'
import { CachedObject, type WatchCache } from './watch-cache.ts'

export interface ListRequest {
  /** Ends with a slash; the kind's or a namespace's. */
  prefix: string
  /** undefined: everything. */
  matches: ((object: CachedObject) => boolean) | undefined
  limit: number
  continue: string
  resourceVersion: string
  resourceVersionMatch: string
}

export interface ListAnswer {
  objects: CachedObject[]
  revision: Revision
  continue?: string
  remaining?: number
}

/**
 * A list by upstream's rules for limit, continue, resourceVersion and resourceVersionMatch. Answers from the cache
 * wherever the cache holds the version asked for, else from the store's history. Throws 400, 410 and 504 as upstream.
 */
export async function list(
  cache: WatchCache,
  feed: StoreFeed,
  store: Store,
  request: ListRequest,
): Promise<ListAnswer> {
  validate(request)
  if (request.continue !== '') {
    const token = decodeContinue(request.continue)
    const after = request.prefix + token.after
    if (token.revision === -1) {
      await requireFresh(feed)
      return page(request, fromCache(cache, feed, request, after))
    }
    return page(request, await atRevision(cache, feed, store, request, token.revision, after))
  }
  const version = parseVersion(request.resourceVersion)
  if (version === undefined) {
    await requireFresh(feed)
  } else if (version > 0) {
    const exact = request.resourceVersionMatch === 'Exact' || (request.resourceVersionMatch === '' && request.limit > 0)
    if (exact) return page(request, await atRevision(cache, feed, store, request, version))
    if (!(await reached(feed, version))) throw tooLarge(version, feed.revision)
  }
  return page(request, fromCache(cache, feed, request))
}

/** The version must be reached within 3 s; a version from the future is refused. */
export async function requireVersion(feed: StoreFeed, resourceVersion: string): Promise<void> {
  const version = parseVersion(resourceVersion)
  if (version === undefined) await requireFresh(feed)
  else if (version > 0 && !(await reached(feed, version))) throw tooLarge(version, feed.revision)
}

/** A resourceVersion of a request; undefined when absent. Throws 400. */
export function parseVersion(text: string): Revision | undefined {
  if (text === '') return undefined
  const version = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(version)) {
    throw badRequestError(`Invalid value: ${JSON.stringify(text)}: resourceVersion must be an integer`)
  }
  return version
}

interface Candidates {
  objects: CachedObject[]
  revision: Revision
  /** How many more there are that were not read. */
  unread?: number
}

function fromCache(cache: WatchCache, feed: StoreFeed, request: ListRequest, after?: string): Candidates {
  return { objects: cache.range(request.prefix, after), revision: feed.revision }
}

async function atRevision(
  cache: WatchCache,
  feed: StoreFeed,
  store: Store,
  request: ListRequest,
  version: Revision,
  after?: string,
): Promise<Candidates> {
  if (version > feed.revision && !(await reached(feed, version))) throw tooLarge(version, feed.revision)
  try {
    // Nothing of this kind has changed since: what the cache holds is what was there. Whether a version is still to be
    // had must not depend on that, so the store is asked if it could have answered.
    if (cache.lastChange <= version) {
      const objects = cache.range(request.prefix, after)
      if (version < feed.revision) await store.get(request.prefix, version)
      return { objects, revision: version }
    }
    // A filtered page may have to look at more than its size; read on until it is full.
    const objects: CachedObject[] = []
    let from = after
    let matched = 0
    for (;;) {
      const result = await store.list(request.prefix, {
        at: version,
        ...(from === undefined ? {} : { after: from }),
        limit: request.limit > 0 ? Math.max(request.limit + 1, 500) : 5000,
      })
      for (const entry of result.entries) {
        const object = new CachedObject(
          entry.key,
          entry.modRevision,
          cache.codec.splice(entry.value, entry.modRevision),
        )
        objects.push(object)
        if (!request.matches || request.matches(object)) matched++
      }
      if (!result.more) break
      from = result.entries.at(-1)?.key
      if (request.limit > 0 && matched > request.limit) return { objects, revision: version, unread: result.remaining }
    }
    return { objects, revision: version }
  } catch (error) {
    if (error instanceof Compacted) throw expired(feed, request, version, after)
    if (error instanceof FutureRevision) throw tooLarge(version, feed.revision)
    throw error
  }
}

function page(request: ListRequest, { objects, revision, unread = 0 }: Candidates): ListAnswer {
  const { limit, matches, prefix } = request
  if (limit <= 0) return { objects: matches ? objects.filter(matches) : objects, revision }
  const chosen: CachedObject[] = []
  for (const [i, object] of objects.entries()) {
    if (matches && !matches(object)) continue
    if (chosen.length === limit) {
      const after = (chosen.at(-1) as CachedObject).key.slice(prefix.length)
      return {
        objects: chosen,
        revision,
        continue: encodeContinue({ revision, after }),
        // With a selector nobody knows how many of the rest match.
        ...(matches ? {} : { remaining: objects.length - i + unread }),
      }
    }
    chosen.push(object)
  }
  return { objects: chosen, revision }
}

function validate({ limit, continue: token, resourceVersion, resourceVersionMatch }: ListRequest): void {
  if (limit < 0) throw badRequestError(`limit: Invalid value: ${limit}: must not be negative`)
  if (resourceVersionMatch !== '') {
    if (token !== '') {
      throw badRequestError(
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
      )
    }
    if (resourceVersion === '') {
      throw badRequestError(
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      )
    }
    if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
      throw badRequestError(
        `resourceVersionMatch: Unsupported value: ${JSON.stringify(resourceVersionMatch)}: supported values: "Exact", "NotOlderThan"`,
      )
    }
    if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
      throw badRequestError(
        'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      )
    }
  }
  if (token !== '' && resourceVersion !== '' && resourceVersion !== '0') {
    throw badRequestError('specifying resource version is not allowed when using continue')
  }
}

async function requireFresh(feed: StoreFeed): Promise<void> {
  if (await feed.catchUp()) return
  throw new StatusError(504, 'Timeout', 'Timeout: the watch cache has not caught up with the store; try again', {
    retryAfterSeconds: 1,
  })
}

const reached = (feed: StoreFeed, version: Revision): Promise<boolean> => feed.waitFor(version, 3000)

function tooLarge(version: Revision, current: Revision): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

/** 410. Within a paged list the answer carries a token that goes on from the same key, without the old version. */
function expired(feed: StoreFeed, request: ListRequest, version: Revision, after: string | undefined): StatusError {
  if (after === undefined) {
    return new StatusError(
      410,
      'Expired',
      `The resourceVersion for the provided list is too old: ${version} (${feed.revision})`,
    )
  }
  const error = new InconsistentContinue(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  error.continue = encodeContinue({ revision: -1, after: after.slice(request.prefix.length) })
  return error
}

/** A 410 that tells how to go on. */
export class InconsistentContinue extends StatusError {
  continue = ''

  override toStatus() {
    return { ...super.toStatus(), metadata: { continue: this.continue } }
  }
}
