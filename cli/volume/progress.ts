import { Transform } from 'node:stream'
import type { Session } from '../session.ts'

const everyMs = 500
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `12.3 MiB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** Counts what passes, and shows it as it grows where somebody looks on. `totalBytes`: how much there is to be, if that is known. */
export function progress(session: Session, what: string, totalBytes?: number): Transform & { bytes: number } {
  const { io, clock } = session
  let shownAt = 0
  const passing = Object.assign(
    new Transform({
      transform(chunk: Buffer, _, done) {
        passing.bytes += chunk.length
        if (io.isTerminal.stdout && clock.now() - shownAt >= everyMs) {
          shownAt = clock.now()
          const share = totalBytes ? ` (${Math.floor((100 * passing.bytes) / totalBytes)} %)` : ''
          io.err(`\r${what}: ${bytesText(passing.bytes)}${share} `)
        }
        done(null, chunk)
      },
      flush(done) {
        if (shownAt > 0) io.err('\r\x1b[K')
        done()
      },
    }),
    { bytes: 0 },
  )
  return passing
}
