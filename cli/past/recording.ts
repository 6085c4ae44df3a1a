import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { CliError } from '../errors.ts'
import type { NamedObject } from '../objects.ts'

/** The first line of a recording. */
export interface RecordingHeader {
  gantryRecording: 1
  server: string
  from: string
}

/** A line of it: what there was at first, what was written, and how far it goes. */
export type RecordedLine =
  | {
      type: 'INITIAL' | 'ADDED' | 'MODIFIED' | 'DELETED'
      resource: string
      revision: string
      time?: string
      user?: string
      object: NamedObject
    }
  | { type: 'END'; revision: string; time?: string }

/** Reads a recording, its header first. Throws where the file is none. */
export async function* readRecording(path: string): AsyncGenerator<RecordedLine> {
  const file = createReadStream(path)
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  // A file that is not there ends what is piped from it.
  if (text !== file) file.once('error', (error) => text.destroy(error))
  let isFirst = true
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (isFirst) {
      checkHeader(path, line)
      isFirst = false
    } else if (line !== '') yield JSON.parse(line) as RecordedLine
  }
  if (isFirst) checkHeader(path, '')
}

function checkHeader(path: string, line: string): void {
  try {
    if ((JSON.parse(line) as RecordingHeader).gantryRecording === 1) return
  } catch {
    // Said below: it is no recording, whatever it is.
  }
  throw new CliError(`${path} is no recording: \`gantry record FILE\` makes one`)
}
