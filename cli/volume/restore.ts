import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, StorageClass } from '../../api/generated/types.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumeClaims, storageClasses } from '../../client/resources.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { archivePath, withCarrier } from './carrier.ts'
import { findClaim } from './claims.ts'
import { decompressorFor } from './compression.ts'
import { type Description, readDescription } from './description.ts'
import { bytesText, progress } from './progress.ts'

interface RestoreFlags {
  name?: string
  storageClass?: string
  size?: string
}

export const restore: Verb<RestoreFlags> & { summary: string } = {
  summary: 'make a claim of an archive, here or in another cluster',
  usage: 'FILE',
  examples: ['gantry volume restore data.tar.gz', 'gantry volume restore data.tar.gz --name data-again --size 5Gi'],
  define: (command) =>
    void command
      .option('--name <claim>', 'the name of the new claim; default: as it was called')
      .option('--storage-class <name>', 'its class; default: as it was, or else the default one')
      .option('--size <quantity>', 'its size; default: as it was'),
  async run(session, args, flags) {
    const [file, more] = args
    if (!file || more) throw new CliError('a file is required: gantry volume restore FILE')
    if (!existsSync(file)) throw new CliError(`there is no file ${file}`)
    const was = await readDescription(opened(file))
    const name = flags.name ?? was.name
    if (await findClaim(session, name)) {
      throw new CliError(`there is a claim ${name} already, which is not written over: give another name with --name`)
    }
    const key = { namespace: session.namespace, name }
    await session.client.create<PersistentVolumeClaim>(persistentVolumeClaims, {
      metadata: { ...key, ...(was.labels ? { labels: was.labels } : {}) },
      spec: await specFor(session, was, flags),
    })
    try {
      const { entries, bytes } = await withCarrier(session, { claim: name, readOnly: false }, (volume) =>
        send(session, archivePath(volume), file, name),
      )
      session.io.out(`persistentvolumeclaim/${name} restored: ${entries} files and directories, ${bytesText(bytes)}\n`)
    } catch (error) {
      // Half of it would be taken for all of it.
      await session.client.delete(persistentVolumeClaims, key)
      throw error
    }
    return 0
  },
}

async function specFor(
  { client, signal }: Session,
  was: Description,
  { storageClass, size }: RestoreFlags,
): Promise<PersistentVolumeClaimSpec> {
  const wanted = storageClass ?? was.storageClassName
  const isThere =
    wanted !== undefined &&
    (await client.get<StorageClass>(storageClasses, { name: wanted }, { signal }).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false
        throw error
      },
    ))
  if (storageClass && !isThere) throw new CliError(`there is no storage class ${JSON.stringify(storageClass)}`)
  return {
    accessModes: was.accessModes,
    resources: { requests: { storage: size ?? was.size } },
    ...(isThere ? { storageClassName: wanted } : {}),
  }
}

async function send(
  session: Session,
  path: string,
  file: string,
  name: string,
): Promise<{ entries: number; bytes: number }> {
  const counted = progress(session, `restoring ${name}`, statSync(file).size)
  const plain = decompressorFor(startOf(file))
  const reading = pipeline(createReadStream(file), counted, plain)
  const headers = { 'content-type': 'application/x-tar' }
  const [answer] = await Promise.all([
    session.json<{ entries: number; bytes: number }>('POST', path, { source: plain, headers }),
    reading,
  ])
  return answer
}

const opened = (file: string): Readable => createReadStream(file).pipe(decompressorFor(startOf(file)))

function startOf(file: string): Buffer {
  const start = Buffer.alloc(4)
  const open = openSync(file, 'r')
  try {
    return start.subarray(0, readSync(open, start))
  } finally {
    closeSync(open)
  }
}
