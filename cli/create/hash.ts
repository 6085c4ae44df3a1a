import { createHash } from 'node:crypto'
import { sorted } from '../print/documents.ts'

/** Digits that could make words are others: upstream's alphabet for hashes in names. */
const letters: Record<string, string> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' }

/** Ten letters that stand for what is in a config map or a secret. */
export const contentHash = (content: object): string =>
  Array.from(
    createHash('sha256')
      .update(JSON.stringify(sorted(content)))
      .digest('hex')
      .slice(0, 10),
    (digit) => letters[digit] ?? digit,
  ).join('')
