import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExitFacts } from './runtime-view.ts'

const maxMessageBytes = 4096
const maxFallbackBytes = 2048
const maxFallbackLines = 80

/** Where the file lies that a container may leave its message in. */
export const lastWordsPath = (podsDirectory: string, podUid: string, container: string, restartCount: number): string =>
  join(podsDirectory, podUid, 'containers', container, `${restartCount}.message`)

/**
 * What an ended container has left: its message file, or with the policy FallbackToLogsOnError and an empty file the end
 * of its log if it failed. Cut to upstream's lengths; '' where there is nothing.
 */
export async function readLastWords(podsDirectory: string, facts: ExitFacts): Promise<string> {
  const { podUid, name, restartCount, exitCode, logPath, messagePath, messagePolicy } = facts
  if (messagePath === '') return ''
  const said = await tail(lastWordsPath(podsDirectory, podUid, name, restartCount), maxMessageBytes)
  if (said !== '' || messagePolicy !== 'FallbackToLogsOnError' || exitCode === 0 || logPath === '') return said
  // Every line of a log has a time, a stream and a tag before the text.
  const lines = (await tail(logPath, maxFallbackBytes * 4)).split('\n').filter((line) => line !== '')
  const text = lines
    .map((line) => /^\S+ (?:stdout|stderr) ([FP]) ?(.*)$/.exec(line))
    .map((match) => (match ? `${match[2]}${match[1] === 'F' ? '\n' : ''}` : ''))
    .slice(-maxFallbackLines)
    .join('')
  return text.slice(-maxFallbackBytes)
}

async function tail(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return ''
  try {
    const { size } = await file.stat()
    const length = Math.min(size, maxBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.subarray(0, bytesRead).toString('utf8')
  } finally {
    await file.close()
  }
}
