import type { Readable } from 'node:stream'
import { extract, pack } from 'tar-stream'
import type { PersistentVolumeClaim } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'

/** What an archive says of the claim that it was made of. */
export interface Description {
  name: string
  labels?: Record<string, string>
  storageClassName?: string
  accessModes: string[]
  size: string
}

const entryName = 'gantry-volume.json'

export const describeClaim = ({ metadata, spec, status }: Live<PersistentVolumeClaim>): Description => ({
  name: metadata.name,
  ...(metadata.labels ? { labels: metadata.labels } : {}),
  ...(spec?.storageClassName ? { storageClassName: spec.storageClassName } : {}),
  accessModes: spec?.accessModes ?? ['ReadWriteOnce'],
  size: String(status?.capacity?.storage ?? spec?.resources?.requests?.storage ?? '1Gi'),
})

/** The first entry of an archive, without the end that would follow. */
export async function descriptionEntry(description: Description): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name: entryName }, JSON.stringify(description))
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of archive as unknown as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    // Whole blocks: its header, and what it says.
    if (size >= 512 + Math.ceil(Buffer.byteLength(JSON.stringify(description)) / 512) * 512) break
  }
  return Buffer.concat(chunks)
}

/** Reads what an archive begins with. Throws for a file that is none of ours. */
export async function readDescription(archive: Readable): Promise<Description> {
  const entries = extract()
  archive.once('error', (error) => entries.destroy(error))
  archive.pipe(entries)
  try {
    for await (const entry of entries) {
      if (entry.header.name !== entryName) break
      const chunks: Buffer[] = []
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk)
      return JSON.parse(Buffer.concat(chunks).toString()) as Description
    }
  } catch (error) {
    throw new CliError(`this is no archive of a volume: ${(error as Error).message}`)
  } finally {
    archive.destroy()
  }
  throw new CliError('this is no archive of a volume: it does not say which claim it was made of')
}
