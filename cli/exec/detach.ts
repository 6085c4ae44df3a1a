import { CliError } from '../errors.ts'

export type Detached = 'detached'

/** What of some keys is to be sent, and whether the user has let go. */
interface Passed {
  bytes: Buffer
  detached: boolean
}

/**
 * A filter that looks for a sequence like `ctrl-p,ctrl-q` in what is typed. The keys of a sequence that has only begun
 * are held back until it is clear that it is none.
 */
export function detachAt(keys: string): (typed: Buffer) => Passed {
  const sequence = keys.split(',').map(keyCode)
  let matched = 0
  return (typed) => {
    const bytes: number[] = []
    for (const byte of typed) {
      if (byte === sequence[matched]) {
        matched++
        if (matched === sequence.length) return { bytes: Buffer.from(bytes), detached: true }
        continue
      }
      bytes.push(...sequence.slice(0, matched))
      matched = byte === sequence[0] ? 1 : 0
      if (matched === 0) bytes.push(byte)
    }
    return { bytes: Buffer.from(bytes), detached: false }
  }
}

/** `a`, or `ctrl-` with a letter or one of `@[\]^_`. */
function keyCode(key: string): number {
  if (key.length === 1) return key.charCodeAt(0)
  const letter = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1]
  if (!letter) throw new CliError(`could not bind detach keys: Unknown character: '${key}'`)
  return letter.toUpperCase().charCodeAt(0) - 64
}
