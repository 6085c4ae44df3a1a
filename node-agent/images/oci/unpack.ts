import {
  chmodSync,
  createWriteStream,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, normalize, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import type { Blob } from './image.ts'

const longestChain = 40

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

/**
 * Where a path of the layer lies below the root: links on the way to it are followed as if the root were the machine's,
 * so that none leads out.
 */
function within(root: string, name: string): string {
  let parts = normalize(`/${name}`).split('/').filter(Boolean)
  let path = root
  for (let links = 0; parts.length > 1; ) {
    const [part = '', ...rest] = parts
    const next = join(path, part)
    if (!lstatSync(next, { throwIfNoEntry: false })?.isSymbolicLink()) {
      path = next
      parts = rest
      continue
    }
    if (++links > longestChain) throw new Error(`too many links on the way to ${JSON.stringify(name)}`)
    const here = path.slice(root.length)
    parts = [...resolve('/', here, readlinkSync(next)).split('/').filter(Boolean), ...rest]
    path = root
  }
  return join(path, parts[0] ?? '')
}
