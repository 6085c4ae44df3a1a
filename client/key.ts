import type { Key } from './types.ts'

/** `namespace/name`, or `name` for what has no namespace: how work queues and caches call an object. */
export function keyOf(object: { metadata: { namespace?: string; name?: string } }): string {
  const { namespace, name = '' } = object.metadata
  return namespace ? `${namespace}/${name}` : name
}

/** The parts of a {@link keyOf}. */
export function splitKey(key: string): Key & { namespace: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
