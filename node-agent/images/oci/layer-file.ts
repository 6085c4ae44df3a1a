import { createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { type Blob, mediaTypes } from './image.ts'

/** A file, directory or link to put into a layer: `name` is its path there, without a leading slash. */
export interface LayerEntry {
  name: string
  /** Where its content is; absent: an empty directory. */
  source?: string
  /** Follow links: the file they lead to is put in. */
  follow?: boolean
  /** Instead of the source: this text. */
  text?: string
  mode?: number
}

/** Writes an uncompressed layer to a file. Equal content makes an equal layer: times and owners are left out. */
export async function writeLayer(path: string, entries: readonly LayerEntry[]): Promise<Blob> {
  mkdirSync(dirname(path), { recursive: true })
  const tar = pack()
  const hash = createHash('sha256')
  let size = 0
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk)
      size += chunk.length
      callback(null, chunk)
    },
  })
  const unfinished = `${path}.new-${process.pid}`
  const written = pipeline(tar as unknown as NodeJS.ReadableStream, measure, createWriteStream(unfinished))
  try {
    const done = new Set<string>()
    for (const entry of entries) await addEntry(tar, entry, done)
    tar.finalize()
  } catch (error) {
    tar.destroy(error as Error)
    await written.catch(() => {})
    throw error
  }
  await written
  renameSync(unfinished, path)
  return fileLayer(path, `sha256:${hash.digest('hex')}`, size)
}

/** A layer that lies in a file, uncompressed. */
export const fileLayer = (path: string, digest: string, size = statSync(path).size): Blob => ({
  descriptor: { mediaType: mediaTypes.layer, digest, size },
  open: () => createReadStream(path, { highWaterMark: 1024 * 1024 }),
})

async function addEntry(tar: ReturnType<typeof pack>, entry: LayerEntry, done: Set<string>): Promise<void> {
  const { name, source, follow, text, mode } = entry
  const mtime = new Date(0)
  await addParents(tar, name, done)
  if (done.has(name)) return
  if (text !== undefined) {
    done.add(name)
    tar.entry({ name, mode: mode ?? 0o644, mtime }, text)
    return
  }
  if (source === undefined) {
    done.add(name)
    tar.entry({ name: `${name}/`, type: 'directory', mode: mode ?? 0o755, mtime })
    return
  }
  const found = follow ? statSync(source) : lstatSync(source)
  const permissions = mode ?? found.mode & 0o7777
  if (found.isDirectory()) {
    if (name !== '' && name !== '.') {
      done.add(name)
      tar.entry({ name: `${name}/`, type: 'directory', mode: permissions, mtime })
    }
    for (const child of readdirSync(source).sort()) {
      await addEntry(tar, { name: posix.join(name, child), source: join(source, child) }, done)
    }
  } else if (found.isSymbolicLink()) {
    done.add(name)
    tar.entry({ name, type: 'symlink', linkname: readlinkSync(source), mtime })
  } else if (found.isFile()) {
    done.add(name)
    await new Promise<void>((resolve, reject) => {
      const sink = tar.entry({ name, mode: permissions, size: found.size, mtime }, (error) =>
        error ? reject(error) : resolve(),
      )
      createReadStream(source, { highWaterMark: 1024 * 1024 })
        .once('error', reject)
        .pipe(sink)
    })
  }
}

/** Unpackers want a directory before what is in it. */
async function addParents(tar: ReturnType<typeof pack>, name: string, done: Set<string>): Promise<void> {
  const parts = name.split('/').slice(0, -1)
  for (let i = 1; i <= parts.length; i++) {
    const parent = parts.slice(0, i).join('/')
    if (parent === '' || done.has(parent)) continue
    done.add(parent)
    tar.entry({ name: `${parent}/`, type: 'directory', mode: 0o755, mtime: new Date(0) })
  }
}
