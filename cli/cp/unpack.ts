import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'

/** Takes an archive whose entries are at or below `root`, and writes them to `target`; never outside of it. */
export function unpackTo(
  target: string,
  root: string,
  warn: (text: string) => void,
): { sink: PassThrough; done: Promise<void> } {
  const sink = new PassThrough()
  const archive = extract()
  sink.pipe(archive)
  const done = (async () => {
    for await (const entry of archive) {
      const { name, type, mode = 0o644 } = entry.header
      const path = join(target, relative(root, name))
      // A container is not to be trusted: what leads out of the place it is copied to is left out.
      if (relative(target, path).startsWith('..')) {
        warn(`warning: file ${JSON.stringify(name)} is outside target destination, skipping\n`)
        entry.resume()
      } else if (type === 'directory') {
        mkdirSync(path, { recursive: true })
        entry.resume()
      } else if (type === 'file') {
        mkdirSync(dirname(path), { recursive: true })
        await pipeline(entry, createWriteStream(path, { mode: mode & 0o777 }))
      } else {
        warn(`warning: skipping ${type}: ${JSON.stringify(name)}\n`)
        entry.resume()
      }
    }
  })()
  // Told by whoever waits for it; the command may fail first.
  done.catch(() => {})
  return { sink, done }
}
