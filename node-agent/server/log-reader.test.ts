import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LogOptions, readLog } from './log-reader.ts'

const line = (second: number, text: string, tag = 'F', stream = 'stdout') =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`

describe('reading a log', () => {
  let directory: string
  let path: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-log-'))
    path = join(directory, '0.log')
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const read = async (options: LogOptions = {}) => {
    let text = ''
    for await (const chunk of readLog(path, options, async () => false, new AbortController().signal)) text += chunk
    return text
  }
  const three = line(1, 'one') + line(2, 'two', 'F', 'stderr') + line(3, 'three')

  it.each<[string, LogOptions, string]>([
    ['everything', {}, 'one\ntwo\nthree\n'],
    ['the last lines', { tailLines: 2 }, 'two\nthree\n'],
    ['more lines than there are', { tailLines: 9 }, 'one\ntwo\nthree\n'],
    ['no lines', { tailLines: 0 }, ''],
    ['so many bytes', { limitBytes: 5 }, 'one\nt'],
    ['from a time on', { sinceMs: Date.parse('2026-01-01T00:00:02Z') }, 'two\nthree\n'],
    ['one stream', { stream: 'stderr' }, 'two\n'],
    ['with times', { timestamps: true, tailLines: 1 }, '2026-01-01T00:00:03.000000000Z three\n'],
  ])('gives %s', async (_what, options, expected) => {
    writeFileSync(path, three)
    expect(await read(options)).toBe(expected)
  })

  it('puts together what was written in parts, and times it once', async () => {
    writeFileSync(path, line(1, 'be', 'P') + line(1, 'gin', 'P') + line(2, 'ning') + line(3, 'next'))
    expect(await read({ timestamps: true })).toBe(
      '2026-01-01T00:00:01.000000000Z beginning\n2026-01-01T00:00:03.000000000Z next\n',
    )
  })

  it('passes over what is not of the format', async () => {
    writeFileSync(path, `${line(1, 'one')}nonsense\n\n${line(2, '')}${line(3, 'with  spaces ')}`)
    expect(await read()).toBe('one\n\nwith  spaces \n')
  })

  it('finds the last lines of a long log', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => line(i % 60, `line ${i}`))
    writeFileSync(path, lines.join(''))
    const text = await read({ tailLines: 5000 })
    expect(text.split('\n')).toHaveLength(5001)
    expect(text.startsWith('line 15000\n')).toBe(true)
  })

  it('gives the last lines as they were when it was asked, whatever is written meanwhile', async () => {
    writeFileSync(path, three)
    let text = ''
    const isRunning = async () => true
    for await (const chunk of readLog(
      path,
      { tailLines: 2, limitBytes: 100 },
      isRunning,
      new AbortController().signal,
    )) {
      text += chunk
      appendFileSync(path, line(4, 'four'))
    }
    expect(text).toBe('two\nthree\n')
  })

  it('is empty where there is no file', async () => {
    expect(await read()).toBe('')
  })

  it('follows what is written, through a rotation, until the container has ended', async () => {
    writeFileSync(path, line(1, 'one'))
    let running = true
    let text = ''
    const reading = (async () => {
      for await (const chunk of readLog(path, { follow: true }, async () => running, new AbortController().signal)) {
        text += chunk
      }
    })()
    const sees = async (expected: string) => {
      for (let tries = 0; text !== expected && tries < 300; tries++)
        await new Promise((resolve) => setTimeout(resolve, 10))
      expect(text).toBe(expected)
    }
    await sees('one\n')
    const begun = line(2, 'two')
    appendFileSync(path, begun.slice(0, 20))
    appendFileSync(path, begun.slice(20))
    await sees('one\ntwo\n')
    appendFileSync(path, line(3, 'before'))
    renameSync(path, `${path}.old`)
    writeFileSync(path, line(4, 'after'))
    await sees('one\ntwo\nbefore\nafter\n')
    appendFileSync(path, line(5, 'last'))
    running = false
    await reading
    expect(text).toBe('one\ntwo\nbefore\nafter\nlast\n')
  })

  it('stops following when nobody listens any more', async () => {
    writeFileSync(path, line(1, 'one'))
    const gone = new AbortController()
    for await (const _chunk of readLog(path, { follow: true }, async () => true, gone.signal)) gone.abort()
  })
})
