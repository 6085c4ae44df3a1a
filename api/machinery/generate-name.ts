import { randomInt } from 'node:crypto'

/** No vowels, and nothing that is easily misread: upstream's alphabet for generated names. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
const suffixLength = 5
const maxBaseLength = 63 - suffixLength

/** A name from a generateName: the base, cut so that the whole stays a DNS label, and five random characters. */
export function generateName(base: string): string {
  let name = base.length > maxBaseLength ? base.slice(0, maxBaseLength) : base
  for (let i = 0; i < suffixLength; i++) name += alphabet[randomInt(alphabet.length)]
  return name
}
