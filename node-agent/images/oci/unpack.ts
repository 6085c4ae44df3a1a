import {
  chmodSync,
  createWriteStream,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import type { Blob } from './image.ts'

/**
 * Unpacks a layer over what lies in a directory: files marked as gone are removed. Owners and devices are left out: they
 * need root, and a directory of an ordinary user has no use for them.
 */
export async function unpackLayer(layer: Blob, root: string): Promise<void> {
  const tar = extract()
  tar.on('entry', (header, stream, next) => {
    unpackEntry(header, stream as unknown as Readable, root).then(() => next(), next)
  })
  const source = Readable.from(layer.open())
  if (layer.descriptor.mediaType.endsWith('gzip')) await pipeline(source, createGunzip(), tar as never)
  else await pipeline(source, tar as never)
}

interface Header {
  name: string
  type?: string | null
  mode?: number
  linkname?: string | null
}

async function unpackEntry({ name, type, mode, linkname }: Header, stream: Readable, root: string): Promise<void> {
  const path = within(root, name)
  const file = basename(path)
  if (file === '.wh..wh..opq') {
    for (const entry of readdirSync(dirname(path))) rmSync(join(dirname(path), entry), { recursive: true, force: true })
  } else if (file.startsWith('.wh.')) {
    rmSync(join(dirname(path), file.slice('.wh.'.length)), { recursive: true, force: true })
  } else if (type === 'directory') {
    if (existsSync(path) && !lstatSync(path).isDirectory()) rmSync(path, { force: true })
    mkdirSync(path, { recursive: true })
    // One must be able to go on unpacking into it.
    chmodSync(path, (mode ?? 0o755) | 0o700)
  } else if (type === 'file' || type === 'contiguous-file' || type === 'link' || type === 'symlink') {
    mkdirSync(dirname(path), { recursive: true })
    rmSync(path, { recursive: true, force: true })
    if (type === 'symlink') symlinkSync(linkname ?? '', path)
    else if (type === 'link') linkSync(within(root, linkname ?? ''), path)
    else {
      await pipeline(stream, createWriteStream(path, { mode: mode ?? 0o644 }))
      return
    }
  }
  stream.resume()
}

/** The path below the root. Throws an Error for one that leads out of it, by its dots or through a link. */
function within(root: string, name: string): string {
  const relative = normalize(`/${name}`).slice(1)
  let path = root
  for (const part of relative.split('/').slice(0, -1)) {
    path = join(path, part)
    if (existsSync(path) && lstatSync(path).isSymbolicLink()) {
      throw new Error(`the layer writes to ${JSON.stringify(name)} through a link`)
    }
  }
  return join(root, relative)
}
