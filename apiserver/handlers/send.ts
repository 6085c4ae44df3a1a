import { CachedObject } from '../registry/watch-cache.ts'
import type { Written } from '../registry/write.ts'
import type { Scope } from './context.ts'
import { inVersion } from './in-version.ts'
import { includeObjectOf } from './parameters.ts'
import { presenterFor } from './present.ts'
import { sendBytes } from './respond.ts'

/** Sends one object in the version and form that the request asks for. */
export function sendCached(scope: Scope, code: number, cached: CachedObject): void | Promise<void> {
  const { endpoint, media } = scope
  if (endpoint.resource.convert && media.as !== 'PartialObjectMetadata') {
    return inVersion(endpoint, [cached]).then(([shown]) => send(scope, code, shown as CachedObject))
  }
  send(scope, code, cached)
}

function send({ endpoint, media, res, server, info }: Scope, code: number, cached: CachedObject): void {
  if (media.as === 'object' && !endpoint.served) {
    sendBytes(res, code, cached.bytes, media)
    return
  }
  const presenter = presenterFor(endpoint.resource, endpoint.served, media, includeObjectOf(info.query), server.now)
  sendBytes(res, code, presenter.one(cached), media)
}

/** The same of what a write left. */
export function sendWritten(scope: Scope, code: number, written: Written): void | Promise<void> {
  return sendCached(scope, code, asCached(written))
}

/** What a write left, in the form that presenters take. */
export function asCached({ object, bytes }: Written): CachedObject {
  return new CachedObject('', Number(object.metadata.resourceVersion ?? 0), bytes)
}
