import { type FileHandle, open } from 'node:fs/promises'

/** Where a file of an archive lies, or what it links to. */
export interface TarEntry {
  offset: number
  size: number
  link?: string
}

/** A tar on disk, whose files are read where they lie, without unpacking. */
export interface TarFile {
  entries: ReadonlyMap<string, TarEntry>
  /** The content of a file, through links. Throws an Error if there is none. */
  read(name: string): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

const blockBytes = 512
const chunkBytes = 1024 * 1024

/** Finds out what is where in an uncompressed tar. Throws an Error if it is none. */
export async function openTar(path: string): Promise<TarFile> {
  const file = await open(path, 'r')
  try {
    const entries = await indexOf(file)
    const find = (name: string, depth = 0): TarEntry => {
      const entry = entries.get(name)
      if (!entry || depth > 8) throw new Error(`the archive has no ${JSON.stringify(name)}`)
      return entry.link === undefined ? entry : find(resolveLink(name, entry.link), depth + 1)
    }
    return {
      entries,
      async *read(name) {
        const { offset, size } = find(name)
        for (let at = 0; at < size; ) {
          const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at))
          const { bytesRead } = await file.read(buffer, 0, buffer.length, offset + at)
          if (bytesRead === 0) throw new Error(`the archive ends in the middle of ${JSON.stringify(name)}`)
          at += bytesRead
          yield buffer.subarray(0, bytesRead)
        }
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function indexOf(file: FileHandle): Promise<Map<string, TarEntry>> {
  const entries = new Map<string, TarEntry>()
  const header = Buffer.allocUnsafe(blockBytes)
  let at = 0
  let long: { name?: string; link?: string } = {}
  for (;;) {
    const { bytesRead } = await file.read(header, 0, blockBytes, at)
    if (bytesRead < blockBytes || header.every((byte) => byte === 0)) return entries
    if (checksum(header) !== octal(header, 148, 8)) throw new Error('the file is not a tar archive')
    const size = octal(header, 124, 12)
    const type = String.fromCharCode(header[156] ?? 0)
    at += blockBytes
    if (type === 'L' || type === 'K' || type === 'x') {
      const text = Buffer.alloc(size)
      await file.read(text, 0, size, at)
      // Names too long for the header go before it: GNU's way, or POSIX's.
      if (type === 'x') long = { ...long, ...paxNames(text) }
      else long = { ...long, [type === 'L' ? 'name' : 'link']: text.toString().replace(/\0.*$/s, '') }
    } else {
      const name = (long.name ?? headerName(header)).replace(/^\.\//, '')
      const link = type === '1' || type === '2' ? (long.link ?? string(header, 157, 100)) : undefined
      if (type === '0' || type === '\0' || link !== undefined) {
        entries.set(name, {
          offset: at,
          size,
          ...(link === undefined ? {} : { link: type === '1' ? `/${link}` : link }),
        })
      }
      long = {}
    }
    at += Math.ceil(size / blockBytes) * blockBytes
  }
}

/** Hard links name a path from the archive's root, symbolic ones from their own directory. */
function resolveLink(name: string, link: string): string {
  return new URL(link, `file:///${name}`).pathname.slice(1)
}

function headerName(header: Buffer): string {
  const prefix = string(header, 257, 5) === 'ustar' ? string(header, 345, 155) : ''
  const name = string(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

const string = (header: Buffer, at: number, length: number): string =>
  header.toString('utf8', at, at + length).replace(/\0.*$/s, '')

function octal(header: Buffer, at: number, length: number): number {
  // GNU's way for what octal digits cannot hold.
  if (((header[at] ?? 0) & 0x80) !== 0) return header.readUIntBE(at + length - 6, 6)
  return Number.parseInt(string(header, at, length).trim() || '0', 8)
}

function checksum(header: Buffer): number {
  let sum = 0
  for (let i = 0; i < blockBytes; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0)
  return sum
}

function paxNames(text: Buffer): { name?: string; link?: string } {
  const names: { name?: string; link?: string } = {}
  for (let at = 0; at < text.length; ) {
    const length = Number.parseInt(text.toString('latin1', at, at + 16), 10)
    if (!(length > 0)) break
    const record = text.toString('utf8', at, at + length - 1)
    const [, key, value = ''] = /^\d+ ([^=]+)=(.*)$/s.exec(record) ?? []
    if (key === 'path') names.name = value
    if (key === 'linkpath') names.link = value
    at += length
  }
  return names
}
