import { CachedObject } from '../registry/watch-cache.ts'
import type { Endpoint } from './context.ts'

/**
 * Objects as an endpoint shows them, where only somebody outside can bring them into its version; all others are shown
 * from what the cache holds. Throws a 500 where that somebody cannot.
 */
export async function inVersion(
  { resource, apiVersion }: Endpoint,
  objects: readonly CachedObject[],
): Promise<readonly CachedObject[]> {
  if (!resource.convert) return objects
  const before = objects.map(({ object }) => object)
  const converted = await resource.convert(before, apiVersion)
  return objects.map((cached, i) =>
    converted[i] === before[i]
      ? cached
      : new CachedObject(cached.key, cached.revision, Buffer.from(JSON.stringify(converted[i]))),
  )
}
