import { badRequestError } from '../../api/machinery/errors.ts'
import type { Revision } from '../storage/store.ts'

/** Where the next page of a list begins. Opaque to clients; the form is upstream's. */
export interface ContinueToken {
  /** All pages show the objects as of this revision; -1: as they are when the page is asked for. */
  revision: Revision
  /** The last key of the page before, relative to the list's prefix. */
  after: string
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\0` })).toString('base64url')
}

/** Throws 400 for anything that {@link encodeContinue} did not make. */
export function decodeContinue(token: string): ContinueToken {
  let fields: { v?: unknown; rv?: unknown; start?: unknown }
  try {
    const text = Buffer.from(token, 'base64url').toString()
    fields = JSON.parse(text) as typeof fields
  } catch {
    throw invalidToken('unable to decode it')
  }
  if (typeof fields !== 'object' || fields === null) throw invalidToken('it is not an object')
  const { v, rv, start } = fields
  if (v !== 'meta.k8s.io/v1') throw invalidToken(`server does not recognize this encoded version ${JSON.stringify(v)}`)
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < -1) {
    throw invalidToken('incorrect encoded start resourceVersion')
  }
  if (typeof start !== 'string' || start.length < 2 || !start.endsWith('\0')) {
    throw invalidToken('encoded start key empty')
  }
  const after = start.slice(0, -1)
  // A path that climbs would read beyond the list's own prefix.
  if (after.startsWith('/') || after.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw invalidToken(`invalid key ${JSON.stringify(after)}`)
  }
  return { revision: rv, after }
}

const invalidToken = (why: string) => badRequestError(`continue key is not valid: ${why}`)
