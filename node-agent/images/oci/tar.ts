import type { Pack } from 'tar-stream'
import { pack } from 'tar-stream'

/** A file of a small archive; its time is the epoch's, so that equal content makes equal archives. */
export interface TarFile {
  name: string
  mode?: number
  content: Uint8Array
}

/** A whole tar in memory. */
export async function tarBytes(files: readonly TarFile[]): Promise<Buffer> {
  const tar = pack()
  for (const { name, mode = 0o644, content } of files) {
    tar.entry({ name, mode, mtime: new Date(0) }, Buffer.from(content))
  }
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of chunksOf(tar)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** What comes out of a packer, as it comes. */
export const chunksOf = (tar: Pack): AsyncIterable<Uint8Array> => tar as unknown as AsyncIterable<Uint8Array>
