import { createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { archivePath, type ServedVolume, withCarrier } from './carrier.ts'
import { claimWithFiles, podsIn, usersOf } from './claims.ts'
import { compressorFor } from './compression.ts'
import { describeClaim, descriptionEntry } from './description.ts'
import { canFreeze, withFrozenCopy } from './frozen.ts'
import { bytesText, progress } from './progress.ts'

interface BackupFlags {
  force?: boolean
}

export const backup: Verb<BackupFlags> & { summary: string } = {
  summary: 'put what is in a claim into an archive',
  usage: 'CLAIM FILE',
  examples: ['gantry volume backup data data.tar.gz', 'gantry volume backup data - > data.tar'],
  define: (command) =>
    void command.option('--force', 'read the volume while pods are at work in it, as it happens to be'),
  async run(session, args, { force = false }) {
    const [name, file, more] = args
    if (!name || !file || more) throw new CliError('a claim and a file are required: gantry volume backup CLAIM FILE')
    const compressor = file === '-' ? new PassThrough() : compressorFor(file)
    if (existsSync(file)) throw new CliError(`${file} is there already: it is not written over`)
    const claim = await claimWithFiles(session, name)
    const head = await descriptionEntry(describeClaim(claim))
    const save = async (volume: ServedVolume): Promise<void> => {
      const read = await write(session, volume, { file, head, compressor, name })
      if (file !== '-') session.io.out(`${name}: ${bytesText(read)} in ${file} (${bytesText(statSync(file).size)})\n`)
    }
    const users = usersOf(name, await podsIn(session, session.namespace))
    const [user] = users
    if (!user) await withCarrier(session, { claim: name, readOnly: true }, save)
    else if (force) await save(servedBy(user))
    else if (await canFreeze(session, claim)) {
      session.io.err(`${name} is in use: a snapshot of it is backed up\n`)
      await withFrozenCopy(session, claim, (copy) => withCarrier(session, { claim: copy, readOnly: true }, save))
    } else {
      const list = users.map(({ pod }) => `pod/${pod.metadata.name}`).join(', ')
      throw new CliError(
        `${name} is in use by ${list}, and no snapshot of it can be taken: end them, or take it as it is with --force`,
      )
    }
    return 0
  },
}

const servedBy = ({ pod, volume }: ReturnType<typeof usersOf>[number]): ServedVolume => ({
  namespace: pod.metadata.namespace ?? '',
  pod: pod.metadata.name,
  node: pod.spec?.nodeName ?? '',
  volume,
})

/** Writes the archive, which has its name only when it is whole. Resolves to the bytes of it before they were compressed. */
async function write(
  session: Session,
  volume: ServedVolume,
  { file, head, compressor, name }: { file: string; head: Buffer; compressor: Writable; name: string },
): Promise<number> {
  const answer = await session.raw('GET', archivePath(volume), { stream: true })
  const counted = progress(session, `backing up ${name}`)
  const isPiped = file === '-'
  const part = `${file}.part`
  try {
    counted.write(head)
    const target = isPiped ? writerTo(session) : createWriteStream(part, { mode: 0o600 })
    await pipeline(answer, counted, compressor as PassThrough, target)
    if (!isPiped) renameSync(part, file)
  } catch (error) {
    if (!isPiped) rmSync(part, { force: true })
    throw error
  }
  return counted.bytes
}

/** Standard output, as fast as whoever reads it. */
function writerTo({ io }: Session): PassThrough {
  const through = new PassThrough()
  const done = (async () => {
    for await (const chunk of through as AsyncIterable<Buffer>) await io.write('out', chunk)
  })()
  done.catch((error: Error) => through.destroy(error))
  return through
}
