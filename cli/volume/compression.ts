import { PassThrough, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { CliError } from '../errors.ts'

/** Only newer versions of Node have it. */
const zstd = zlib as unknown as { createZstdCompress?: () => Transform; createZstdDecompress?: () => Transform }

/** What a file of this name is compressed with. */
export function compressorFor(file: string): Transform {
  if (/\.(tar\.gz|tgz)$/.test(file)) return zlib.createGzip()
  if (/\.(tar\.zst|tzst)$/.test(file)) return (zstd.createZstdCompress ?? noZstd)()
  if (/\.tar$/.test(file)) return new PassThrough()
  throw new CliError(`${file}: call the archive .tar, .tar.gz or .tar.zst, so that it is known what it is`)
}

const magics: readonly (readonly [magic: Buffer, make: () => Transform])[] = [
  [Buffer.from([0x1f, 0x8b]), () => zlib.createGunzip()],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), () => (zstd.createZstdDecompress ?? noZstd)()],
]

/** What undoes it, by how the file begins: whoever copied it may have called it something else. */
export const decompressorFor = (start: Buffer): Transform =>
  (magics.find(([magic]) => start.subarray(0, magic.length).equals(magic))?.[1] ?? (() => new PassThrough()))()

const noZstd = (): never => {
  throw new CliError('this version of Node has no zstd: use .tar.gz')
}
