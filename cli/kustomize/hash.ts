import { createHash } from 'node:crypto'
import type { AnyObject } from '../../api/machinery/object.ts'
import { jsonText, sorted } from '../print/documents.ts'

/** What the name of a generated object ends in: a digest of what is in it. */
export function hashOf(object: AnyObject): string {
  const { kind = '', data = '', binaryData, type = '', stringData } = object as Record<string, unknown> & AnyObject
  // kustomize means to count the name, and finds none.
  const name = ''
  const counted =
    kind === 'ConfigMap'
      ? { data, kind, name, ...(binaryData ? { binaryData } : {}) }
      : kind === 'Secret'
        ? { data, kind, name, type, ...(stringData ? { stringData } : {}) }
        : object
  return createHash('sha256')
    .update(jsonText(sorted(counted)))
    .digest('hex')
    .slice(0, 10)
    .replace(/[013ae]/g, (digit) => letters[digit] ?? digit)
}

/** So that no suffix becomes a word. */
const letters: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' }
