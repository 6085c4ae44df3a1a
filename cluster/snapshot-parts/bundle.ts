import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'

/** One part of a snapshot: its name, and the file that has it. */
export interface Part {
  name: string
  path: string
}

/** Where a tar archive says that it is one. A snapshot of objects alone says something else there. */
const magic = { at: 257, text: 'ustar' }

/** Puts parts into one file, which has its name only when it is whole. `onBytes` hears how much is written. */
export async function writeBundle(
  path: string,
  parts: readonly Part[],
  onBytes: (bytes: number) => void,
): Promise<void> {
  const staged = `${path}.${process.pid}.partial`
  try {
    const archive = pack()
    const written = pipeline(archive as unknown as Readable, createWriteStream(staged, { mode: 0o600 }))
    let bytes = 0
    for (const part of parts) {
      const entry = archive.entry({ name: part.name, size: (await stat(part.path)).size, mode: 0o600 })
      const source = createReadStream(part.path, { highWaterMark: 1 << 20 })
      source.on('data', (chunk) => {
        bytes += chunk.length
        onBytes(bytes)
      })
      await pipeline(source, entry as unknown as NodeJS.WritableStream)
    }
    archive.finalize()
    await written
    await rename(staged, path)
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
}

/** Whether a file has parts; a snapshot of objects alone has none. */
export async function isBundle(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.text.length), 0, magic.text.length, magic.at)
    return buffer.subarray(0, bytesRead).toString() === magic.text
  } finally {
    await file.close()
  }
}

/** Unpacks the parts into a directory, flat: their names are ours and have no way out of it. */
export async function readBundle(path: string, directory: string): Promise<Part[]> {
  const parts: Part[] = []
  const entries = extract()
  const reading = pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    entries as unknown as NodeJS.WritableStream,
  )
  for await (const entry of entries) {
    const { name } = entry.header
    const target = join(directory, String(parts.length))
    await pipeline(entry as unknown as Readable, createWriteStream(target, { mode: 0o600 }))
    parts.push({ name, path: target })
  }
  await reading
  return parts
}
